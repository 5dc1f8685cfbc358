import { EMPTY_ROOT, HASH_BYTES, nodeHash, perfectRoot } from '../../ledger/merkle.ts';
import { TILE_WIDTH } from '../../ledger/tiles.ts';

/** A tile above level 0 as it has to be. */
export interface ExpectedTile {
  level: number;
  index: number;
  width: number;
  bytes: Uint8Array;
}

interface Level {
  index: number;
  width: number;
  bytes: Buffer;
}

/** The levels of a tree of tiles above its lowest, worked out from the roots of the lowest tiles. */
export class TileTower {
  readonly #levels: Level[] = [];
  readonly #whenFull: (tile: ExpectedTile) => void;

  constructor(whenFull: (tile: ExpectedTile) => void) {
    this.#whenFull = whenFull;
  }

  /** The root of the next full tile of level 0. */
  push(root: Uint8Array): void {
    this.#push(1, root);
  }

  /** The root of the tree of all full tiles pushed so far and these leaf hashes after them, fewer than a tile has. */
  rootWith(leaves: Uint8Array): Uint8Array {
    const peaks: Uint8Array[] = [];
    for (const level of this.#levels.toReversed()) addPeaks(peaks, level.bytes.subarray(0, level.width * HASH_BYTES));
    addPeaks(peaks, leaves);
    return peaks.length === 0 ? EMPTY_ROOT : peaks.reduceRight((right, left) => nodeHash(left, right));
  }

  /** The tiles at the right edge. */
  *partial(): Generator<ExpectedTile> {
    for (const [at, { index, width, bytes }] of this.#levels.entries())
      if (width > 0) yield { level: at + 1, index, width, bytes: bytes.subarray(0, width * HASH_BYTES) };
  }

  #push(level: number, hash: Uint8Array): void {
    this.#levels[level - 1] ??= { index: 0, width: 0, bytes: Buffer.alloc(TILE_WIDTH * HASH_BYTES) };
    const edge = this.#levels[level - 1] as Level;
    edge.bytes.set(hash, edge.width * HASH_BYTES);
    edge.width += 1;
    if (edge.width < TILE_WIDTH) return;
    this.#whenFull({ level, index: edge.index, width: TILE_WIDTH, bytes: edge.bytes });
    this.#push(level + 1, perfectRoot(edge.bytes));
    edge.bytes = Buffer.alloc(TILE_WIDTH * HASH_BYTES);
    edge.index += 1;
    edge.width = 0;
  }
}

/** The roots of the perfect trees that these hashes consist of, the largest first. */
function addPeaks(peaks: Uint8Array[], hashes: Uint8Array): void {
  const width = hashes.length / HASH_BYTES;
  for (let from = 0, size = TILE_WIDTH / 2; size >= 1; size /= 2) {
    if (width - from < size) continue;
    peaks.push(perfectRoot(hashes.subarray(from * HASH_BYTES, (from + size) * HASH_BYTES)));
    from += size;
  }
}
