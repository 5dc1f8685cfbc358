import type { ChannelRow, SessionRow } from '../../contract/session.ts';
import { findChannels } from '../../gateway/query/find-channels.ts';
import { findSession } from '../../gateway/query/find-session.ts';
import { findSessions } from '../../gateway/query/find-sessions.ts';
import { readCast } from '../../gateway/query/read-cast.ts';
import { Database } from '../../gateway/store/database.ts';
import { type Cast, difference, exactBytes, fromBytes, type Piece, parseCast, rebuild, type Stream } from './cast.ts';
import { until } from './wait.ts';

/**
 * One channel as the gateway keeps it, read back beside it as the command line does, with the same functions. That the
 * command line prints what they read is for its own tests.
 */
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
  return reading(data, async (database) => {
    const rows: SessionRow[] = [];
    for await (const row of findSessions(database, { principal }, Number.POSITIVE_INFINITY)) rows.push(row);
    return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  });
}

/** Waits until this principal had so many sessions and they all ended; gives them, the oldest first. */
export function endedSessions(data: string, principal: string, atLeast = 1): Promise<SessionRow[]> {
  return until(
    `${atLeast} ended sessions of ${principal}`,
    async () => {
      const rows = await sessionsOf(data, principal);
      return rows.length >= atLeast && rows.every((row) => row.state !== 'live') ? rows : undefined;
    },
    { withinMs: 60_000 },
  );
}

/** The one ended session of a principal that connects only once. */
export async function onlySession(data: string, principal: string): Promise<SessionRow> {
  const rows = await endedSessions(data, principal);
  if (rows.length !== 1 || rows[0] === undefined) throw new Error(`${principal} has ${rows.length} sessions, not one`);
  return rows[0];
}

export async function channelsOf(data: string, session: string): Promise<ChannelRow[]> {
  return reading(data, async (database) => findChannels(database, await findSession(database, session)));
}

/** One channel as asciicast v3, parsed. */
export function castOf(data: string, session: string, channel = 0): Promise<Cast> {
  return reading(data, (database) => storedCast(database, session, channel));
}

/** The same, for tests that read hundreds. Throws when a part is damaged. */
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

async function reading<T>(data: string, read: (database: Database) => Promise<T>): Promise<T> {
  const database = await Database.openForReading(data);
  try {
    return await read(database);
  } finally {
    await database.close();
  }
}
