import { join, resolve } from 'node:path';
import { type Connection, isSqlError } from './connection.ts';
import { DATABASE_FILE, invalid, requireDataDirectory } from './data-directory.ts';
import { LISTED_LENGTH } from './listed-as.ts';
import { COUNTED_SINCE, schemaVersion } from './migrations.ts';
import { openReadOnly } from './open-read-only.ts';
import { createReadViews } from './read-views.ts';
import { NOTHING_COUNTED } from './session-counts.ts';

/**
 * Records in bulk, for whoever has to see all of them: one row of the database holds hundreds. What stands in the
 * database is not trusted: values of another type or size than the gateway writes come as `undefined`.
 */
export interface RecordPage {
  /** Place in the ledger from 1, of each record, ascending. */
  seqs: number[];
  /** Bytes of each record; negative where there are none: see below. */
  lengths: number[];
  /** 32 bytes for each record. Zeros where the column does not hold 32 bytes. */
  hashes: Buffer;
  /** All bytes, one record after the other. */
  bytes: Buffer;
  /** A line for each record, as `listedAs` writes it: what its columns `id`, `time`, `type` and `session` say. */
  columns: string;
}

/** In `lengths`: the record is erased. */
export const ERASED = -1;
/** In `lengths`: there is something, but no bytes of at most 64 KiB. */
export const NO_RECORD = -2;

const MAX_BYTES = 65_536;

const isRecord = `typeof(bytes) = 'blob' AND length(bytes) <= ${MAX_BYTES}`;
const listed = `
  CASE WHEN typeof(id) = 'text' AND typeof(time) = 'text' AND typeof(type) = 'text' AND typeof(session) IN ('text', 'null')
  THEN substr(id || ' ' || time || ' ' || type || ' ' || coalesce(session, '-'), 1, ${LISTED_LENGTH}) ELSE '?' END`;

/** Rows of the projections as they stand in the database, with whatever is in them. */
export type ProjectedRow = Readonly<Record<string, unknown>>;

export interface SessionStanding {
  state: 'known' | 'unknown' | 'erased';
  /** Paths below the data directory. */
  files: Set<string>;
}

/** Reads everything that a data directory's database says, in one state of it, however long that takes. */
export class EvidenceReader {
  readonly directory: string;
  readonly #connection: Connection;

  /** What the list of sessions may not say of an erased one: SQL. */
  readonly #counted: string;

  private constructor(directory: string, connection: Connection, version: number) {
    this.directory = directory;
    this.#connection = connection;
    this.#counted = version < COUNTED_SINCE ? '0' : `NOT (${NOTHING_COUNTED.replaceAll('=', 'IS').replaceAll(',', ' AND')})`;
  }

  /** From here on, what a gateway writes meanwhile is not seen. Throws DATA_DIRECTORY_INVALID or DATA_DIRECTORY_NEWER. */
  static async open(dataDirectory: string): Promise<EvidenceReader> {
    const directory = resolve(dataDirectory);
    await requireDataDirectory(directory);
    let connection: Connection | undefined;
    try {
      connection = await openReadOnly(join(directory, DATABASE_FILE));
      const version = await schemaVersion(connection, directory);
      if (version === 0) throw invalid(directory, 'holds no records yet', 'start a gateway on it first: sallyport serve');
      await createReadViews(connection, version);
      await connection.exec('BEGIN');
      await connection.get('SELECT count(*) FROM sqlite_schema'); // The first read is what fixes the state.
      return new EvidenceReader(directory, connection, version);
    } catch (thrown) {
      await connection?.close();
      if (!isSqlError(thrown, 'SQLITE_NOTADB', 'SQLITE_CORRUPT')) throw thrown;
      throw invalid(directory, `holds a damaged ${DATABASE_FILE}: ${(thrown as Error).message}`, 'restore that file from a backup', thrown);
    }
  }

  /** Undefined when the table is empty. */
  async seqRange(): Promise<{ first: number; last: number } | undefined> {
    const row = await this.#connection.get<{ first: number | null; last: number | null }>(
      'SELECT (SELECT seq FROM records ORDER BY seq LIMIT 1) AS first, (SELECT seq FROM records ORDER BY seq DESC LIMIT 1) AS last',
    );
    return row?.first == null || row.last == null ? undefined : { first: row.first, last: row.last };
  }

  /** Up to `limit` records after `seq`. Empty at the end. Rejects where the database is damaged. */
  async page(after: number, limit: number): Promise<RecordPage> {
    const row = await this.#connection.get<{ places: string | null; hashes: Buffer | null; bytes: Buffer | null; columns: string | null }>(
      `SELECT group_concat(seq || ',' || size) AS places, CAST(group_concat(CAST(hash AS TEXT), '') AS BLOB) AS hashes,
              CAST(group_concat(CAST(bytes AS TEXT), '') AS BLOB) AS bytes, group_concat(listed, char(10)) AS columns
       FROM (
         SELECT seq, ${listed} AS listed, CASE WHEN typeof(hash) = 'blob' AND length(hash) = 32 THEN hash ELSE zeroblob(32) END AS hash,
                CASE WHEN ${isRecord} THEN bytes END AS bytes,
                CASE WHEN bytes IS NULL THEN ${ERASED} WHEN ${isRecord} THEN length(bytes) ELSE ${NO_RECORD} END AS size
         FROM records WHERE seq > ? ORDER BY seq LIMIT ?)`,
      [after, limit],
    );
    const places = JSON.parse(`[${row?.places ?? ''}]`) as number[];
    return {
      seqs: places.filter((_, at) => at % 2 === 0),
      lengths: places.filter((_, at) => at % 2 === 1),
      hashes: row?.hashes ?? Buffer.alloc(0),
      bytes: row?.bytes ?? Buffer.alloc(0),
      columns: row?.columns ?? '',
    };
  }

  /** A session's records after `seq`, at most `limit`: what stands there, and what each is listed as. Empty bytes are none. */
  ofSession(
    session: string,
    after: number,
    limit: number,
  ): Promise<{ seq: number; listed: string; hash: Uint8Array; bytes: Uint8Array | null }[]> {
    return this.#connection.all(
      `SELECT seq, ${listed} AS listed, CASE WHEN typeof(hash) = 'blob' AND length(hash) = 32 THEN hash ELSE zeroblob(32) END AS hash,
              CASE WHEN bytes IS NULL THEN NULL WHEN ${isRecord} THEN bytes ELSE x'' END AS bytes
       FROM records WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?`,
      [session, after, limit],
    );
  }

  /** How many numbers of the ledger have no record. */
  async holes(): Promise<number> {
    const row = await this.#connection.get<{ holes: number }>(
      'SELECT coalesce(max(seq), 0) - count(*) AS holes FROM records WHERE seq > 0',
    );
    return row?.holes ?? 0;
  }

  /** Whose the records at these indexes are: null for one without a session, undefined where there is none. */
  async sessionsAt(indexes: readonly number[]): Promise<(string | null | undefined)[]> {
    const rows = await this.#connection.all<{ index: number; session: string | null }>(
      `SELECT seq - 1 AS "index", CASE typeof(session) WHEN 'text' THEN session END AS session
       FROM records WHERE seq IN (SELECT value + 1 FROM json_each(?))`,
      [JSON.stringify(indexes)],
    );
    const found = new Map(rows.map(({ index, session }) => [index, session]));
    return indexes.map((index) => found.get(index));
  }

  /** For each session that has one before `seq`: where its `session.open` stands, and whether it is erased. */
  opening(session: string, before: number): Promise<{ seq: number; erased: number } | undefined> {
    return this.#connection.get(
      `SELECT seq, bytes IS NULL AS erased FROM records WHERE session = ? AND type = 'session.open' AND seq < ? ORDER BY seq LIMIT 1`,
      [session, before],
    );
  }

  /** The bytes of the session's records of one type after `seq`, in order. */
  async recordsOfType(session: string, type: string, after: number): Promise<{ seq: number; bytes: Uint8Array }[]> {
    return this.#connection.all(
      `SELECT seq, bytes FROM records WHERE session = ? AND type = ? AND seq > ? AND ${isRecord} ORDER BY seq LIMIT 10000`,
      [session, type, after],
    );
  }

  /** The bytes of a session's records of any type after `seq`, in order; null where there are none. */
  recordsOf(session: string, after: number, limit: number): Promise<{ seq: number; bytes: Uint8Array | null }[]> {
    const bytes = `CASE WHEN ${isRecord} THEN bytes END AS bytes`;
    return this.#connection.all(`SELECT seq, ${bytes} FROM records WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?`, [
      session,
      after,
      limit,
    ]);
  }

  /** Rows of the list of sessions, of channels, and the number of segments, of the sessions that are named. */
  async projected(sessions: readonly string[]): Promise<{ sessions: ProjectedRow[]; channels: ProjectedRow[]; segments: ProjectedRow[] }> {
    const named = JSON.stringify(sessions);
    const of = (what: string, table: string, column: string, more = '') =>
      this.#connection.all<ProjectedRow>(
        `SELECT ${what} FROM ${table} WHERE ${table}.${column} IN (SELECT value FROM json_each(?)) ${more}`,
        [named],
      );
    return {
      sessions: await of(
        'session_rows.*, (SELECT target_kind FROM main.sessions s WHERE s.seq = session_rows.seq) AS targetKind',
        'session_rows',
        'id',
      ),
      channels: await of('*', 'channel_rows', 'session'),
      segments: await of('session, count(*) AS count', 'segments', 'session', 'GROUP BY session'),
    };
  }

  /** The rows of these segments, each named by a JSON array of session, channel and number. */
  projectedSegments(segments: readonly (readonly [session: string, channel: number, segment: number])[]): Promise<ProjectedRow[]> {
    return this.#connection.all<ProjectedRow>(
      `SELECT segments.* FROM json_each(?) AS named JOIN segments
       ON segments.session = named.value ->> 0 AND segments.channel = named.value ->> 1 AND segments.segment = named.value ->> 2`,
      [JSON.stringify(segments)],
    );
  }

  /** What the records say of these sessions, and the files that they say are there: segments and their attachments. */
  async standing(sessions: readonly string[]): Promise<Map<string, SessionStanding>> {
    const named = JSON.stringify(sessions);
    const states = await this.#connection.all<{ session: string; opened: number | null; named: number }>(
      `SELECT named.value AS session, EXISTS (SELECT 1 FROM records WHERE session = named.value) AS named,
              (SELECT bytes IS NOT NULL FROM records WHERE session = named.value AND type = 'session.open' ORDER BY seq LIMIT 1) AS opened
       FROM json_each(?) AS named`,
      [named],
    );
    const found = new Map<string, SessionStanding>(
      states.map((row) => [row.session, { state: row.named === 0 ? 'unknown' : row.opened === 0 ? 'erased' : 'known', files: new Set() }]),
    );
    const seals = await this.#connection.all<{ session: string; file: unknown; attachments: string | null }>(
      `SELECT session, json_extract(CAST(bytes AS TEXT), '$.body.file') AS file,
              nullif(json_extract(CAST(bytes AS TEXT), '$.body.attachments'), '[]') AS attachments
       FROM records WHERE session IN (SELECT value FROM json_each(?)) AND type = 'segment.sealed' AND ${isRecord} AND json_valid(CAST(bytes AS TEXT))`,
      [named],
    );
    for (const { session, file, attachments } of seals) {
      const files = found.get(session)?.files;
      files?.add(String(file));
      if (attachments !== null)
        for (const attachment of JSON.parse(attachments) as { file?: unknown }[]) files?.add(String(attachment.file));
    }
    return found;
  }

  /** Sessions that are erased, and that the list of sessions still says something else of. */
  falselyListed(limit: number): Promise<{ session: string; listed: number }[]> {
    return this.#connection.all(
      `SELECT r.session AS session, s.id IS NOT NULL AS listed FROM records r LEFT JOIN sessions s ON s.id = r.session
       WHERE r.type = 'session.open' AND r.bytes IS NULL AND r.session IS NOT NULL
         AND (s.id IS NULL OR s.state <> 'erased' OR s.principal IS NOT NULL OR s.on_behalf_of IS NOT NULL OR ${this.#counted} OR EXISTS (SELECT 1 FROM segments WHERE segments.session = s.id))
       LIMIT ?`,
      [limit],
    );
  }

  /** Ids of the holds that the database takes for being in force. */
  async holdsInForce(): Promise<unknown[]> {
    return (await this.#connection.all<{ id: unknown }>('SELECT id FROM holds WHERE cleared IS NULL LIMIT 100000')).map((row) => row.id);
  }

  /** Places in the ledger, from 1, of the `erased` records whose erasure is not completed. */
  async unfinishedErasures(): Promise<number[]> {
    return (await this.#connection.all<{ seq: number }>('SELECT seq FROM erasures WHERE finished = 0 LIMIT 100000')).map((row) => row.seq);
  }

  /** Sessions of those records: an `erased` record says that they go, and not all of it may have gone yet. */
  async sessionsInErasure(): Promise<ReadonlySet<string>> {
    const rows = await this.#connection.all<{ session: string }>(
      `SELECT DISTINCT r.session AS session FROM erasures e JOIN records r ON r.seq = e.seq
       WHERE e.finished = 0 AND r.type = 'erased' AND r.session IS NOT NULL AND ${isRecord} LIMIT 100000`,
    );
    return new Set(rows.map(({ session }) => session));
  }

  /** Rows that the projections have of sessions without any record: table, and the session as it is written there. */
  strays(limit: number): Promise<{ tableName: string; session: unknown }[]> {
    const stray = (table: string, column: string) => `
      SELECT * FROM (SELECT DISTINCT '${table}' AS tableName, ${column} AS session FROM ${table}
      WHERE NOT EXISTS (SELECT 1 FROM records WHERE records.session = ${table}.${column}) LIMIT ${limit})`;
    return this.#connection.all(
      `${stray('sessions', 'id')} UNION ALL ${stray('channels', 'session')} UNION ALL ${stray('segments', 'session')}`,
    );
  }

  /**
   * What SQLite says of the database's own structure, apart from what is in it: indexes that do not agree with their
   * table would make lists lie. Empty when everything is in order.
   */
  async damage(limit: number): Promise<string[]> {
    const rows = await this.#connection.all<{ integrity_check: string }>(`PRAGMA integrity_check(${limit})`);
    return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
