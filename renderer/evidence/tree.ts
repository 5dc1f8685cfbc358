import { sameBytes } from './encodings.ts';
import { foldPeaks, peaksOf } from './merkle.ts';
import { hashesOnLevel, MAX_LEVEL, TILE_WIDTH, type Tile, type TileSet, tilePath } from './tile-set.ts';

/** The root of the tree over the first `size` entries, or the tiles that it would take and that are not there. */
export function rootAt(tiles: TileSet, size: number): { root: Uint8Array } | { missing: string[] } {
  const peaks: Uint8Array[] = [];
  const missing: string[] = [];
  for (let level = MAX_LEVEL; level >= 0; level -= 1) {
    const hashes = hashesOnLevel(level, size);
    const width = hashes % TILE_WIDTH;
    if (width === 0) continue;
    const index = Math.floor(hashes / TILE_WIDTH);
    const tile = tiles.get(level, index);
    if (tile === undefined || tile.hashes.length < width) missing.push(tilePath(level, index, width));
    else peaks.push(...peaksOf(tile.hashes.slice(0, width)));
  }
  if (missing.length > 0 || peaks.length === 0) return { missing };
  return { root: foldPeaks(peaks) };
}

/**
 * Which tiles belong to the tree with this size and root. A tile that is not complete stands at the right edge, and the
 * root is made of it; a complete one is a single hash in the tile above it.
 */
export class TreeCheck {
  readonly rootFits: boolean;
  readonly missing: readonly string[];
  readonly #tiles: TileSet;
  readonly #size: number;
  readonly #verdicts = new Map<Tile, boolean>();

  constructor(tiles: TileSet, size: number, root: Uint8Array) {
    this.#tiles = tiles;
    this.#size = size;
    const computed = rootAt(tiles, size);
    this.rootFits = 'root' in computed && sameBytes(computed.root, root);
    this.missing = 'missing' in computed ? computed.missing : [];
  }

  /** Whether every hash in the tile is part of the tree. */
  belongs(tile: Tile): boolean {
    const known = this.#verdicts.get(tile);
    if (known !== undefined) return known;
    const verdict = this.#judge(tile);
    this.#verdicts.set(tile, verdict);
    return verdict;
  }

  /** The leaf hash of an entry; undefined when no tile that belongs to the tree has it. */
  leaf(index: number): Uint8Array | undefined {
    const tile = this.#tiles.get(0, Math.floor(index / TILE_WIDTH));
    if (tile === undefined || !this.belongs(tile)) return undefined;
    return tile.hashes[index % TILE_WIDTH];
  }

  /** Tiles that do not fit the tile above them. Without a root that fits, nothing can be said of single tiles. */
  strangers(): Tile[] {
    if (!this.rootFits) return [];
    return [...this.#tiles].filter((tile) => !this.belongs(tile) && !this.#parentIsStranger(tile));
  }

  #judge(tile: Tile): boolean {
    if (!this.rootFits) return false;
    const onLevel = hashesOnLevel(tile.level, this.#size);
    const width = Math.min(TILE_WIDTH, onLevel - tile.index * TILE_WIDTH);
    if (tile.hashes.length !== width) return false;
    if (width < TILE_WIDTH) return true; // At the right edge: the root was computed from it.
    const parent = this.#tiles.get(tile.level + 1, Math.floor(tile.index / TILE_WIDTH));
    if (parent === undefined || !this.belongs(parent)) return false;
    return sameBytes(parent.hashes[tile.index % TILE_WIDTH], foldPeaks(peaksOf(tile.hashes)));
  }

  /** A fault is named once, where it is, and not again for everything below it. */
  #parentIsStranger(tile: Tile): boolean {
    const parent = this.#tiles.get(tile.level + 1, Math.floor(tile.index / TILE_WIDTH));
    return parent !== undefined && !this.belongs(parent);
  }
}
