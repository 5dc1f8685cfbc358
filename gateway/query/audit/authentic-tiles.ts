import { SallyportError } from '../../base/errors.ts';
import { HASH_BYTES, leafHash, perfectRoot, sameHash } from '../../ledger/merkle.ts';
import { rootFromTiles } from '../../ledger/proofs.ts';
import { requireTile, TILE_WIDTH, type TileSource, tileWidth } from '../../ledger/tiles.ts';

/**
 * Says whether the tree of a checkpoint has a record's hash at its place, for any number of records, mostly in order.
 * A full tile counts when its root is the hash that the tile above it has for it, up to those at the right edge, and
 * those count when the checkpoint's root follows from them. So a part of a large ledger is proved by reading that part.
 */
export class AuthenticTiles {
  readonly #source: TileSource;
  readonly #size: number;
  readonly #root: Uint8Array;
  /** The tile that was last used of each level: records come in their order. */
  readonly #current = new Map<number, { index: number; bytes: Uint8Array }>();
  #edge: Map<string, Uint8Array> | undefined;

  constructor(source: TileSource, size: number, root: Uint8Array) {
    this.#source = source;
    this.#size = size;
    this.#root = root;
  }

  get size(): number {
    return this.#size;
  }

  /** Throws LEDGER_DAMAGED when the ledger's own files do not follow from the checkpoint. */
  async has(index: number, entry: Uint8Array): Promise<boolean> {
    const tile = await this.#tile(0, Math.floor(index / TILE_WIDTH));
    const offset = (index % TILE_WIDTH) * HASH_BYTES;
    return sameHash(tile.subarray(offset, offset + HASH_BYTES), leafHash(entry));
  }

  async #tile(level: number, index: number): Promise<Uint8Array> {
    const current = this.#current.get(level);
    if (current?.index === index) return current.bytes;
    const bytes = await this.#proved(level, index);
    this.#current.set(level, { index, bytes });
    return bytes;
  }

  async #proved(level: number, index: number): Promise<Uint8Array> {
    const width = tileWidth(level, index, this.#size);
    const edge = (await this.#rightEdge()).get(`${level}/${index}`);
    if (edge !== undefined) return edge;
    const bytes = requireTile(await this.#source.tile(level, index, width), { level, index, width });
    const above = await this.#tile(level + 1, Math.floor(index / TILE_WIDTH));
    const offset = (index % TILE_WIDTH) * HASH_BYTES;
    if (!sameHash(above.subarray(offset, offset + HASH_BYTES), perfectRoot(bytes)))
      throw damaged(`tile ${index} of level ${level} is not the one that the tile above it commits to`);
    return bytes;
  }

  /** The tiles that are not full: all of them are needed for the root, and together they give it. */
  async #rightEdge(): Promise<Map<string, Uint8Array>> {
    if (this.#edge !== undefined) return this.#edge;
    const read = new Map<string, Uint8Array>();
    const root = await rootFromTiles(
      {
        tile: async (level, index, width) => {
          const bytes = requireTile(await this.#source.tile(level, index, width), { level, index, width });
          if (width < TILE_WIDTH) read.set(`${level}/${index}`, bytes);
          return bytes;
        },
      },
      this.#size,
    );
    if (!sameHash(root, this.#root)) throw damaged('its tiles do not add up to the root of the checkpoint');
    this.#edge = read;
    return read;
  }
}

function damaged(what: string): SallyportError {
  return new SallyportError('LEDGER_DAMAGED', `The ledger is damaged: ${what}`, {
    remedy: 'sallyport verify says what is wrong and where',
  });
}
