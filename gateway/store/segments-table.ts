import type { SegmentRow } from '../../contract/session.ts';
import type { Connection } from './connection.ts';
import { member, microsOf, type Projection } from './projection.ts';

export const segmentsProjection: Projection = {
  // A gateway that died between naming a segment and recording it seals that stretch again: the last seal holds.
  'segment.sealed': `
    INSERT INTO segments (session, channel, segment, file, bytes, sha256, from_ns, to_ns, events)
    VALUES (new.session, ${member('body.channel')}, ${member('body.segment')}, ${member('body.file')}, ${member('body.bytes')},
            ${member('body.sha256')}, ${member('body.from')}, ${member('body.to')}, ${member('body.events')})
    ON CONFLICT (session, channel, segment) DO UPDATE
    SET file = excluded.file, bytes = excluded.bytes, sha256 = excluded.sha256, from_ns = excluded.from_ns, to_ns = excluded.to_ns, events = excluded.events;`,
  erased: 'DELETE FROM segments WHERE session = new.session;',
};

/** Segments are numbered from 1. */
export interface SegmentPlace {
  channel: number;
  segment: number;
}

const OF_SESSION = 'FROM segments s JOIN channels c ON c.session = s.session AND c.channel = s.channel WHERE s.session = ?';
const endMicros = `${microsOf('c.opened')} + s.to_ns / 1000`;

const columns = 'session, channel, segment, file, bytes, sha256, from_ns AS "from", to_ns AS "to", events';

export class SegmentsTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** In the order of their numbers. */
  ofChannel(session: string, channel: number): Promise<SegmentRow[]> {
    return this.#connection.all<SegmentRow>(`SELECT ${columns} FROM segments WHERE session = ? AND channel = ? ORDER BY segment`, [
      session,
      channel,
    ]);
  }

  /** Of a channel from a number on, at most so many. */
  from(session: string, channel: number, segment: number, most: number): Promise<SegmentRow[]> {
    return this.#connection.all<SegmentRow>(
      `SELECT ${columns} FROM segments WHERE session = ? AND channel = ? AND segment >= ? ORDER BY segment LIMIT ?`,
      [session, channel, segment, most],
    );
  }

  /** Channels that have segments, in the order in which their sessions began, behind one of them, at most so many. */
  channels(
    after: { readonly session: string; readonly channel: number } | undefined,
    most: number,
  ): Promise<{ session: string; channel: number }[]> {
    return this.#connection.all(
      'SELECT session, channel FROM segments WHERE (session, channel) > (?, ?) GROUP BY session, channel ORDER BY session, channel LIMIT ?',
      [after?.session ?? '', after?.channel ?? 0, most],
    );
  }

  async count(): Promise<number> {
    return (await this.#connection.get<{ n: number }>('SELECT count(*) AS n FROM segments'))?.n ?? 0;
  }

  one(session: string, channel: number, segment: number): Promise<SegmentRow | undefined> {
    return this.#connection.get<SegmentRow>(`SELECT ${columns} FROM segments WHERE session = ? AND channel = ? AND segment = ?`, [
      session,
      channel,
      segment,
    ]);
  }

  /** In the order of channels and segments, behind one of them, at most so many. */
  pageOfSession(session: string, after: SegmentPlace | undefined, limit: number): Promise<SegmentRow[]> {
    return this.#connection.all<SegmentRow>(
      `SELECT ${columns} FROM segments WHERE session = ? AND (channel, segment) > (?, ?) ORDER BY channel, segment LIMIT ?`,
      [session, after?.channel ?? 0, after?.segment ?? 0, limit],
    );
  }

  /** How far a channel is sealed: nanoseconds since it opened. */
  async sealedTo(session: string, channel: number): Promise<number> {
    const row = await this.#connection.get<{ to: number }>(
      'SELECT to_ns AS "to" FROM segments WHERE session = ? AND channel = ? ORDER BY segment DESC LIMIT 1',
      [session, channel],
    );
    return row?.to ?? 0;
  }

  /** The first of a session, in the order of channels. */
  firstOf(session: string, most: number): Promise<SegmentRow[]> {
    return this.#connection.all<SegmentRow>(`SELECT ${columns} FROM segments WHERE session = ? ORDER BY channel, segment LIMIT ?`, [
      session,
      most,
    ]);
  }

  async countOf(session: string): Promise<number> {
    const row = await this.#connection.get<{ n: number }>('SELECT count(*) AS n FROM segments WHERE session = ?', [session]);
    return row?.n ?? 0;
  }

  /** Up to when a session is sealed, in microseconds since 1970; `begun` where nothing of it is. */
  async reached(session: string, begun: number): Promise<number> {
    const row = await this.#connection.get<{ at: number | null }>(`SELECT max(${endMicros}) AS at ${OF_SESSION}`, [session]);
    return row?.at ?? begun;
  }

  /** How many events there were in each of so many equal parts of a time; microseconds since 1970. A segment counts for its middle. */
  async eventsOver(session: string, begin: number, length: number, parts: number): Promise<number[]> {
    const middle = `${microsOf('c.opened')} + (s.from_ns + s.to_ns) / 2000`;
    const rows = await this.#connection.all<{ part: number; events: number }>(
      `SELECT max(0, min(?1 - 1, CAST((${middle} - ?2) * ?1 / ?3 AS INTEGER))) AS part, sum(s.events) AS events
       FROM segments s JOIN channels c ON c.session = s.session AND c.channel = s.channel WHERE s.session = ?4 GROUP BY part`,
      [parts, begin, length, session],
    );
    const events = new Map(rows.map((row) => [row.part, row.events]));
    return Array.from({ length: parts }, (_, part) => events.get(part) ?? 0);
  }

  ofSession(session: string): Promise<SegmentRow[]> {
    return this.#connection.all<SegmentRow>(`SELECT ${columns} FROM segments WHERE session = ? ORDER BY channel, segment`, [session]);
  }
}
