import { SallyportError } from '../base/errors.ts';
import type { KeyChange, RecordedHashes } from '../ledger/ledger-storage.ts';
import type { RecordStore, SealedRecord } from '../ledger/records.ts';
import type { Connection } from './connection.ts';
import { INSERT_PACKED, packRecords } from './packed-records.ts';

/** A record as it stands in the database. `seq` is its place in the ledger, from 1. */
export interface RecordRow {
  seq: number;
  id: string;
  time: string;
  type: string;
  session: string | null;
  hash: Uint8Array;
  /** Null once the record is erased. */
  bytes: Uint8Array | null;
}

const columns = 'id, time, type, session, hash, bytes';

/** Of `r`: refusals, and requests for connections that never came about. They belong to no session that there is. */
const REFUSAL = `(r.type IN ('auth.refused', 'session.refused')
  OR r.type IN ('approval.asked', 'approval.decided', 'approval.expired', 'approval.withdrawn', 'grant.used')
     AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = r.session))`;

export class RecordsTable implements RecordStore, RecordedHashes {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** One statement and so one transaction and one sync, projections included (projections.ts). */
  async append(records: readonly SealedRecord[]): Promise<number> {
    const last = await this.#connection.insertPrepared(INSERT_PACKED, packRecords(records));
    return last - records.length;
  }

  async count(): Promise<number> {
    const row = await this.#connection.get<{ count: number }>('SELECT coalesce(max(seq), 0) AS count FROM records');
    return row?.count ?? 0;
  }

  async hashes(from: number, limit: number): Promise<Uint8Array[]> {
    const rows = await this.#connection.all<Pick<RecordRow, 'seq' | 'hash'>>(
      'SELECT seq, hash FROM records WHERE seq > ? ORDER BY seq LIMIT ?',
      [from, limit],
    );
    return rows.map(({ seq, hash }, offset) => {
      if (seq === from + offset + 1 && hash.length === 32) return hash;
      throw new SallyportError(
        'LEDGER_DAMAGED',
        `The ledger is damaged: record ${from + offset} is missing from the database, or not what it was`,
        {
          remedy: 'sallyport verify says what is wrong and where; restore the whole data directory from one backup',
        },
      );
    });
  }

  async keyChanges(): Promise<KeyChange[]> {
    const rows = await this.#connection.all<KeyChange>(`
      SELECT seq - 1 AS "index", type, json_extract(CAST(bytes AS TEXT), '$.body.origin') AS origin,
             json_extract(CAST(bytes AS TEXT), CASE type WHEN 'key.rotated' THEN '$.body.next' ELSE '$.body.key' END) AS "key"
      FROM records WHERE type IN ('ledger.created', 'key.rotated') ORDER BY seq`);
    return rows;
  }

  /** A session's records in the order of the ledger, after `seq`, at most `limit`. */
  ofSession(session: string, after = 0, limit = 1000): Promise<RecordRow[]> {
    return this.#connection.all<RecordRow>(`SELECT seq, ${columns} FROM records WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?`, [
      session,
      after,
      limit,
    ]);
  }

  /** The record at a place, from 1. */
  at(seq: number): Promise<RecordRow | undefined> {
    return this.#connection.get<RecordRow>(`SELECT seq, ${columns} FROM records WHERE seq = ?`, [seq]);
  }

  /** All records in the order of the ledger, after `seq`, at most `limit`. */
  after(seq: number, limit: number): Promise<RecordRow[]> {
    return this.#connection.all<RecordRow>(`SELECT seq, ${columns} FROM records WHERE seq > ? ORDER BY seq LIMIT ?`, [seq, limit]);
  }

  /** Refusals that are not erased, after `seq`, at most `limit`. They belong to no session. */
  refused(after: number, limit: number): Promise<RecordRow[]> {
    return this.#connection.all<RecordRow>(
      `SELECT seq, ${columns} FROM records r WHERE ${REFUSAL} AND bytes IS NOT NULL AND seq > ? ORDER BY seq LIMIT ?`,
      [after, limit],
    );
  }

  /** Refusals that are not erased, and how many of them are older than a time. */
  async countRefused(before: string): Promise<{ records: number; due: number }> {
    const row = await this.#connection.get<{ records: number; due: number }>(
      `SELECT count(*) AS records, coalesce(sum(time < ?), 0) AS due FROM records r WHERE ${REFUSAL} AND bytes IS NOT NULL`,
      [before],
    );
    return row ?? { records: 0, due: 0 };
  }

  /** The policy that was recorded last, if all of its text was. */
  async lastPolicySet(): Promise<string | undefined> {
    const row = await this.#connection.get<{ policySet: string | null }>(
      `SELECT CASE WHEN json_extract(CAST(bytes AS TEXT), '$.body.part') = json_extract(CAST(bytes AS TEXT), '$.body.parts')
              THEN json_extract(CAST(bytes AS TEXT), '$.body.policySet') END AS policySet
       FROM records WHERE type = 'policy.changed' ORDER BY seq DESC LIMIT 1`,
    );
    return row?.policySet ?? undefined;
  }

  /** When the last run of the retention was recorded. */
  async lastRetentionRun(): Promise<string | undefined> {
    const row = await this.#connection.get<{ time: string }>(
      "SELECT time FROM records WHERE type = 'retention.run' ORDER BY seq DESC LIMIT 1",
    );
    return row?.time;
  }

  /**
   * Takes the bytes from the records in these ranges of `seq`, both ends included, as far as they are of this session,
   * or are refusals. Whatever else a range may name stays. One transaction.
   */
  erase(session: string | null, ranges: readonly (readonly [number, number])[]): Promise<void> {
    const own = session === null ? REFUSAL : "r.session = ? AND r.type <> 'erased'";
    return this.#connection.run(
      `UPDATE records SET bytes = NULL WHERE bytes IS NOT NULL AND seq IN (
         SELECT r.seq FROM json_each(?) range CROSS JOIN records r
         WHERE r.seq BETWEEN json_extract(range.value, '$[0]') AND json_extract(range.value, '$[1]') AND ${own})`,
      [JSON.stringify(ranges), ...(session === null ? [] : [session])],
    );
  }
}
