import type { TileFile } from './ledger-storage.ts';
import { EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash, perfectRoot } from './merkle.ts';
import { requireTile, TILE_WIDTH, type TileSource } from './tiles.ts';

const TILE_BYTES = TILE_WIDTH * HASH_BYTES;
/** Entries of this ledger are SHA-256 hashes: two bytes of length, then 32. */
const ENTRY_BYTES = 2 + HASH_BYTES;

/** One level at the right edge of the tree. */
interface Level {
  /** Of its last tile, which is never full. */
  index: number;
  width: number;
  bytes: Buffer;
}

/**
 * The tree as it grows: in memory is the tile at the right edge of each level, and the tiles that have become full and
 * were not fetched yet.
 */
export class GrowingTree {
  readonly #levels: Level[] = [];
  #entries = Buffer.alloc(TILE_WIDTH * ENTRY_BYTES);
  #size = 0;
  #full: TileFile[] = [];

  /** The tree that `source` has at this size. `entries` are those of the partial tile of level 0. Throws LEDGER_DAMAGED. */
  static async load(source: TileSource, size: number, entries: readonly Uint8Array[]): Promise<GrowingTree> {
    const tree = new GrowingTree();
    tree.#size = size;
    for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
      const edge = tree.#level(level);
      edge.index = Math.floor(hashes / TILE_WIDTH);
      edge.width = hashes % TILE_WIDTH;
      if (edge.width === 0) continue;
      const address = { level, index: edge.index, width: edge.width };
      edge.bytes.set(requireTile(await source.tile(level, edge.index, edge.width), address));
    }
    for (const [index, entry] of entries.entries()) tree.#setEntry(index, entry);
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** Full tiles that wait to be fetched. */
  get fullCount(): number {
    return this.#full.length;
  }

  /** `entry` has 32 bytes. */
  append(entry: Uint8Array): void {
    const leaves = this.#level(0);
    this.#setEntry(leaves.width, entry);
    this.#size += 1;
    const { index } = leaves;
    this.#push(0, leafHash(entry));
    if (leaves.width > 0) return;
    this.#full.push({ level: 'entries', index, width: TILE_WIDTH, bytes: this.#entries });
    this.#entries = Buffer.alloc(TILE_WIDTH * ENTRY_BYTES);
  }

  root(): Uint8Array {
    // From the highest level to the lowest the edge tiles consist of ever smaller perfect subtrees, in the order of leaves.
    const peaks: Uint8Array[] = [];
    for (const { width, bytes } of this.#levels.toReversed()) {
      for (let from = 0, size = TILE_WIDTH / 2; size >= 1; size /= 2) {
        if (width - from < size) continue;
        peaks.push(perfectRoot(bytes.subarray(from * HASH_BYTES, (from + size) * HASH_BYTES)));
        from += size;
      }
    }
    return peaks.length === 0 ? EMPTY_ROOT : peaks.reduceRight((right, left) => nodeHash(left, right));
  }

  /** The tiles and bundles that have become full since the last call. */
  takeFull(): TileFile[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  /** The partial tiles and the partial bundle of the tree as it is now. */
  partial(): TileFile[] {
    const files: TileFile[] = [];
    for (const [level, { index, width, bytes }] of this.#levels.entries()) {
      if (width === 0) continue;
      files.push({ level, index, width, bytes: Buffer.from(bytes.subarray(0, width * HASH_BYTES)) });
      if (level === 0) files.push({ level: 'entries', index, width, bytes: Buffer.from(this.#entries.subarray(0, width * ENTRY_BYTES)) });
    }
    return files;
  }

  #push(level: number, hash: Uint8Array): void {
    const edge = this.#level(level);
    edge.bytes.set(hash, edge.width * HASH_BYTES);
    edge.width += 1;
    if (edge.width < TILE_WIDTH) return;
    this.#full.push({ level, index: edge.index, width: TILE_WIDTH, bytes: edge.bytes });
    this.#push(level + 1, perfectRoot(edge.bytes));
    edge.bytes = Buffer.alloc(TILE_BYTES);
    edge.index += 1;
    edge.width = 0;
  }

  #level(level: number): Level {
    this.#levels[level] ??= { index: 0, width: 0, bytes: Buffer.alloc(TILE_BYTES) };
    return this.#levels[level];
  }

  #setEntry(index: number, entry: Uint8Array): void {
    if (entry.length !== HASH_BYTES) throw new RangeError('an entry of this ledger has 32 bytes');
    this.#entries.writeUInt16BE(HASH_BYTES, index * ENTRY_BYTES);
    this.#entries.set(entry, index * ENTRY_BYTES + 2);
  }
}
