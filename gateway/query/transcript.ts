import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import type { SallyportError } from '../base/errors.ts';
import type { Database } from '../store/database.ts';
import { channelTranscript, type TranscriptLine } from './channel-transcript.ts';
import { printable } from './printable.ts';
import { type CastPart, readCast } from './read-cast.ts';

type WhenDamaged = (error: SallyportError) => void;

/** Where the recording of a channel comes from. */
type PartsOf = (channel: number) => AsyncIterable<CastPart>;

/**
 * A session as plain text, in the order of time over all its channels: a heading, then their lines, with a heading of
 * their own wherever another channel takes over. Yields lines with their line feed. Memory: one line per channel that
 * is open at the moment. Damage stands in its place in the text, and `whenDamaged` is told.
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
  yield `${sessionHeading(session)}\n`;
  let current: number | undefined;
  const byNumber = new Map(channels.map((channel) => [channel.channel, channel]));
  for await (const line of inOrder(channels, partsOf, whenDamaged)) {
    if (line.channel !== current) {
      const channel = byNumber.get(line.channel);
      yield `\n--- channel ${line.channel}${channel === undefined ? '' : `, ${printable(channel.kind)}`}, ${instant(line.at)}\n`;
      current = line.channel;
    }
    yield `${line.text}\n`;
  }
  if (session.state === 'erased') yield `\n[erased: ${printable(session.reason ?? '')}]\n`;
  else if (session.ended === null) yield '\n[no end of this session is recorded yet]\n';
  else yield `\n[ended ${session.ended.slice(0, 19).replace('T', ' ')} UTC: ${printable(session.reason ?? '')}]\n`;
}

interface Source {
  lines: AsyncGenerator<TranscriptLine>;
  next: TranscriptLine;
}

/** Merges the channels by time. A channel is only opened when the others have come to the time when it began. */
async function* inOrder(channels: readonly ChannelRow[], partsOf: PartsOf, whenDamaged: WhenDamaged): AsyncGenerator<TranscriptLine> {
  const waiting = [...channels].sort((a, b) => a.channel - b.channel);
  const running: Source[] = [];
  try {
    for (;;) {
      const first = earliest(running);
      const coming = waiting[0];
      if (coming !== undefined && (first === undefined || Date.parse(coming.opened) * 1000 <= first.next.at)) {
        waiting.shift();
        const lines = channelTranscript(partsOf(coming.channel), coming, whenDamaged);
        const step = await lines.next();
        if (step.done !== true) running.push({ lines, next: step.value });
        continue;
      }
      if (first === undefined) return;
      yield first.next;
      const step = await first.lines.next();
      if (step.done === true) running.splice(running.indexOf(first), 1);
      else first.next = step.value;
    }
  } finally {
    for (const source of running) await source.lines.return(undefined);
  }
}

function earliest(sources: readonly Source[]): Source | undefined {
  let first: Source | undefined;
  for (const source of sources) if (first === undefined || source.next.at < first.next.at) first = source;
  return first;
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
