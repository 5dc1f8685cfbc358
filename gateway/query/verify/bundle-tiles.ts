import { asSallyportError, SallyportError } from '../../base/errors.ts';
import type { Checkpoint } from '../../ledger/checkpoint.ts';
import { HASH_BYTES, leafHash, perfectRoot, sameHash } from '../../ledger/merkle.ts';
import { rootFromTiles } from '../../ledger/proofs.ts';
import { parseEntries, parseTilePath, TILE_WIDTH, type TileSource, tilePath, tileWidth } from '../../ledger/tiles.ts';
import type { BundleFiles } from './bundle-files.ts';
import { fault, type Report } from './finding.ts';

const LEDGER = 'data/ledger/';
const MOST_TILE_BYTES = TILE_WIDTH * (2 + 1024);
/** Tiles in memory, 8 KiB each: those on the way from a record up to the root, and a few neighbours. */
const KEPT = 64;

/**
 * The tiles of a bundle: those on the paths from its records to the root, and the right edge. Each is worth what the one
 * above it says, up to the root that is signed.
 */
export class BundleTiles implements TileSource {
  readonly #files: BundleFiles;
  readonly #report: Report;
  readonly #checkpoint: Checkpoint;
  readonly #kept = new Map<string, Uint8Array>();
  tiles = 0;

  constructor(files: BundleFiles, checkpoint: Checkpoint, report: Report) {
    this.#files = files;
    this.#checkpoint = checkpoint;
    this.#report = report;
  }

  /** Throws LEDGER_DAMAGED when the bundle does not have it. */
  async tile(level: number, index: number, width: number): Promise<Uint8Array> {
    const found = await this.#tile(level, index);
    if (found !== undefined && found.length >= width * HASH_BYTES) return found.subarray(0, width * HASH_BYTES);
    throw new SallyportError('LEDGER_DAMAGED', `The bundle has no ${tilePath(level, index, width)}`);
  }

  /** Whether the tiles have the root that was signed, and each the hash that the tile above has for it. All faults are told. */
  async check(): Promise<boolean> {
    const agrees = await this.#checkRoot();
    for (const name of this.#files.names(`${LEDGER}tile/`)) {
      const address = parseTilePath(name.slice(LEDGER.length));
      if (address === undefined || tileWidth(address.level, address.index, this.#checkpoint.size) !== address.width) {
        this.#report(fault('added', { file: name }, 'This is no tile of a ledger of that size'));
        continue;
      }
      this.tiles += 1;
      if (address.level === 'entries') await this.#checkEntries(name, address.index, address.width);
      else if (address.width === TILE_WIDTH) await this.#checkFull(name, address.level, address.index);
    }
    return agrees;
  }

  /** The leaf hash that the ledger has at an index; undefined when its tile is not there. */
  async leaf(index: number): Promise<Uint8Array | undefined> {
    const tile = await this.#tile(0, Math.floor(index / TILE_WIDTH));
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    return tile === undefined || tile.length < at + HASH_BYTES ? undefined : tile.subarray(at, at + HASH_BYTES);
  }

  async #checkRoot(): Promise<boolean> {
    const { size, root } = this.#checkpoint;
    try {
      if (sameHash(await rootFromTiles(this, size), root)) return true;
      this.#report(
        fault(
          'inconsistent',
          { file: `${LEDGER}checkpoint` },
          'The tiles of the bundle do not have the root that the checkpoint was signed over',
        ),
      );
    } catch (thrown) {
      this.#report(
        fault('missing', { file: `${LEDGER}checkpoint` }, `The root of the ledger cannot be computed: ${asSallyportError(thrown).message}`),
      );
    }
    return false;
  }

  async #checkFull(name: string, level: number, index: number): Promise<void> {
    const tile = await this.#tile(level, index);
    if (tile === undefined) return;
    const above = await this.#tile(level + 1, Math.floor(index / TILE_WIDTH));
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    if (above === undefined)
      this.#report(fault('missing', { file: name }, 'The tile above this one is not in the bundle, so nothing proves it'));
    else if (!sameHash(perfectRoot(tile), above.subarray(at, at + HASH_BYTES)))
      this.#report(fault('altered', { file: name }, 'The tile does not have the hash that the tile above has for it'));
  }

  async #checkEntries(name: string, index: number, width: number): Promise<void> {
    const bytes = await this.#files.read(name, MOST_TILE_BYTES);
    const tile = await this.#tile(0, index);
    if (bytes === undefined || tile === undefined) return;
    try {
      const wrong = parseEntries(bytes, width).findIndex(
        (entry, at) => !sameHash(leafHash(entry), tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)),
      );
      if (wrong >= 0)
        this.#report(
          fault('altered', { file: name, index: index * TILE_WIDTH + wrong }, 'The entry is not the one that the tile has the hash of'),
        );
    } catch (thrown) {
      this.#files.malformed(name, asSallyportError(thrown).message);
    }
  }

  async #tile(level: number, index: number): Promise<Uint8Array | undefined> {
    const width = tileWidth(level, index, this.#checkpoint.size);
    const path = tilePath(level, index, width === 0 ? TILE_WIDTH : width);
    const known = this.#kept.get(path);
    if (known !== undefined) return known;
    if (width === 0 || !this.#files.has(LEDGER + path)) return undefined;
    const bytes = await this.#files.read(LEDGER + path, TILE_WIDTH * HASH_BYTES);
    if (bytes === undefined) return undefined;
    if (bytes.length !== width * HASH_BYTES) {
      this.#files.malformed(LEDGER + path, `The tile does not consist of ${width} hashes`);
      return undefined;
    }
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= KEPT) this.#kept.delete(oldest);
    this.#kept.set(path, bytes);
    return bytes;
  }
}
