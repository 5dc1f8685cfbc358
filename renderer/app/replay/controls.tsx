import { Button, Menu } from '@mantine/core';
import { IconMaximize, IconPlayerPauseFilled, IconPlayerPlayFilled, IconSearch, IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { type MouseEvent, useEffect, useRef } from 'react';
import { SPEEDS } from '../../../contract/replay/play-clock.ts';
import { setText } from '../../dom/element.ts';
import { length } from '../design/format.ts';
import type { Playback } from './playback.ts';
import classes from './replay.module.css';
import { usePlaybackState } from './use-playback.ts';

/** A pointer's click leaves the focus where it is, so that Space goes on playing and does not press the button again. */
const keepFocus = (event: MouseEvent) => event.preventDefault();

export function Controls({ playback, find, full }: { playback: Playback; find: () => void; full: () => void }) {
  const { playing, following, live, speed, folding, grown, tiny, readable } = usePlaybackState(playback);
  const clock = useRef<HTMLSpanElement>(null);
  const end = useRef<HTMLSpanElement>(null);
  useEffect(
    () =>
      playback.onFrame(() => {
        const { position, outline } = playback.player;
        const tenths = outline.duration < 60_000_000;
        if (clock.current !== null) setText(clock.current, length(position, tenths));
        if (end.current !== null) setText(end.current, length(outline.duration, tenths));
      }),
    [playback],
  );
  const folded = foldedTime(playback, grown);
  return (
    <div className={classes.controls} role="toolbar" aria-label="Playing">
      <Button
        className={classes.play ?? ''}
        onMouseDown={keepFocus}
        aria-label={playing ? 'Pause' : 'Play'}
        onClick={() => playback.toggle()}
      >
        {playing ? <IconPlayerPauseFilled size={15} /> : <IconPlayerPlayFilled size={15} />}
      </Button>
      <span className={`${classes.clock} mono`}>
        <span ref={clock} />
        <span className="faint">
          {' / '}
          <span ref={end} />
        </span>
      </span>
      {live && (
        <Button
          className={classes.live ?? ''}
          data-following={following || undefined}
          onMouseDown={keepFocus}
          onClick={() => playback.toLive()}
          title={following ? 'What is recorded is shown as it comes' : 'To what is happening now'}
        >
          <span className={classes.dot} />
          {following ? 'live' : 'jump to live'}
        </Button>
      )}
      <Menu position="top-start" withinPortal={false}>
        <Menu.Target>
          <Button onMouseDown={keepFocus} aria-label={`Speed ${speed}×`}>
            <span className={`muted ${classes.word}`}>speed&nbsp;</span>
            {speed}×
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {SPEEDS.map((each) => (
            <Menu.Item key={each} onClick={() => playback.setSpeed(each)} aria-current={each === speed || undefined}>
              {each}×
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Button onMouseDown={keepFocus} aria-pressed={folding} onClick={() => playback.fold()} disabled={folded === 0}>
        <span className={`muted ${classes.word}`}>idle&nbsp;</span>
        {folded === 0 ? 'none' : folding ? `folded ${length(folded)}` : 'in full'}
      </Button>
      <Button onMouseDown={keepFocus} onClick={find} aria-label="Find on this screen" title="Find on this screen (Ctrl F)">
        <IconSearch size={13} />
        <span className={classes.word}>&nbsp;find</span>
      </Button>
      {tiny && (
        <Button
          className={classes.icon ?? ''}
          onMouseDown={keepFocus}
          onClick={() => playback.toggleReadable()}
          aria-label={readable ? 'Show the whole screen' : 'Make the text large enough to read'}
          title={readable ? 'The whole screen (Z)' : 'This screen was larger than yours: make its text large enough to read (Z)'}
        >
          {readable ? <IconZoomOut size={15} /> : <IconZoomIn size={15} />}
        </Button>
      )}
      <span className={classes.hints} aria-hidden="true">
        Space play · ←→ 5 s · ⇧←→ mark · C link · ? all keys
      </span>
      <Button className={classes.icon ?? ''} onMouseDown={keepFocus} aria-label="Full screen" title="Full screen (F)" onClick={full}>
        <IconMaximize size={15} />
      </Button>
    </div>
  );
}

/** How much idle time there is to fold, microseconds. `grown`: of a recording that has become another one meanwhile. */
function foldedTime({ player: { playTime, outline, folding } }: Playback, _grown: number): number {
  if (folding) return outline.duration - playTime.duration;
  return outline.idle.some(({ from, to }) => to - from > 2_000_000) ? outline.duration : 0;
}
