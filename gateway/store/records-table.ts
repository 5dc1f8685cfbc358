import type { RecordType } from '../../contract/record.ts';
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

/** Records without a session that say something of people and that nothing else rests on. The index of migrations.ts has these words. */
const PASSING_TYPES = `('auth.refused', 'session.refused', 'operator.login', 'operator.logout', 'access.searched')`;
/** What is recorded of consent. Of a connection that never came about there is nothing else. */
const CONSENT_TYPES = `('approval.asked', 'approval.decided', 'approval.expired', 'approval.withdrawn', 'review.signed', 'grant.used')`;
/** Of `r`: it is of a type that may be erased without its session. That never changes, so an erasure does all that it says. */
const MAY_PASS = `(r.session IS NULL AND r.type IN ${PASSING_TYPES} OR r.session IS NOT NULL AND r.type IN ${CONSENT_TYPES})`;
/**
 * A session did not come about, and will not: nothing was recorded of it since a time, the parameter. Nothing of it waits
 * for anybody, and no session that came about rests on an approval of it, with a grant that was good for more than one use.
 */
const neverConnected = (session: string): string => `(
  NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = ${session})
  AND NOT EXISTS (SELECT 1 FROM approvals a WHERE a.session = ${session} AND (a.state IN ('waiting', 'review')
    OR EXISTS (SELECT 1 FROM connection_grants g JOIN sessions s ON s.id = g.session WHERE g.approval = a.id AND s.state <> 'erased')))
  AND NOT EXISTS (SELECT 1 FROM records l WHERE l.session = ${session} AND l.time >= ?))`;
/** Sessions that consent to a connection was asked for, or used: all that may never have come about. */
const ATTEMPTS = 'SELECT session FROM approvals WHERE connection = 1 UNION SELECT session FROM connection_grants';
/** Those that are not erased. */
const passing = (wanted: string): string => `
  SELECT ${wanted} FROM records WHERE type IN ${PASSING_TYPES} AND session IS NULL AND bytes IS NOT NULL AND seq > ?
  UNION ALL
  SELECT ${wanted} FROM records WHERE bytes IS NOT NULL AND seq > ? AND type IN ${CONSENT_TYPES}
    AND session IN (SELECT t.session FROM (${ATTEMPTS}) t WHERE ${neverConnected('t.session')})`;

/** Records that a policy's text may be in, and some of those of when it came into force before. */
const MOST_POLICY_PARTS = 512;

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

  /** Of a session's records those of some types, in the order of the ledger, after `seq`, at most `limit`. */
  aboutSession(session: string, types: readonly RecordType[], after: number, limit: number): Promise<RecordRow[]> {
    return this.#connection.all<RecordRow>(
      `SELECT seq, ${columns} FROM records
       WHERE session = ? AND seq > ? AND type IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?`,
      [session, after, JSON.stringify(types), limit],
    );
  }

  /** Of a session's records those that say which part of a recording was shown, in the order of the ledger, after `seq`, at most `limit`. */
  shownOfSession(session: string, after: number, limit: number): Promise<RecordRow[]> {
    return this.#connection.all<RecordRow>(
      `SELECT seq, ${columns} FROM records
       WHERE session = ? AND seq > ? AND type = 'access.viewed' AND bytes IS NOT NULL
         -- What is no JSON was made so by somebody, and whoever reads it says so.
         AND CASE WHEN json_valid(CAST(bytes AS TEXT)) THEN json_extract(CAST(bytes AS TEXT), '$.body.to') IS NOT NULL ELSE 1 END
       ORDER BY seq LIMIT ?`,
      [session, after, limit],
    );
  }

  /** The record at a place, from 1. */
  at(seq: number): Promise<RecordRow | undefined> {
    return this.#connection.get<RecordRow>(`SELECT seq, ${columns} FROM records WHERE seq = ?`, [seq]);
  }

  /** All records in the order of the ledger, after `seq`, at most `limit`. */
  after(seq: number, limit: number): Promise<RecordRow[]> {
    return this.#connection.all<RecordRow>(`SELECT seq, ${columns} FROM records WHERE seq > ? ORDER BY seq LIMIT ?`, [seq, limit]);
  }

  /**
   * Those that are not erased, after `seq`, at most `limit`: refusals, log-ins of operators, and the like. `settled` is a
   * time since when nothing may have been recorded of a connection for it to count as one that never came about.
   */
  passing(after: number, limit: number, settled: string): Promise<RecordRow[]> {
    return this.#connection.all<RecordRow>(`${passing(`seq, ${columns}`)} ORDER BY seq LIMIT ?`, [after, after, settled, limit]);
  }

  /** Whether the record at a place is one of them. */
  async isPassing(seq: number, settled: string): Promise<boolean> {
    const own = `(r.session IS NULL OR ${neverConnected('r.session')})`;
    return (await this.#connection.get(`SELECT 1 FROM records r WHERE seq = ? AND ${MAY_PASS} AND ${own}`, [seq, settled])) !== undefined;
  }

  /** How many are not erased, and how many of those are older than a time. */
  async countPassing(before: string, settled: string): Promise<{ records: number; due: number }> {
    const row = await this.#connection.get<{ records: number; due: number }>(
      `SELECT count(*) AS records, coalesce(sum(time < ?), 0) AS due FROM (${passing('time')})`,
      [before, 0, 0, settled],
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

  /** The newest records with the text of a policy, in the order of the ledger; it may have come into force more than once. */
  async ofPolicy(policySet: string): Promise<{ bytes: Uint8Array }[]> {
    const rows = await this.#connection.all<{ bytes: Uint8Array }>(
      `SELECT bytes FROM records WHERE type = 'policy.changed' AND bytes IS NOT NULL
         AND json_extract(CAST(bytes AS TEXT), '$.body.policySet') = ? ORDER BY seq DESC LIMIT ?`,
      [policySet, MOST_POLICY_PARTS],
    );
    return rows.reverse();
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
   * or, without one, of a type that may pass. Whatever else a range may name stays. One transaction.
   */
  erase(session: string | null, ranges: readonly (readonly [number, number])[]): Promise<void> {
    const own = session === null ? MAY_PASS : "r.session = ? AND r.type <> 'erased'";
    return this.#connection.run(
      `UPDATE records SET bytes = NULL WHERE bytes IS NOT NULL AND seq IN (
         SELECT r.seq FROM json_each(?) range CROSS JOIN records r
         WHERE r.seq BETWEEN json_extract(range.value, '$[0]') AND json_extract(range.value, '$[1]') AND ${own})`,
      [JSON.stringify(ranges), ...(session === null ? [] : [session])],
    );
  }
}
