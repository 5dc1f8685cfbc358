import { setImmediate as nextTurn } from 'node:timers/promises';
import { SallyportError } from '../base/errors.ts';
import { GrowingTree } from './growing-tree.ts';
import type { LedgerStorage, RecordedHashes } from './ledger-storage.ts';
import { leafHash } from './merkle.ts';
import { MerkleFrontier } from './merkle-frontier.ts';
import { type TileAddress, tilePath } from './tiles.ts';

/** Entries between two turns of the event loop: one to two milliseconds of hashing. */
export const ENTRIES_A_TURN = 1024;

/** Rows that are asked for at once. */
const CHUNK = 1024;

/** Full tiles in memory until they are written. */
const TILES_A_WRITE = 64;

/** The entries `from` (included) to `to` (not included), in slices that leave the event loop its turns. */
export async function* entriesOf(records: RecordedHashes, from: number, to: number): AsyncGenerator<Uint8Array[]> {
  let next = from;
  while (next < to) {
    const chunk = await records.hashes(next, Math.min(CHUNK, to - next));
    if (chunk.length === 0) throw tooFew(next, to);
    next += chunk.length;
    for (let index = 0; index < chunk.length; index += ENTRIES_A_TURN) {
      yield chunk.slice(index, index + ENTRIES_A_TURN);
      await nextTurn();
    }
  }
}

/** The root that the first `size` records have. Memory does not grow with their number. */
export async function rootOfRecords(records: RecordedHashes, size: number): Promise<Uint8Array> {
  const frontier = new MerkleFrontier();
  for await (const entries of entriesOf(records, 0, size)) for (const entry of entries) frontier.append(leafHash(entry));
  return frontier.root();
}

/** Makes these tiles and bundles anew; the caller has made sure that the records have the signed root. */
export async function writeMissing(storage: LedgerStorage, records: RecordedHashes, size: number, missing: readonly TileAddress[]) {
  const wanted = new Set(missing.map(({ level, index, width }) => tilePath(level, index, width)));
  const isWanted = ({ level, index, width }: TileAddress) => wanted.has(tilePath(level, index, width));
  const tree = new GrowingTree();
  for await (const entries of entriesOf(records, 0, size)) {
    for (const entry of entries) tree.append(entry);
    if (tree.fullCount >= TILES_A_WRITE) await storage.writeTiles(tree.takeFull().filter(isWanted));
  }
  await storage.writeTiles([...tree.takeFull(), ...tree.partial()].filter(isWanted));
}

function tooFew(index: number, size: number): SallyportError {
  return new SallyportError('LEDGER_DAMAGED', `The ledger is damaged: record ${index} of ${size} is missing from the database`, {
    remedy: 'sallyport verify says what is wrong and where; restore the whole data directory from one backup',
  });
}
