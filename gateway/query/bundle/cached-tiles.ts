import type { TileSource } from '../../ledger/tiles.ts';

const MOST_TILES = 64;

/** The last few tiles that were asked for stay in memory: 8 KiB each. */
export class CachedTiles implements TileSource {
  readonly #source: TileSource;
  readonly #tiles = new Map<string, Promise<Uint8Array>>();

  constructor(source: TileSource) {
    this.#source = source;
  }

  tile(level: number, index: number, width: number): Promise<Uint8Array> {
    const key = `${level}/${index}/${width}`;
    const tile = this.#tiles.get(key) ?? this.#source.tile(level, index, width);
    this.#tiles.delete(key);
    this.#tiles.set(key, tile);
    for (const oldest of this.#tiles.keys()) if (this.#tiles.size > MOST_TILES) this.#tiles.delete(oldest);
    return tile;
  }
}
