import type { Connection } from './connection.ts';
import type { RecordRow } from './records-table.ts';

/** Places in the ledger (`seq`, from 1), both ends included; nothing when `first` is behind `last`. */
export interface SeqRange {
  first: number;
  last: number;
}

/**
 * Finds where in the ledger a period is. Ids begin with the milliseconds of their record's time (UUIDv7), so the index
 * of ids is one of times. Whoever asks has to look at the records themselves: this is only where to begin.
 */
export class PeriodIndex {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The place of the newest record, 0 when there is none. */
  async newest(): Promise<number> {
    const row = await this.#connection.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM records');
    return row?.seq ?? 0;
  }

  /**
   * From the first to the last record up to `newest` whose id is in [from, to), and whatever lies between them and their
   * neighbours in time: where the clock was set, records of other times are among them. The plus signs keep SQLite from
   * walking through the records themselves, in the order of the ledger, to where the period begins.
   */
  async range(from: string | undefined, to: string | undefined, newest: number): Promise<SeqRange> {
    const row = await this.#connection.get<{ least: number | null; most: number | null; before: number | null; behind: number | null }>(
      `SELECT
         (SELECT min(+seq) FROM records WHERE id >= ?1 AND id < ?2 AND +seq <= ?3) AS least,
         (SELECT max(+seq) FROM records WHERE id >= ?1 AND id < ?2 AND +seq <= ?3) AS most,
         (SELECT seq FROM records WHERE id < ?1 AND +seq <= ?3 ORDER BY id DESC LIMIT 1) AS before,
         (SELECT seq FROM records WHERE id >= ?2 AND +seq <= ?3 ORDER BY id LIMIT 1) AS behind`,
      [from ?? '', to ?? '~', newest],
    );
    const first = Math.min(row?.least ?? Number.POSITIVE_INFINITY, (row?.before ?? 0) + 1);
    const last = Math.max(row?.most ?? 0, (row?.behind ?? newest + 1) - 1);
    return { first: Math.max(1, first), last };
  }

  /** The place of the first record of each of these times (milliseconds since 1970) or later; undefined where there is none. */
  async placesOfTimes(times: readonly number[]): Promise<(number | undefined)[]> {
    const rows = await this.#connection.all<{ seq: number | null }>(
      `SELECT (SELECT seq FROM records WHERE id >= t.value ORDER BY id LIMIT 1) AS seq FROM json_each(?) t ORDER BY t.key`,
      [JSON.stringify(times.map(idOfTime))],
    );
    return rows.map(({ seq }) => seq ?? undefined);
  }

  /** The newest record of each of these types before a place, oldest first. They belong to no session. */
  async latest(types: readonly string[], before: number): Promise<RecordRow[]> {
    const rows: RecordRow[] = [];
    for (const type of types) {
      const row = await this.#connection.get<RecordRow>(
        `SELECT seq, id, time, type, session, hash, bytes FROM records
         WHERE type = ? AND session IS NULL AND seq < ? ORDER BY seq DESC LIMIT 1`,
        [type, before],
      );
      if (row !== undefined) rows.push(row);
    }
    return rows.sort((a, b) => a.seq - b.seq);
  }

  /** Records of a type that belong to no session, after a place. */
  ofType(type: string, after: number, limit: number): Promise<RecordRow[]> {
    return this.#connection.all<RecordRow>(
      `SELECT seq, id, time, type, session, hash, bytes FROM records
       WHERE type = ? AND session IS NULL AND seq > ? ORDER BY seq LIMIT ?`,
      [type, after, limit],
    );
  }

  /**
   * Sessions opened before a place in the ledger that may not have been over at a time, after `after`. When one ended
   * that was recovered is not known exactly, so all of those are among them.
   */
  sessionsInto(before: number, time: string, after: number, limit: number): Promise<{ seq: number; id: string }[]> {
    return this.#connection.all<{ seq: number; id: string }>(
      `SELECT seq, id FROM sessions
       WHERE seq > ? AND seq < ? AND (ended IS NULL OR ended >= ? OR state = 'recovered') ORDER BY seq LIMIT ?`,
      [after, before, time, limit],
    );
  }
}

/** How the ids (UUIDv7, RFC 9562 section 5.7) of a millisecond begin. */
function idOfTime(millis: number): string {
  const hex = Math.max(0, millis).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
