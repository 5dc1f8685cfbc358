import { lstat, mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Connection, isSqlError } from './connection.ts';

/*
 * The file of screen text: what was on screens, in blocks of about 16 KiB, and which blocks hold which tokens. All of it
 * can be made again from the recordings, so a file that is damaged, strange or of another version is thrown away.
 *
 * Blocks stand in shards, each with two tables of its own: `packed_N` for reading, `tokens_N` for finding. A shard takes
 * so many blocks, and then another one begins. Thus the newest are looked through first, an erasure makes only those
 * shards anew in which something stood, and what expires takes whole shards with it.
 */

export const SCREEN_TEXT_FILE = join('replay', 'search.db');

/** "SPtx": this is a file of ours. */
const APPLICATION = 0x53507478;
/** Anything else that a block or a token is made of makes this another number. */
const VERSION = 1;

/** Blocks of a shard: about 64 MiB of text. Their numbers in it are the low bits of their ids. */
export const SHARD_BLOCKS = 4096;
const SHARD_ROOM = 8192;

const TABLES = `
  CREATE TABLE shards (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    form   INTEGER NOT NULL,          -- counts how often it was made anew; part of the names of its tables
    blocks INTEGER NOT NULL,          -- ever put into it
    low    INTEGER NOT NULL,          -- moments of its blocks, and when the last was seen; never narrower than they are
    high   INTEGER NOT NULL,
    until  INTEGER NOT NULL,
    open   INTEGER NOT NULL,          -- takes more
    worn   INTEGER NOT NULL DEFAULT 0 -- holds bytes of what is erased, and has to be made anew
  );
  -- Rows are appended and emptied, never removed: SQLite leaves copies behind of rows that it has to move.
  CREATE TABLE segments (
    id       INTEGER PRIMARY KEY,
    complete INTEGER NOT NULL,        -- all of its blocks are there, and no newer ones
    channel  INTEGER,
    segment  INTEGER,
    opened   INTEGER,                 -- when the channel did, microseconds since 1970
    session  TEXT,
    sha256   TEXT
  );
  CREATE INDEX segments_of_session ON segments (session, channel, segment) WHERE session IS NOT NULL;
  CREATE TABLE places (
    id      INTEGER PRIMARY KEY,      -- of a block: its shard and its number in it
    segment INTEGER NOT NULL,
    number  INTEGER NOT NULL,         -- counts the blocks of the segment
    moment  INTEGER NOT NULL,         -- when its first line was first seen, microseconds since 1970: lists go by this
    tie     INTEGER NOT NULL,         -- and by this: the same whenever the same block is made again
    until   INTEGER NOT NULL,         -- when any of its lines was last seen
    lines   INTEGER NOT NULL
  );
  CREATE INDEX places_of_segment ON places (segment);
  -- Shards in which an earlier form of a session's blocks stood.
  CREATE TABLE remains (session TEXT NOT NULL, shard INTEGER NOT NULL, PRIMARY KEY (session, shard)) WITHOUT ROWID;
`;

export interface Shard {
  readonly id: number;
  readonly form: number;
  readonly blocks: number;
  readonly low: number;
  readonly high: number;
  readonly until: number;
}

export const SHARD_COLUMNS = 'id, form, blocks, low, high, until';

/** Of a shard: the names of its tables, and what a number in it has to be added to for the id of a block. */
export function shardOf({ id, form }: Pick<Shard, 'id' | 'form'>): { packed: string; tokens: string; base: number } {
  return { packed: `packed_${id}_${form}`, tokens: `tokens_${id}_${form}`, base: id * SHARD_ROOM };
}

/** The shard that a block with this id stands in, as an expression. */
export const shardOfBlock = (id: string): string => `(${id} / ${SHARD_ROOM})`;

/** Tokens are texts of symbols that mean nothing to SQLite, each once for a block (indexing/text-tokens.ts). */
export function createShard(shard: Pick<Shard, 'id' | 'form'>): string {
  const { packed, tokens } = shardOf(shard);
  return `
    CREATE TABLE ${packed} (number INTEGER PRIMARY KEY, packed BLOB NOT NULL);
    CREATE VIRTUAL TABLE ${tokens} USING fts5(tokens, content = '', contentless_delete = 1, detail = none,
      tokenize = "ascii tokenchars '!#$%&()*+,-./:;<=>?@[]^_{|}~'");`;
}

export function dropShard(shard: Pick<Shard, 'id' | 'form'>): string {
  const { packed, tokens } = shardOf(shard);
  return `DROP TABLE ${packed}; DROP TABLE ${tokens};`;
}

/** Opens the file for writing, and makes a new one where there is none that is of use. */
export async function openScreenText(file: string): Promise<Connection> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const opened = await tryToOpen(file);
  if (opened !== undefined) return opened;
  await removeScreenText(file);
  const made = await tryToOpen(file);
  if (made === undefined) throw new Error(`${file} could not be made`);
  return made;
}

/** Throws away what there is. */
export async function removeScreenText(file: string): Promise<void> {
  for (const end of ['', '-wal', '-shm', '-journal']) await rm(`${file}${end}`, { recursive: true, force: true });
}

async function tryToOpen(file: string): Promise<Connection | undefined> {
  const there = await lstat(file).catch(() => undefined);
  if (there !== undefined && !there.isFile()) return undefined;
  if (there === undefined) await (await open(file, 'a', 0o600)).close();
  let connection: Connection | undefined;
  try {
    connection = await Connection.open(file, 'create');
    await connection.exec('PRAGMA page_size = 8192; PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY;');
    if (there === undefined || there.size === 0) {
      await connection.exec(`
        PRAGMA journal_mode = WAL; BEGIN; ${TABLES}
        PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${VERSION}; COMMIT;`);
    }
    if (await isOurs(connection)) {
      // What a power cut takes is made again: NORMAL keeps what is left whole (sqlite.org/pragma.html#pragma_synchronous).
      await connection.exec(`
        PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 67108864;`);
      return connection;
    }
  } catch (thrown) {
    await connection?.close();
    if (!isDamage(thrown)) throw thrown;
    return undefined;
  }
  await connection.close();
  return undefined;
}

/** Whether it is a file of screen text as this version writes them. */
export async function isOurs(connection: Connection): Promise<boolean> {
  const application = await connection.get<{ application_id: number }>('PRAGMA application_id');
  const version = await connection.get<{ user_version: number }>('PRAGMA user_version');
  const tables = await connection.get<{ n: number }>(
    `SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table' AND name IN ('shards', 'segments', 'places', 'remains')`,
  );
  return application?.application_id === APPLICATION && version?.user_version === VERSION && tables?.n === 4;
}

/** An error that no other attempt on the same file mends. */
export function isDamage(thrown: unknown): boolean {
  if (isSqlError(thrown, 'SQLITE_CORRUPT', 'SQLITE_NOTADB')) return true;
  return (
    isSqlError(thrown, 'SQLITE_ERROR') && /no such table|no such column|malformed|vtable constructor failed/.test((thrown as Error).message)
  );
}
