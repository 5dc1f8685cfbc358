import type { IndexedSegment, TextBlock } from '../indexing/screen-text.ts';
import type { Connection } from './connection.ts';
import { createShard, dropShard, SHARD_BLOCKS, SHARD_COLUMNS, type Shard, shardOf, shardOfBlock } from './screen-text-schema.ts';

/** Blocks that are written in one transaction: it takes some tens of milliseconds. */
const BATCH = 32;

export interface PlacedSegment extends IndexedSegment {
  /** When its channel opened, microseconds since 1970. */
  readonly opened: number;
}

/** Readers see what was stored of the segment before until all of the new is there. */
export async function putSegment(connection: Connection, segment: PlacedSegment, blocks: readonly TextBlock[]): Promise<void> {
  let id: number | undefined;
  for (let at = 0; at === 0 || at < blocks.length; at += BATCH) {
    await inTransaction(connection, async () => {
      id ??= await insertSegment(connection, segment);
      await insertBlocks(connection, { segment, id, at }, blocks.slice(at, at + BATCH));
      if (at + BATCH >= blocks.length) await takeThePlace(connection, id, segment);
    });
  }
}

/** What a gateway left that ended in the middle of a segment. */
export async function removeUnfinished(connection: Connection): Promise<void> {
  const left = await connection.all<{ id: number; session: string }>(
    'SELECT id, session FROM segments WHERE complete = 0 AND session IS NOT NULL',
  );
  if (left.length > 0) await inTransaction(connection, () => removeSegments(connection, left));
}

export async function inTransaction(connection: Connection, steps: () => Promise<void>): Promise<void> {
  await connection.exec('BEGIN IMMEDIATE');
  try {
    await steps();
    await connection.exec('COMMIT');
  } catch (thrown) {
    await connection.exec('ROLLBACK').catch(() => undefined); // SQLite may have rolled it back itself.
    throw thrown;
  }
}

function insertSegment(connection: Connection, segment: PlacedSegment): Promise<number> {
  return connection.insertPrepared('INSERT INTO segments (complete, channel, segment, opened, session, sha256) VALUES (0, ?, ?, ?, ?, ?)', [
    segment.channel,
    segment.segment,
    segment.opened,
    segment.session,
    segment.sha256,
  ]);
}

async function insertBlocks(
  connection: Connection,
  { segment, id, at }: { segment: PlacedSegment; id: number; at: number },
  blocks: readonly TextBlock[],
): Promise<void> {
  let shard: Shard | undefined;
  for (const [index, block] of blocks.entries()) {
    if (shard === undefined || shard.blocks >= SHARD_BLOCKS) {
      await saveShard(connection, shard);
      shard = await openShard(connection);
    }
    const { packed, tokens, base } = shardOf(shard);
    const number = shard.blocks + 1;
    const moment = segment.opened + block.first;
    const until = segment.opened + block.last;
    await connection.runPrepared(`INSERT INTO ${packed} (number, packed) VALUES (?, ?)`, [number, block.packed]);
    await connection.runPrepared(`INSERT INTO ${tokens} (rowid, tokens) VALUES (?, ?)`, [number, block.searchable]);
    await connection.runPrepared('INSERT INTO places (id, segment, number, moment, tie, until, lines) VALUES (?, ?, ?, ?, ?, ?, ?)', [
      base + number,
      id,
      at + index,
      moment,
      tieOf(segment, at + index),
      until,
      block.lines,
    ]);
    const empty = shard.blocks === 0;
    shard = {
      ...shard,
      blocks: number,
      low: empty ? moment : Math.min(shard.low, moment),
      high: empty ? moment : Math.max(shard.high, moment),
      until: empty ? until : Math.max(shard.until, until),
    };
  }
  await saveShard(connection, shard);
}

/** The one that takes more; a new one where that is full. */
async function openShard(connection: Connection): Promise<Shard> {
  const last = await connection.get<Shard>(`SELECT ${SHARD_COLUMNS} FROM shards WHERE open = 1 ORDER BY id DESC LIMIT 1`);
  if (last !== undefined && last.blocks < SHARD_BLOCKS) return last;
  await connection.run('UPDATE shards SET open = 0 WHERE open = 1');
  const id = await connection.insert('INSERT INTO shards (form, blocks, low, high, until, open) VALUES (0, 0, 0, 0, 0, 1)', []);
  const shard = { id, form: 0, blocks: 0, low: 0, high: 0, until: 0 };
  await connection.exec(createShard(shard));
  return shard;
}

async function saveShard(connection: Connection, shard: Shard | undefined): Promise<void> {
  if (shard === undefined) return;
  const { id, blocks, low, high, until } = shard;
  await connection.runPrepared('UPDATE shards SET blocks = ?, low = ?, high = ?, until = ? WHERE id = ?', [blocks, low, high, until, id]);
}

async function takeThePlace(connection: Connection, id: number, { session, channel, segment }: PlacedSegment): Promise<void> {
  const former = await connection.all<{ id: number; session: string }>(
    'SELECT id, session FROM segments WHERE session = ? AND channel = ? AND segment = ? AND id <> ?',
    [session, channel, segment, id],
  );
  await removeSegments(connection, former);
  await connection.runPrepared('UPDATE segments SET complete = 1 WHERE id = ?', [id]);
}

/**
 * Takes blocks out of what is found and read. Their bytes stay until their shard is made anew, so it is noted where
 * bytes of the session stand.
 */
async function removeSegments(connection: Connection, segments: readonly { id: number; session: string }[]): Promise<void> {
  for (const { id, session } of segments) {
    const shards = await connection.all<{ shard: number }>(`SELECT DISTINCT ${shardOfBlock('id')} AS shard FROM places WHERE segment = ?`, [
      id,
    ]);
    await connection.run('DELETE FROM places WHERE segment = ?', [id]);
    await connection.run('UPDATE segments SET complete = 0, session = NULL, sha256 = NULL WHERE id = ?', [id]);
    for (const { shard } of shards) {
      await connection.run('INSERT INTO remains (session, shard) VALUES (?, ?) ON CONFLICT DO NOTHING', [session, shard]);
      await dropIfEmpty(connection, shard);
    }
  }
}

/** A shard of which nothing is left goes at once, and gives its room to others. */
export async function dropIfEmpty(connection: Connection, id: number): Promise<boolean> {
  const shard = await connection.get<Shard>(
    `SELECT ${SHARD_COLUMNS} FROM shards s
     WHERE id = ? AND NOT EXISTS (SELECT 1 FROM places p WHERE p.id BETWEEN ? AND ?)`,
    [id, shardOf({ id, form: 0 }).base, shardOf({ id: id + 1, form: 0 }).base - 1],
  );
  if (shard === undefined) return false;
  await connection.exec(dropShard(shard));
  await connection.run('DELETE FROM shards WHERE id = ?', [id]);
  await connection.run('DELETE FROM remains WHERE shard = ?', [id]);
  return true;
}

/** The same for a block however often it is made, and most likely another for another one. */
function tieOf({ session, channel, segment }: IndexedSegment, block: number): number {
  let hash = 0x811c9dc5;
  for (const character of `${session}/${channel}/${segment}/${block}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}
