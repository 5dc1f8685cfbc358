import { ActionIcon, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCopy } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type MouseEvent, useEffect, useMemo, useRef, useState } from 'react';
import { printable } from '../../../bundle-page/interface/printable.ts';
import { counting, length } from '../../design/format.ts';
import { useHost } from '../../host/host-context.tsx';
import type { Playback } from '../playback.ts';
import { copied, endOf, filterLines, type Line, lineAt } from '../transcript.ts';
import classes from './transcript.module.css';

const ROW = 28;
/** Whoever has scrolled reads there, and is not taken back at once. */
const READING_MILLIS = 4000;

const keepFocus = (event: MouseEvent) => event.preventDefault();

/** What happened on the channel. A click goes there; while it plays, the line that is shown is in sight. */
export function TranscriptPanel({ playback, lines }: { playback: Playback; lines: readonly Line[] }) {
  const host = useHost();
  const [words, setWords] = useState('');
  const shown = useMemo(() => filterLines(lines, words), [lines, words]);
  const scroller = useRef<HTMLDivElement>(null);
  const scrolledAt = useRef(Number.NEGATIVE_INFINITY);
  const [here, setHere] = useState(-1);
  const rows = useVirtualizer({ count: shown.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 });
  useEffect(() => playback.onFrame(() => setHere(lineAt(shown, playback.player.position))), [playback, shown]);
  useEffect(() => {
    if (here >= 0 && performance.now() - scrolledAt.current > READING_MILLIS) rows.scrollToIndex(here, { align: 'auto' });
  }, [here, rows]);
  const tenths = playback.player.outline.duration < 60_000_000;
  const copy = () => {
    host.copy(copied(shown, (at) => length(at, true))).then(
      () => notifications.show({ message: `${counting(shown.length, 'line')} copied` }),
      () => notifications.show({ message: 'The clipboard is not to be had here', color: 'red' }),
    );
  };
  return (
    <div className={classes.panel}>
      <div className={classes.tools}>
        <TextInput
          className={classes.filter ?? ''}
          aria-label="Filter the transcript"
          placeholder={`Filter ${counting(lines.length, 'line')}`}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
          spellCheck={false}
        />
        <ActionIcon variant="subtle" aria-label="Copy these lines" onClick={copy} disabled={shown.length === 0}>
          <IconCopy size={15} />
        </ActionIcon>
      </div>
      {shown.length === 0 && (
        <p className={classes.empty} role="status">
          {lines.length === 0
            ? 'No command, file or decision is known of this channel. What stood on its screen can be searched.'
            : 'No line has these words.'}
        </p>
      )}
      <div
        ref={scroller}
        className={classes.scroller}
        onWheel={() => {
          scrolledAt.current = performance.now();
        }}
      >
        <div className={classes.rows} role="list" aria-label="Transcript" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const line = shown[index];
            return line === undefined ? undefined : (
              <Row
                key={line.key}
                line={line}
                top={start}
                current={index === here}
                position={index + 1}
                of={shown.length}
                time={length(line.at, tenths)}
                go={() => playback.seek(line.at)}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Row({
  line: { sort, text, more, command, by },
  top,
  current,
  position,
  of,
  time,
  go,
}: {
  line: Line;
  top: number;
  current: boolean;
  position: number;
  of: number;
  time: string;
  go: () => void;
}) {
  const end = command === undefined ? undefined : endOf(command);
  const whole = printable(command?.text ?? text);
  return (
    <div role="listitem" className={classes.place} style={{ transform: `translateY(${top}px)` }} aria-posinset={position} aria-setsize={of}>
      <button
        type="button"
        className={classes.row}
        data-sort={sort}
        aria-current={current || undefined}
        title={lengthOf(command) === undefined ? whole : `${whole}\n\nran ${lengthOf(command)}`}
        onMouseDown={keepFocus}
        onClick={go}
      >
        <span className={`${classes.at} mono`}>{time}</span>
        <span className={`${classes.text} ${sort === 'note' ? '' : 'mono'}`}>
          {sort === 'note' && <span className={classes.sort}>note </span>}
          {printable(text)}
          {more > 0 && <span className="faint"> ⏎ {counting(more, 'more line')}</span>}
        </span>
        {end !== undefined && (
          <span className={classes.end} data-tone={end.tone} title={end.title}>
            {end.words}
          </span>
        )}
        {by !== undefined && <span className={classes.end}>{by}</span>}
      </button>
    </div>
  );
}

function lengthOf(command: Line['command']): string | undefined {
  return command?.until === undefined ? undefined : `${((command.until - command.at) / 1e6).toFixed(1)} s`;
}
