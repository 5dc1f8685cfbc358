import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { IndexedSegment } from '../indexing/screen-text.ts';
import { Connection, type SqlValue } from './connection.ts';
import { openReadOnly } from './open-read-only.ts';
import { isDamage, isOurs, SCREEN_TEXT_FILE, SHARD_COLUMNS, type Shard, shardOf, shardOfBlock } from './screen-text-schema.ts';

/** A block: where it was on a screen, and when. Times are microseconds since 1970. */
export interface Place {
  readonly id: number;
  readonly session: string;
  readonly channel: number;
  readonly segment: number;
  /** Counts the blocks of its segment. */
  readonly number: number;
  readonly opened: number;
  readonly moment: number;
  readonly tie: number;
  readonly until: number;
  readonly lines: number;
}

/** Where a list of blocks goes on, newest first: below this. */
export interface Position {
  readonly moment: number;
  readonly tie: number;
}

export interface PlaceFilter {
  readonly below: Position;
  /** On the screen at or after, and before. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly sessions?: readonly string[] | undefined;
  readonly channel?: number | undefined;
  /** Ids of the blocks that come into question. */
  readonly ids?: { readonly low: number; readonly high: number } | undefined;
}

const placeColumns = 'p.id, s.session, s.channel, s.segment, p.number, s.opened, p.moment, p.tie, p.until, p.lines';

/** Reads screen text that is stored, also while more is being stored. */
export class ScreenTextReader {
  readonly #connection: Connection;
  readonly #onDamage: () => void;
  #damaged = false;

  private constructor(connection: Connection, onDamage: () => void) {
    this.#connection = connection;
    this.#onDamage = onDamage;
  }

  /** Of a file that somebody in this process writes, who is told of damage. */
  static async beside(file: string, onDamage: () => void): Promise<ScreenTextReader> {
    const connection = await Connection.open(file, 'read');
    await connection.exec('PRAGMA busy_timeout = 5000');
    return new ScreenTextReader(connection, onDamage);
  }

  /** Of a data directory, which is not written to. Undefined where nothing is stored that this version can read. */
  static async open(dataDirectory: string): Promise<ScreenTextReader | undefined> {
    const file = join(dataDirectory, SCREEN_TEXT_FILE);
    if ((await stat(file).catch(() => undefined))?.isFile() !== true) return undefined;
    let connection: Connection | undefined;
    try {
      connection = await openReadOnly(file);
      if (await isOurs(connection)) return new ScreenTextReader(connection, () => undefined);
    } catch (thrown) {
      await connection?.close();
      if (isDamage(thrown)) return undefined;
      throw thrown;
    }
    await connection.close();
    return undefined;
  }

  /** The newest first. */
  shards(): Promise<Shard[]> {
    return this.#all<Shard>(`SELECT ${SHARD_COLUMNS} FROM shards WHERE blocks > 0 ORDER BY high DESC, id DESC`);
  }

  /** How many segments are stored. */
  async segments(): Promise<number> {
    return (await this.#all<{ n: number }>('SELECT count(*) AS n FROM segments WHERE complete = 1'))[0]?.n ?? 0;
  }

  /** In the order of their numbers. */
  stored(session: string, channel: number): Promise<IndexedSegment[]> {
    return this.#all(
      'SELECT session, channel, segment, sha256 FROM segments WHERE session = ? AND channel = ? AND complete = 1 ORDER BY segment',
      [session, channel],
    );
  }

  /** In which shards blocks of these sessions stand, and between which of them. */
  async placesOf(sessions: readonly string[]): Promise<{ shard: number; low: number; high: number }[]> {
    // Blocks of a segment have numbers in a row, in one shard or in two: the first and the last of each say enough.
    const spans = await this.#all<{ low: number | null; high: number | null; from: number; to: number }>(
      `SELECT low, high, ${shardOfBlock('low')} AS "from", ${shardOfBlock('high')} AS "to" FROM (
         SELECT (SELECT min(p.id) FROM places p WHERE p.segment = s.id) AS low, (SELECT max(p.id) FROM places p WHERE p.segment = s.id) AS high
         FROM segments s WHERE s.session IN (SELECT value FROM json_each(?)) AND s.complete = 1)`,
      [JSON.stringify(sessions)],
    );
    const shards = new Map<number, { shard: number; low: number; high: number }>();
    for (const { low, high, from, to } of spans) {
      if (low === null || high === null) continue;
      for (let shard = from; shard <= to; shard += 1) {
        const known = shards.get(shard) ?? { shard, low, high };
        shards.set(shard, { shard, low: Math.min(known.low, low), high: Math.max(known.high, high) });
      }
    }
    return [...shards.values()];
  }

  /** Blocks of a shard that have all of these tokens, newest first. Undefined where the shard has been made anew meanwhile. */
  async find(shard: Shard, tokens: readonly string[], filter: PlaceFilter, limit: number): Promise<Place[] | undefined> {
    const { tokens: index, base } = shardOf(shard);
    const { below, from, to, sessions, channel, ids } = filter;
    const parameters: SqlValue[] = [base, tokens.map((token) => `"${token}"`).join(' AND ')];
    const conditions: string[] = [];
    const where = (condition: string, ...values: SqlValue[]): void => {
      conditions.push(` AND ${condition}`);
      parameters.push(...values);
    };
    where('(p.moment, p.tie) < (?, ?)', below.moment, below.tie);
    if (ids !== undefined) where('t.rowid BETWEEN ? AND ?', ids.low - base, ids.high - base);
    if (from !== undefined) where('p.until >= ?', from);
    if (to !== undefined) where('p.moment < ?', to);
    if (sessions !== undefined) where('s.session IN (SELECT value FROM json_each(?))', JSON.stringify(sessions));
    if (channel !== undefined) where('s.channel = ?', channel);
    return this.#whileThere(() =>
      this.#all<Place>(
        `SELECT ${placeColumns}
         FROM ${index} t CROSS JOIN places p ON p.id = ? + t.rowid CROSS JOIN segments s ON s.id = p.segment AND s.complete = 1
         WHERE t.${index} MATCH ?${conditions.join('')}
         ORDER BY p.moment DESC, p.tie DESC LIMIT ?`,
        [...parameters, limit],
      ),
    );
  }

  /** Blocks of a channel, from this segment on but for the first few, that were on its screen within this time (microseconds since 1970). */
  placesOfChannel(
    session: string,
    channel: number,
    { from, to, segment }: { from: number; to: number; segment: number },
    { after, most }: { after: number; most: number },
  ): Promise<Place[]> {
    return this.#all(
      `SELECT ${placeColumns} FROM segments s CROSS JOIN places p ON p.segment = s.id
       WHERE s.session = ? AND s.channel = ? AND s.segment >= ? AND s.complete = 1
         AND p.until >= ? AND p.moment < ?
       ORDER BY s.segment, p.number LIMIT ? OFFSET ?`,
      [session, channel, segment, from, to, most, after],
    );
  }

  /** What these blocks hold, as it was packed. Blocks that are not there any more are missing. */
  async packed(places: readonly Place[]): Promise<ReadonlyMap<number, Uint8Array>> {
    const found = new Map<number, Uint8Array>();
    const shards = await this.#all<Shard>(
      `SELECT DISTINCT ${SHARD_COLUMNS} FROM shards WHERE id IN (SELECT ${shardOfBlock('value')} FROM json_each(?))`,
      [JSON.stringify(places.map(({ id }) => id))],
    );
    for (const shard of shards) {
      const { base } = shardOf(shard);
      const numbers = JSON.stringify(places.map(({ id }) => id - base));
      const rows = (await this.#rows(shard, numbers)) ?? (await this.#rows(await this.formNow(shard), numbers)) ?? [];
      for (const row of rows) found.set(base + row.number, row.packed);
    }
    return found;
  }

  /** A shard whose tables are gone: as it is since it was made anew. Undefined when there is none, or it was not. */
  async formNow(shard: Shard): Promise<Shard | undefined> {
    const [now] = await this.#all<Shard>(`SELECT ${SHARD_COLUMNS} FROM shards WHERE id = ?`, [shard.id]);
    if (now?.form !== shard.form) return now;
    this.reportDamage();
    return undefined;
  }

  async #rows(shard: Shard | undefined, numbers: string): Promise<{ number: number; packed: Uint8Array }[] | undefined> {
    if (shard === undefined) return [];
    return this.#whileThere(() =>
      this.#all(`SELECT number, packed FROM ${shardOf(shard).packed} WHERE number IN (SELECT value FROM json_each(?))`, [numbers]),
    );
  }

  /** A block could not be unpacked. */
  reportDamage(): void {
    if (!this.#damaged) this.#onDamage();
    this.#damaged = true;
  }

  /** Whether something could not be read. */
  get isDamaged(): boolean {
    return this.#damaged;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #all<Row>(sql: string, parameters: readonly SqlValue[] = []): Promise<Row[]> {
    try {
      return await this.#connection.all<Row>(sql, parameters);
    } catch (thrown) {
      if (isDamage(thrown) && !isMissingTable(thrown)) this.reportDamage();
      throw thrown;
    }
  }

  async #whileThere<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await read();
    } catch (thrown) {
      if (!isMissingTable(thrown)) throw thrown;
      return undefined;
    }
  }
}

function isMissingTable(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.includes('no such table');
}
