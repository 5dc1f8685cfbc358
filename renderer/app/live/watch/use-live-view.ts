import { useEffect, useReducer, useRef, useState } from 'react';
import type { Note } from '../../../../contract/replay/cast-event.ts';
import { useHost } from '../../host/host-context.tsx';
import { LiveView } from './live-view.ts';
import type { WatchedChannel } from './watched-channel.ts';

/** What happened in a session besides output, as it came. */
export interface NotedEvent {
  readonly channel: number;
  readonly note: Note;
  /** Wall clock of this device, milliseconds. */
  readonly at: number;
}

export interface Watched {
  /** Undefined while nothing is watched. */
  readonly view: LiveView | undefined;
  /** The newest last, as many as a person looks at. */
  readonly noted: readonly NotedEvent[];
  /** Calls back whenever something was drawn onto a channel's screen. Returns how to stop it. */
  readonly onDrawn: (listener: (channel: WatchedChannel) => void) => () => void;
}

const MOST_NOTED = 200;
/** Many things may happen in a moment; React is told of them together. */
const TOLD_MILLIS = 100;

/** Watches a session as long as the component is there; not while `session` is undefined. */
export function useLiveView(session: string | undefined): Watched {
  const { transport } = useHost();
  const [view, setView] = useState<LiveView>();
  const [, retell] = useReducer((count: number) => count + 1, 0);
  const drawn = useRef(new Set<(channel: WatchedChannel) => void>());
  const noted = useRef<readonly NotedEvent[]>([]);
  const [onDrawn] = useState(() => (listener: (channel: WatchedChannel) => void) => {
    drawn.current.add(listener);
    return () => drawn.current.delete(listener);
  });
  useEffect(() => {
    if (session === undefined) return undefined;
    const listeners = drawn.current;
    let timer: number | undefined;
    const tellSoon = () => {
      timer ??= window.setTimeout(() => {
        timer = undefined;
        retell();
      }, TOLD_MILLIS);
    };
    noted.current = [];
    const opened = new LiveView(
      session,
      transport,
      { now: () => performance.now(), wall: () => Date.now(), soon: runSoon },
      {
        changed: retell,
        drawn: (channel) => {
          for (const listener of listeners) listener(channel);
        },
        noted: ({ channel }, note) => {
          noted.current = [...noted.current.slice(1 - MOST_NOTED), { channel, note, at: Date.now() }];
          tellSoon();
        },
      },
    );
    setView(opened);
    return () => {
      window.clearTimeout(timer);
      setView(undefined);
      opened.close();
    };
  }, [session, transport]);
  return { view: session === undefined ? undefined : view, noted: noted.current, onDrawn };
}

/** Sooner than a timer, which a window in the background gets once a second, and after what else waits. */
function runSoon(run: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.addEventListener(
    'message',
    () => {
      port1.close();
      run();
    },
    { once: true },
  );
  port1.start();
  port2.postMessage(undefined);
}
