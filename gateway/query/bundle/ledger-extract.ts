import { TILE_WIDTH, type TileAddress, tilePath, tileWidth } from '../../../contract/ledger-tiles.ts';

const MAX_LEVEL = 6;

/**
 * Which tiles prove that the records at these indexes are in a ledger of `size` entries: those on their paths upwards,
 * and the right edge, which the root is computed from. Entries come for the same tiles of level 0. Memory: the numbers
 * of the tiles.
 */
export class LedgerExtract {
  readonly #size: number;
  readonly #levels: Set<number>[] = Array.from({ length: MAX_LEVEL + 1 }, () => new Set<number>());

  constructor(size: number) {
    this.#size = size;
    for (let level = 0; level <= MAX_LEVEL; level += 1) {
      const hashes = Math.floor(size / TILE_WIDTH ** level);
      if (hashes % TILE_WIDTH !== 0) this.#levels[level]?.add(Math.floor(hashes / TILE_WIDTH));
    }
  }

  cover(index: number): void {
    let tile = index;
    for (const [level, tiles] of this.#levels.entries()) {
      tile = Math.floor(tile / TILE_WIDTH);
      if (tileWidth(level, tile, this.#size) === 0 || tiles.has(tile)) return;
      tiles.add(tile);
    }
  }

  /** Tiles and bundles of entries, level after level, each with its path below ledger/. */
  *tiles(): Generator<TileAddress & { path: string }> {
    for (const [level, tiles] of this.#levels.entries()) {
      for (const index of [...tiles].sort((a, b) => a - b)) {
        const width = tileWidth(level, index, this.#size);
        if (level === 0) yield { level: 'entries', index, width, path: tilePath('entries', index, width) };
        yield { level, index, width, path: tilePath(level, index, width) };
      }
    }
  }
}
