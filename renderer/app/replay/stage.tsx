import { Button } from '@mantine/core';
import { IconPlayerPlayFilled } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import '../design/terminal.css';
import type { Damage } from '../../../contract/replay/timeline.ts';
import { printable } from '../../bundle-page/interface/printable.ts';
import { setText } from '../../dom/element.ts';
import { length } from '../design/format.ts';
import type { Playback } from './playback.ts';
import classes from './replay.module.css';

/** Only what takes long is spoken of. */
const UNDERWAY_MILLIS = 250;

/**
 * The screen, and what is to be said of it at this moment: that something is missing here, or was before, that it is on its
 * way somewhere. All of it changes with the frames, not with React.
 */
export function Stage({ playback, reached, retry, fresh }: { playback: Playback; reached: boolean; retry: () => void; fresh: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const gap = useRef<HTMLDivElement>(null);
  const after = useRef<HTMLDivElement>(null);
  const underway = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { node } = playback.painter;
    // It can be scrolled back, so it can be reached.
    node.tabIndex = 0;
    node.setAttribute('role', 'group');
    place.current?.prepend(node);
    playback.wake();
    const observer = new ResizeObserver(() => playback.wake());
    observer.observe(node);
    return () => {
      observer.disconnect();
      node.remove();
    };
  }, [playback]);
  useEffect(() => {
    let waitingSince: number | undefined;
    return playback.onFrame(() => {
      const { position, timeline, outline, underway: share } = playback.player;
      const here = timeline.damage.find(({ from, to }) => position >= from && position <= to);
      const before = here === undefined ? timeline.damage.findLast(({ to }) => to < position) : undefined;
      tell(gap.current, here === undefined ? '' : `Missing here${whenOf(here, outline.duration)}. ${printable(here.words)}`);
      tell(
        after.current,
        before === undefined
          ? ''
          : `Missing before this moment, so the screen may not be whole${whenOf(before, outline.duration)}. ${printable(before.words)}`,
      );
      const now = performance.now();
      waitingSince = share === undefined ? undefined : (waitingSince ?? now);
      const long = waitingSince !== undefined && now - waitingSince >= UNDERWAY_MILLIS;
      tell(underway.current, long && share !== undefined ? `Going there, ${Math.floor(share * 100)} %` : '');
    });
  }, [playback]);
  return (
    <div className={classes.stage} ref={place}>
      {fresh && (
        <button type="button" className={classes.start} aria-label="Play the recording" onClick={() => playback.toggle()}>
          <IconPlayerPlayFilled size={24} />
        </button>
      )}
      <div ref={underway} className={classes.underway} role="status" hidden />
      <div className={classes.notices}>
        {!reached && (
          <div className={classes.unreached} role="status">
            The gateway does not answer. What is loaded plays on; the rest comes when it answers again.
            <Button size="compact-xs" onClick={retry}>
              Try now
            </Button>
          </div>
        )}
        <div ref={gap} className={classes.gap} role="status" hidden />
        <div ref={after} className={classes.after} hidden />
      </div>
    </div>
  );
}

function whenOf({ from, to }: Damage, duration: number): string {
  const tenths = duration < 60_000_000;
  return to > from ? `, ${length(from, tenths)} to ${length(to, tenths)}` : `, at ${length(from, tenths)}`;
}

function tell(node: HTMLElement | null, words: string): void {
  if (node === null) return;
  node.hidden = words === '';
  setText(node, words);
}
