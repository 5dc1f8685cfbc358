import type { Command } from '../../contract/replay/part.ts';
import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import type { SallyportError } from '../base/errors.ts';
import type { Database } from '../store/database.ts';
import { readCast } from './read-cast.ts';
import { inOrder } from './transcript.ts';
import type { TranscriptItem } from './transcript-item.ts';

/** Characters that are kept of each stream of a command. */
const MOST_OUTPUT = 64 * 1024;

/** Times are ISO 8601 in UTC. */
export type TranscriptRecord =
  | { type: 'session'; session: string; state: string; principal: string; onBehalfOf: string | null; target: string; started: string }
  | {
      type: 'command';
      channel: number;
      how: Command['how'];
      at: string;
      until: string | null;
      exit: number | null;
      command: string;
      output: string;
      errors: string;
      input: string;
      truncated: boolean;
    }
  | { type: 'text'; channel: number; at: string; stream: 'output' | 'errors' | 'input'; text: string }
  | { type: 'note' | 'damage'; channel: number; at: string; text: string }
  | { type: 'end'; at: string | null; reason: string | null };

interface Open {
  command: Command;
  since: number;
  kept: { output: string; errors: string; input: string };
  truncated: boolean;
}

const streams = { o: 'output', e: 'errors', i: 'input' } as const;

/**
 * A session as objects: each command when it is over, with what it gave out, and in the order of time what belongs to
 * none. Output within a nested command is only that one's. Memory: what is kept of the commands that are not over.
 */
export async function* transcriptRecords(
  database: Database,
  session: SessionRow,
  channels: readonly ChannelRow[],
  whenDamaged: (error: SallyportError) => void,
): AsyncGenerator<TranscriptRecord[]> {
  const { id, state, principal, onBehalfOf, target, started, ended, reason } = session;
  yield [{ type: 'session', session: id, state, principal, onBehalfOf, target, started }];
  const open = new Map<number, Open[]>();
  for await (const items of inOrder(channels, (channel) => readCast(database, id, channel), whenDamaged)) {
    const records: TranscriptRecord[] = [];
    for (const item of items) {
      const commands = open.get(item.channel) ?? [];
      open.set(item.channel, commands);
      const record = take(item, commands);
      if (record !== undefined) records.push(record);
    }
    if (records.length > 0) yield records;
  }
  yield [{ type: 'end', at: ended, reason }];
}

function take(item: TranscriptItem, commands: Open[]): TranscriptRecord | undefined {
  const { channel } = item;
  const at = iso(item.at);
  switch (item.kind) {
    case 'began':
      if (!item.added)
        commands.push({ command: item.command, since: item.since, kept: { output: '', errors: '', input: '' }, truncated: false });
      return undefined;
    case 'over': {
      const index = commands.findLastIndex(({ command }) => command === item.command);
      const [over] = index < 0 ? [] : commands.splice(index, 1);
      return over === undefined ? undefined : recordOf(channel, over);
    }
    case 'text': {
      const stream = streams[item.stream];
      const current = commands.at(-1);
      if (current === undefined) return { type: 'text', channel, at, stream, text: item.text };
      const kept = current.kept[stream];
      const room = MOST_OUTPUT - kept.length;
      const line = `${item.text}\n`;
      if (line.length > room) current.truncated = true;
      if (room > 0) current.kept[stream] = kept + line.slice(0, room).toWellFormed();
      return undefined;
    }
    default:
      return { type: item.kind, channel, at, text: item.text };
  }
}

function recordOf(channel: number, { command, since, kept, truncated }: Open): TranscriptRecord {
  const { how, at, until, exit, text } = command;
  return {
    type: 'command',
    channel,
    how,
    at: iso(since),
    until: until === undefined ? null : iso(since + until - at),
    exit: exit ?? null,
    command: text,
    ...kept,
    truncated,
  };
}

function iso(micros: number): string {
  return new Date(Math.floor(micros / 1000)).toISOString();
}
