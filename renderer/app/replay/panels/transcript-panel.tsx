import { ActionIcon, SegmentedControl, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCopy } from '@tabler/icons-react';
import { type MouseEvent, useMemo, useState } from 'react';
import { printable } from '../../../bundle-page/interface/printable.ts';
import { counting, length } from '../../design/format.ts';
import { useHost } from '../../host/host-context.tsx';
import type { Playback } from '../playback.ts';
import { copied, endOf, filterLines, type Line } from '../transcript.ts';
import { FollowedList } from './followed-list.tsx';
import { TextPanel } from './text-panel.tsx';
import classes from './transcript.module.css';

const keepFocus = (event: MouseEvent) => event.preventDefault();

type View = 'happened' | 'text';

/** What happened on the channel, or every line of it. A click goes there; what is shown at the moment is in sight. */
export function TranscriptPanel({
  session,
  channel,
  playback,
  lines,
}: {
  session: string;
  channel: number;
  playback: Playback;
  lines: readonly Line[];
}) {
  const [view, setView] = useState<View>('happened');
  return (
    <div className={classes.panel}>
      <SegmentedControl
        className={classes.views ?? ''}
        size="xs"
        aria-label="What is listed"
        value={view}
        onChange={setView}
        data={[
          { value: 'happened', label: 'What happened' },
          { value: 'text', label: 'All text' },
        ]}
      />
      {view === 'text' ? (
        <TextPanel session={session} channel={channel} playback={playback} />
      ) : (
        <Happened playback={playback} lines={lines} />
      )}
    </div>
  );
}

function Happened({ playback, lines }: { playback: Playback; lines: readonly Line[] }) {
  const host = useHost();
  const [words, setWords] = useState('');
  const shown = useMemo(() => filterLines(lines, words), [lines, words]);
  const tenths = playback.player.outline.duration < 60_000_000;
  const copy = () => {
    host.copy(copied(shown, (at) => length(at, true))).then(
      () => notifications.show({ message: `${counting(shown.length, 'line')} copied` }),
      () => notifications.show({ message: 'The clipboard is not to be had here', color: 'red' }),
    );
  };
  return (
    <>
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
          {lines.length === 0 ? 'No command, file or decision is known of this channel.' : 'No line has these words.'}
        </p>
      )}
      <FollowedList playback={playback} rows={shown} label="Transcript">
        {(line, current) => <Row line={line} current={current} time={length(line.at, tenths)} go={() => playback.seek(line.at)} />}
      </FollowedList>
    </>
  );
}

function Row({
  line: { sort, text, more, command, by },
  current,
  time,
  go,
}: {
  line: Line;
  current: boolean;
  time: string;
  go: () => void;
}) {
  const end = command === undefined ? undefined : endOf(command);
  const whole = printable(command?.text ?? text);
  return (
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
  );
}

function lengthOf(command: Line['command']): string | undefined {
  return command?.until === undefined ? undefined : `${((command.until - command.at) / 1e6).toFixed(1)} s`;
}
