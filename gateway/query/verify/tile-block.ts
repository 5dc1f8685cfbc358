import { HASH_BYTES, leafHash, perfectRoot, sameHash } from '../../ledger/merkle.ts';
import { parseEntries, TILE_WIDTH } from '../../ledger/tiles.ts';

/** Leaf hashes of one tile of level 0, from one of those who have them; undefined where one of them has none. */
export type Leaves = readonly (Uint8Array | undefined)[];

export interface Witnesses {
  /** Of the records that stand in the database. */
  records: Leaves;
  /** Of the tile, and of the bundle of entries, as they are on disk. */
  tile: Leaves | undefined;
  entries: Leaves | undefined;
  /** What the tile above says that the root of this one is. */
  claim: Uint8Array | undefined;
}

/**
 * The leaf hashes of one tile as they were signed, as far as can be told: of those that disagree, whichever leads to the
 * hash in the tile above; and, where an edit has reached all of them, each hash that two agree on.
 */
export function settle({ records, tile, entries, claim }: Witnesses, width: number): Uint8Array[] {
  const candidates = [records, tile, entries].filter((leaves): leaves is Leaves => leaves !== undefined);
  const whole = candidates.filter(
    (leaves): leaves is Uint8Array[] => leaves.length === width && leaves.every((leaf) => leaf !== undefined),
  );
  if (claim !== undefined && width === TILE_WIDTH) {
    const right = whole.find((leaves) => sameHash(perfectRoot(joined(leaves)), claim));
    if (right !== undefined) return right;
  }
  return Array.from({ length: width }, (_, at) => {
    const said = [tile?.[at], entries?.[at], records[at]].filter((leaf): leaf is Uint8Array => leaf !== undefined);
    return (
      said.find((leaf, first) => said.some((other, second) => second !== first && sameHash(leaf, other))) ??
      said[0] ??
      Buffer.alloc(HASH_BYTES)
    );
  });
}

export function joined(leaves: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(leaves);
}

export function leavesOfTile(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

/** Undefined when the bundle is malformed. */
export function leavesOfEntries(bytes: Uint8Array, width: number): Uint8Array[] | undefined {
  try {
    return parseEntries(bytes, width).map(leafHash);
  } catch {
    return undefined; // The caller names the file as altered.
  }
}
