import type { Connection } from './connection.ts';
import type { RecordRow } from './records-table.ts';

/** Where a session's records stand: `seq` of the first and the last one, and how many there are. */
export interface SessionPlace {
  first: number;
  last: number;
  records: number;
}

/** Reads of what a bundle discloses: records up to the one that its checkpoint covers last. */
export class DisclosureTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Records with `seq` above `after` and up to `until` that belong to one of these sessions, or to none, in the order of
   * the ledger. `sessions` is a JSON array of ids.
   */
  records(sessions: string, after: number, until: number, limit: number): Promise<RecordRow[]> {
    return this.#connection.all<RecordRow>(
      `SELECT seq, id, time, type, session, hash, bytes FROM records
       WHERE seq > ? AND seq <= ? AND (session IS NULL OR session IN (SELECT value FROM json_each(?))) ORDER BY seq LIMIT ?`,
      [after, until, sessions, limit],
    );
  }

  /** How many of the records that `records` gives, beginning after `after`, are not erased. */
  async kept(sessions: string, after: number, until: number): Promise<number> {
    const row = await this.#connection.get<{ kept: number }>(
      `SELECT count(*) AS kept FROM records
       WHERE seq > ? AND seq <= ? AND bytes IS NOT NULL AND (session IS NULL OR session IN (SELECT value FROM json_each(?)))`,
      [after, until, sessions],
    );
    return row?.kept ?? 0;
  }

  /** Undefined for a session of which nothing is on record up to `until`. */
  async placeOf(session: string, until: number): Promise<SessionPlace | undefined> {
    const row = await this.#connection.get<{ first: number | null; last: number | null; records: number }>(
      'SELECT min(seq) AS first, max(seq) AS last, count(*) AS records FROM records WHERE session = ? AND seq <= ?',
      [session, until],
    );
    if (row === undefined || row.first === null || row.last === null) return undefined;
    return { first: row.first, last: row.last, records: row.records };
  }
}
