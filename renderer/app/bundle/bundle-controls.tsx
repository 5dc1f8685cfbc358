import { Button, Menu } from '@mantine/core';
import { IconPlayerPauseFilled, IconPlayerPlayFilled } from '@tabler/icons-react';
import { type MouseEvent, useEffect, useRef } from 'react';
import { SPEEDS } from '../../../contract/replay/play-clock.ts';
import { setText } from '../../dom/element.ts';
import { length } from '../design/format.ts';
import type { Playback } from '../replay/playback.ts';
import { usePlaybackState } from '../replay/use-playback.ts';
import classes from './bundle.module.css';

/** A pointer's click leaves the focus where it is, so that Space goes on playing and does not press the button again. */
const keepFocus = (event: MouseEvent) => event.preventDefault();

export function BundleControls({ playback }: { playback: Playback }) {
  const { playing, speed, folding, duration } = usePlaybackState(playback);
  const clock = useRef<HTMLSpanElement>(null);
  const tenths = duration < 60_000_000;
  useEffect(
    () =>
      playback.onFrame(() => {
        if (clock.current !== null) setText(clock.current, length(playback.player.position, tenths));
      }),
    [playback, tenths],
  );
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
        <span className="faint"> / {length(duration, tenths)}</span>
      </span>
      <Menu position="top-start" withinPortal>
        <Menu.Target>
          <Button onMouseDown={keepFocus}>
            <span className="muted">speed</span>&nbsp;{speed}×
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
      <Button onMouseDown={keepFocus} aria-pressed={folding} onClick={() => playback.fold()}>
        <span className="muted">idle</span>&nbsp;{folding ? 'folded' : 'in full'}
      </Button>
      <span className={classes.hints} aria-hidden="true">
        Space play · ←→ 5 s · ⇧←→ mark · [ ] speed · I idle · , . step
      </span>
    </div>
  );
}
