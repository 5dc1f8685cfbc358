import { setTimeout as delay } from 'node:timers/promises';
import { SallyportError } from '../base/errors.ts';
import { Connection } from './connection.ts';
import { emptyLog } from './erased-bytes.ts';
import { createShard, dropShard, SHARD_COLUMNS, type Shard, shardOf, shardOfBlock } from './screen-text-schema.ts';
import { dropIfEmpty, inTransaction } from './screen-text-writer.ts';

/** Readers of an older state are waited for so often, so long. A search holds one for a few milliseconds. */
const ATTEMPTS = 20;
const AGAIN_MILLIS = 50;
/** Blocks that one statement copies: a few megabytes. */
const COPIED = 512;
/** Pages that one statement merges. */
const MERGED = 500;

/**
 * Takes sessions out of the file of screen text, to the last byte: what stood beside them is copied into new tables, and
 * the old ones are dropped, which overwrites their pages (secure_delete). On connections of its own, because a
 * connection that has written to an index of words keeps parts of it in memory.
 */
export async function eraseSessions(file: string, sessions: readonly string[]): Promise<void> {
  await withConnection(file, (connection) => inTransaction(connection, () => takeOut(connection, sessions)));
  const worn = await withConnection(file, (connection) =>
    connection.all<Shard>(`SELECT ${SHARD_COLUMNS} FROM shards WHERE worn = 1 ORDER BY id`),
  );
  for (const shard of worn) {
    await withConnection(file, (connection) => makeAnew(connection, shard));
  }
  await withConnection(file, async (connection) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (await emptyLog(connection)) return;
      await delay(AGAIN_MILLIS);
    }
    throw new SallyportError(
      'ERASE_INCOMPLETE',
      `What is erased cannot be found any more, but still stands in the log of ${file}, because a program has been reading it all the while`,
      { remedy: 'end that program; the next erasure, or start of the gateway, takes it out' },
    );
  });
}

/** From here on they are not found; their bytes are still there. */
async function takeOut(connection: Connection, sessions: readonly string[]): Promise<void> {
  const all = JSON.stringify(sessions);
  const among = 'IN (SELECT value FROM json_each(?))';
  const segments = `(SELECT id FROM segments WHERE session ${among})`;
  await connection.run(
    `UPDATE shards SET worn = 1, open = 0 WHERE id IN (
       SELECT ${shardOfBlock('id')} FROM places WHERE segment IN ${segments} UNION SELECT shard FROM remains WHERE session ${among})`,
    [all, all],
  );
  await connection.run(`DELETE FROM places WHERE segment IN ${segments}`, [all]);
  await connection.run(`DELETE FROM remains WHERE session ${among}`, [all]);
  await connection.run(`UPDATE segments SET complete = 0, session = NULL, sha256 = NULL WHERE session ${among}`, [all]);
}

/** Stopped in the middle, it is begun again by the next erasure: nothing that is half made is ever in force. */
async function makeAnew(connection: Connection, shard: Shard): Promise<void> {
  let gone = false;
  await inTransaction(connection, async () => {
    gone = await dropIfEmpty(connection, shard.id);
  });
  if (gone) return;
  const former = shardOf(shard);
  const next = { ...shard, form: shard.form + 1 };
  const copy = shardOf(next);
  const isKept = `EXISTS (SELECT 1 FROM places p WHERE p.id = ${former.base} + b.number)`;
  await inTransaction(connection, async () => {
    // Tokens of what is gone leave the index when all its parts are merged.
    await connection.run(`DELETE FROM ${former.tokens} WHERE rowid IN (SELECT b.number FROM ${former.packed} b WHERE NOT ${isKept})`);
    await mergeAll(connection, former.tokens);
    await connection.exec(createShard(next));
    for (let from = 0; from <= shard.blocks; from += COPIED) {
      await connection.run(
        `INSERT INTO ${copy.packed} SELECT b.number, b.packed FROM ${former.packed} b WHERE b.number BETWEEN ? AND ? AND ${isKept}`,
        [from, from + COPIED - 1],
      );
    }
    // The tables of an FTS5 index are ordinary ones (sqlite.org/fts5.html#fts5_data_structures), and an index is what stands in them.
    for (const table of ['data', 'idx', 'docsize', 'config']) {
      await connection.exec(`
        DELETE FROM ${copy.tokens}_${table}; INSERT INTO ${copy.tokens}_${table} SELECT * FROM ${former.tokens}_${table};`);
    }
    await connection.exec(dropShard(shard));
    await connection.run('UPDATE shards SET form = ?, worn = 0 WHERE id = ?', [next.form, shard.id]);
  });
}

/** In steps, so that no single one holds a thread for long. */
async function mergeAll(connection: Connection, tokens: string): Promise<void> {
  // The first step, with a negative number, names everything that is to be merged; a step that did nothing was the last one.
  for (let pages = -MERGED; ; pages = MERGED) {
    const before = await changes(connection);
    await connection.run(`INSERT INTO ${tokens}(${tokens}, rank) VALUES ('merge', ${pages})`);
    if ((await changes(connection)) - before < 2) return;
  }
}

async function changes(connection: Connection): Promise<number> {
  return (await connection.get<{ n: number }>('SELECT total_changes() AS n'))?.n ?? 0;
}

async function withConnection<Result>(file: string, use: (connection: Connection) => Promise<Result>): Promise<Result> {
  const connection = await Connection.open(file, 'create');
  try {
    await connection.exec(
      'PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;',
    );
    return await use(connection);
  } finally {
    await connection.close();
  }
}
