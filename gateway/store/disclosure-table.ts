import type { Connection } from './connection.ts';
import type { RecordRow } from './records-table.ts';

/** Where a session's records stand: `seq` of the first and the last one, and how many there are. */
export interface SessionPlace {
  first: number;
  last: number;
  /** Of the last one that was recorded in it: who looks at a session, or reviews it, may do so long after its end. */
  over: number;
  records: number;
}

/** Records are disclosed of these sessions (a JSON array of ids), and, up to another place, of none. */
export interface DisclosedRange {
  sessions: string;
  /** `seq` of the last record. */
  until: number;
  untilOfNone: number;
}

const disclosed = '((session IS NULL AND seq <= ?) OR session IN (SELECT value FROM json_each(?)))';

/** Reads of what a bundle discloses: records up to the one that its checkpoint covers last. */
export class DisclosureTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Records with `seq` above `after` and up to `until` that belong to one of these sessions, or to none, in the order of
   * the ledger.
   */
  records({ sessions, until, untilOfNone }: DisclosedRange, after: number, limit: number): Promise<RecordRow[]> {
    return this.#connection.all<RecordRow>(
      `SELECT seq, id, time, type, session, hash, bytes FROM records
       WHERE seq > ? AND seq <= ? AND ${disclosed} ORDER BY seq LIMIT ?`,
      [after, until, untilOfNone, sessions, limit],
    );
  }

  /** How many of the records that `records` gives, beginning after `after`, are not erased. */
  async kept({ sessions, until, untilOfNone }: DisclosedRange, after: number): Promise<number> {
    const row = await this.#connection.get<{ kept: number }>(
      `SELECT count(*) AS kept FROM records
       WHERE seq > ? AND seq <= ? AND bytes IS NOT NULL AND ${disclosed}`,
      [after, until, untilOfNone, sessions],
    );
    return row?.kept ?? 0;
  }

  /** Undefined for a session of which nothing is on record up to `until`. */
  async placeOf(session: string, until: number): Promise<SessionPlace | undefined> {
    const row = await this.#connection.get<{ first: number | null; last: number | null; over: number | null; records: number }>(
      `SELECT min(seq) AS first, max(seq) AS last, max(CASE WHEN type LIKE 'access.%' OR type IN ('review.signed', 'review.noted', 'session.reviewed') THEN NULL ELSE seq END) AS over,
              count(*) AS records
       FROM records WHERE session = ? AND seq <= ?`,
      [session, until],
    );
    if (row === undefined || row.first === null || row.last === null) return undefined;
    return { first: row.first, last: row.last, over: row.over ?? row.last, records: row.records };
  }
}
