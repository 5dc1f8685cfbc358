import { Button } from '@mantine/core';
import { useState } from 'react';
import { printable } from '../../../bundle-page/interface/printable.ts';
import { counting, length } from '../../design/format.ts';
import { Tell } from '../../design/labels.tsx';
import type { Playback } from '../playback.ts';
import { FollowedList } from './followed-list.tsx';
import classes from './transcript.module.css';
import { useTextLines } from './use-text-lines.ts';

/** A reader who asks for the text in the middle of a long recording wants it from about there. */
const BEFORE_MICROS = 30_000_000;

/** Every line that stood on the screen, when it was first there: to read, to mark and to copy. */
export function TextPanel({ session, channel, playback }: { session: string; channel: number; playback: Playback }) {
  const [from, setFrom] = useState(() => Math.max(0, Math.floor(playback.player.position) - BEFORE_MICROS));
  const { text, more } = useTextLines(session, channel, from);
  const { lines, loading, over, complete, problem } = text;
  const tenths = playback.player.outline.duration < 60_000_000;
  return (
    <>
      <div className={classes.tools}>
        <span className="muted" role="status">
          {counting(lines.length, 'line')}
          {from > 0 && ` from ${length(from)} on`}
          {!over && ' and more'}
          {loading && ', reading…'}
          {!complete && ', the rest can be read soon'}
        </span>
        {from > 0 && (
          <Button size="compact-xs" onClick={() => setFrom(0)}>
            From the beginning
          </Button>
        )}
      </div>
      {problem !== undefined && (
        <p className={classes.empty} role="alert">
          <Tell tone="deny">{problem.message}</Tell> {problem.remedy}{' '}
          <Button size="compact-xs" onClick={more}>
            Try again
          </Button>
        </p>
      )}
      {over && lines.length === 0 && <p className={classes.empty}>No text stood on this screen{from > 0 ? ' from there on' : ''}.</p>}
      <FollowedList playback={playback} rows={lines} label="Text of the screen" nearEnd={more}>
        {(line, current) => (
          <button
            type="button"
            className={classes.row}
            data-sort="text"
            aria-current={current || undefined}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => playback.seek(line.at)}
          >
            <span className={`${classes.at} mono`}>{length(line.at, tenths)}</span>
            <span className={`${classes.text} mono`}>{printable(line.text)}</span>
          </button>
        )}
      </FollowedList>
    </>
  );
}
