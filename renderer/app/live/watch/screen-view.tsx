import { useEffect, useRef } from 'react';
import '../../design/terminal.css';
import type { Emulation } from '../../../../contract/replay/screen/emulation.ts';
import { ScreenChanges } from '../../../../contract/replay/screen-damage.ts';
import { type PaintedScreen, type PainterOptions, ScreenPainter } from '../../../terminal/screen-painter.ts';
import type { Painting } from './painting.ts';
import type { Watched } from './use-live-view.ts';
import type { WatchedChannel } from './watched-channel.ts';

interface ScreenViewProps {
  readonly channel: WatchedChannel;
  readonly watched: Pick<Watched, 'onDrawn'>;
  readonly painting: Painting;
  readonly options: PainterOptions;
  /** It can be reached and scrolled back by keys. */
  readonly reachable?: boolean;
}

/** The screen of a channel, painted when it was drawn onto. Nothing of it goes through React. */
export function ScreenView({ channel, watched: { onDrawn }, painting, options, reachable = false }: ScreenViewProps) {
  const place = useRef<HTMLDivElement>(null);
  const { smallest, largest, label } = options;
  useEffect(() => {
    const screen = new LiveScreen(channel);
    if (place.current === null || !screen.isThere) return undefined;
    const painter = new ScreenPainter(screen, {
      ...(smallest === undefined ? {} : { smallest }),
      ...(largest === undefined ? {} : { largest }),
      ...(label === undefined ? {} : { label }),
    });
    if (reachable) {
      painter.node.tabIndex = 0;
      painter.node.setAttribute('role', 'group');
    }
    place.current.append(painter.node);
    let cancel: (() => void) | undefined;
    const paint = () => {
      cancel = undefined;
      painter.paint();
    };
    const stop = onDrawn((drawn) => {
      if (drawn === channel) cancel ??= painting(paint);
    });
    painter.paint();
    // The type may have come after the first painting, and is what the size is measured by.
    void document.fonts.ready.then(() => painter.fit());
    return () => {
      stop();
      cancel?.();
      painter.dispose();
      painter.node.remove();
    };
  }, [channel, onDrawn, painting, smallest, largest, label, reachable]);
  return <div ref={place} style={{ position: 'absolute', inset: 0 }} />;
}

/** Another emulation takes the place of the one before; what was there last stays when the channel is let go of. */
class LiveScreen implements PaintedScreen {
  readonly #channel: WatchedChannel;
  readonly #changes = new ScreenChanges();
  #last: Emulation | undefined;

  constructor(channel: WatchedChannel) {
    this.#channel = channel;
    this.#last = channel.emulation;
  }

  get isThere(): boolean {
    return this.#last !== undefined;
  }

  get screen(): Emulation {
    this.#last = this.#channel.emulation ?? this.#last;
    if (this.#last === undefined) throw new TypeError('a screen is painted when there is one');
    return this.#last;
  }

  takeDamage() {
    return this.#changes.take(this.screen);
  }
}
