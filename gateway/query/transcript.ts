import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import type { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { Database } from '../store/database.ts';
import { channelItems } from './channel-items.ts';
import { type CastPart, readCast } from './read-cast.ts';
import type { TranscriptItem } from './transcript-item.ts';
import { DERIVED_WORDS, linesOf } from './transcript-text.ts';

type WhenDamaged = (error: SallyportError) => void;

/** Where the recording of a channel comes from. */
export type PartsOf = (channel: number) => AsyncIterable<CastPart>;

/**
 * A session as plain text, in the order of time over all its channels: a heading, then their commands with what they
 * gave out beneath, with a heading of their own wherever another channel takes over. Yields one line or more at a time, with their line feeds. Memory: the
 * lines of one event for each channel that is open at the moment. Damage stands in its place in the text, and `whenDamaged` is told.
 */
export function transcript(
  database: Database,
  session: SessionRow,
  channels: readonly ChannelRow[],
  whenDamaged: WhenDamaged = () => undefined,
): AsyncGenerator<string> {
  return transcriptOf(session, channels, (channel) => readCast(database, session.id, channel), whenDamaged);
}

/** The same of recordings from anywhere. */
export async function* transcriptOf(
  session: SessionRow,
  channels: readonly ChannelRow[],
  partsOf: PartsOf,
  whenDamaged: WhenDamaged = () => undefined,
): AsyncGenerator<string> {
  yield `${sessionHeading(session)}\n${channels.some(hasTerminal) ? `${DERIVED_WORDS}\n` : ''}`;
  let current: number | undefined;
  const byNumber = new Map(channels.map((channel) => [channel.channel, channel]));
  for await (const items of inOrder(channels, partsOf, whenDamaged)) {
    let text = '';
    for (const item of items) {
      const lines = linesOf(item);
      if (lines === undefined) continue;
      if (item.channel !== current) {
        const channel = byNumber.get(item.channel);
        text += `\n--- channel ${item.channel}${channel === undefined ? '' : `, ${printable(channel.kind)}`}, ${instant(item.at)}\n`;
        current = item.channel;
      }
      text += `${lines}\n`;
    }
    yield text;
  }
  if (session.state === 'erased') yield `\n[erased: ${printable(session.reason ?? '')}]\n`;
  else if (session.ended === null) yield '\n[no end of this session is recorded yet]\n';
  else yield `\n[ended ${session.ended.slice(0, 19).replace('T', ' ')} UTC: ${printable(session.reason ?? '')}]\n`;
}

interface Source {
  batches: AsyncGenerator<TranscriptItem[]>;
  batch: TranscriptItem[];
  /** Of the item in the batch that comes next; there is always one. */
  next: number;
}

/** Merges the channels by time. A channel is only opened when the others have come to the time when it began. */
export async function* inOrder(
  channels: readonly ChannelRow[],
  partsOf: PartsOf,
  whenDamaged: WhenDamaged,
): AsyncGenerator<readonly TranscriptItem[]> {
  const waiting = [...channels].sort((a, b) => a.channel - b.channel);
  const running: Source[] = [];
  try {
    for (;;) {
      const first = earliest(running);
      const coming = waiting[0];
      const opens = coming === undefined ? Number.POSITIVE_INFINITY : Date.parse(coming.opened) * 1000;
      if (coming !== undefined && (first === undefined || opens <= timeOf(first))) {
        waiting.shift();
        const batches = channelItems(partsOf(coming.channel), coming, whenDamaged);
        const step = await batches.next();
        if (step.done !== true) running.push({ batches, batch: step.value, next: 0 });
        continue;
      }
      if (first === undefined) return;
      // Alone, and as long as no other channel opens, all lines of an event come at once: there may be millions.
      const alone = running.length === 1 && (first.batch.at(-1)?.at ?? 0) < opens;
      const end = alone ? first.batch.length : first.next + 1;
      yield first.batch.slice(first.next, end);
      first.next = end;
      if (end < first.batch.length) continue;
      const step = await first.batches.next();
      if (step.done === true) running.splice(running.indexOf(first), 1);
      else Object.assign(first, { batch: step.value, next: 0 });
    }
  } finally {
    for (const source of running) await source.batches.return(undefined);
  }
}

/** Where commands may be typed. */
function hasTerminal({ kind, detail }: ChannelRow): boolean {
  return kind === 'shell' || detail.terminal === true;
}

function earliest(sources: readonly Source[]): Source | undefined {
  let first: Source | undefined;
  for (const source of sources) if (first === undefined || timeOf(source) < timeOf(first)) first = source;
  return first;
}

function timeOf({ batch, next }: Source): number {
  return batch[next]?.at ?? Number.POSITIVE_INFINITY;
}

function sessionHeading(session: SessionRow): string {
  if (session.state === 'erased')
    return `Session ${session.id}, erased\nat ${printable(session.target)} over ${printable(session.protocol)}, ${session.started.slice(0, 19).replace('T', ' ')} UTC`;
  const who = session.onBehalfOf === null ? session.principal : `${session.principal} for ${session.onBehalfOf}`;
  return `Session ${session.id}\n${printable(who)} at ${printable(session.target)} over ${printable(session.protocol)} from ${printable(session.source)}, ${session.started.slice(0, 19).replace('T', ' ')} UTC`;
}

function instant(micros: number): string {
  return `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
