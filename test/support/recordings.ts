import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import { readCast } from '../../gateway/query/read-cast.ts';
import type { Database } from '../../gateway/store/database.ts';
import { type Cast, difference, exactBytes, fromBytes, type Piece, parseCast, rebuild, type Stream } from './cast.ts';
import { sallyport } from './gateway.ts';
import { until } from './wait.ts';

/** One channel as the gateway keeps it, read back through its command line. */
export interface Recording {
  session: string;
  channel: number;
  row: ChannelRow;
  cast: Cast;
  pieces: Record<Stream, Piece[]>;
  /** The exact bytes of a stream. */
  bytes(stream: Stream): Buffer;
  /** Undefined when the stream is exactly these bytes (told by digest where only that is kept). */
  difference(stream: Stream, bytes: Uint8Array): string | undefined;
}

/** Sessions of one principal, the oldest first. */
export async function sessionsOf(data: string, principal: string): Promise<SessionRow[]> {
  const rows = await jsonLines<SessionRow>(['sessions', '--json', '--data', data, '--principal', principal]);
  return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Waits until this principal had so many sessions and they all ended; gives them, the oldest first. */
export function endedSessions(data: string, principal: string, atLeast = 1): Promise<SessionRow[]> {
  return until(
    `${atLeast} ended sessions of ${principal}`,
    async () => {
      const rows = await sessionsOf(data, principal);
      return rows.length >= atLeast && rows.every((row) => row.state !== 'live') ? rows : undefined;
    },
    { everyMs: 200, withinMs: 20_000 },
  );
}

/** The one ended session of a principal that connects only once. */
export async function onlySession(data: string, principal: string): Promise<SessionRow> {
  const rows = await endedSessions(data, principal);
  if (rows.length !== 1 || rows[0] === undefined) throw new Error(`${principal} has ${rows.length} sessions, not one`);
  return rows[0];
}

export async function channelsOf(data: string, session: string): Promise<ChannelRow[]> {
  const shown = await sallyport(['show', session, '--json', '--data', data]);
  if (shown.status !== 0) throw new Error(`sallyport show ${session}: ${shown.stderr}`);
  return (JSON.parse(shown.stdout.toString()) as { channels: ChannelRow[] }).channels;
}

/** Exports one channel as asciicast v3 and parses it. */
export async function castOf(data: string, session: string, channel = 0): Promise<Cast> {
  const exported = await sallyport(['cast', `${session}/${channel}`, '--data', data], { timeoutMs: 120_000 });
  if (exported.status !== 0) throw new Error(`sallyport cast ${session}/${channel} exited ${exported.status}: ${exported.stderr}`);
  return parseCast(exported.stdout.toString());
}

/** The same read in this process, for tests that read hundreds. Throws when a part is damaged. */
export async function storedCast(database: Database, session: string, channel = 0): Promise<Cast> {
  let text = '';
  for await (const part of readCast(database, session, channel)) {
    if (part.kind === 'damage') throw part.error;
    text += part.line;
  }
  return parseCast(text);
}

/** One channel, exported and taken apart. */
export async function recordingOf(data: string, session: string, channel = 0): Promise<Recording> {
  const [rows, cast] = await Promise.all([channelsOf(data, session), castOf(data, session, channel)]);
  const row = rows.find((each) => each.channel === channel);
  if (row === undefined) throw new Error(`session ${session} has no channel ${channel}`);
  const pieces = rebuild(cast);
  return {
    session,
    channel,
    row,
    cast,
    pieces,
    bytes: (stream) => exactBytes(pieces[stream]),
    difference: (stream, bytes) => difference(pieces[stream], fromBytes(bytes)),
  };
}

/** The recording of the one channel of the one session of a principal. */
export async function onlyRecording(data: string, principal: string): Promise<Recording> {
  return recordingOf(data, (await onlySession(data, principal)).id);
}

async function jsonLines<T>(args: readonly string[]): Promise<T[]> {
  const done = await sallyport(args);
  if (done.status !== 0) throw new Error(`sallyport ${args.join(' ')} exited ${done.status}: ${done.stderr}`);
  return done.stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
