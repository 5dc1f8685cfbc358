import { parseTilePath, TILE_WIDTH, type TileAddress, tilePath, tileWidth } from '../../contract/ledger-tiles.ts';
import { SallyportError } from '../base/errors.ts';
import { HASH_BYTES } from './merkle.ts';

/** Names and contents of the files of a C2SP tlog-tiles log (c2sp.org/tlog-tiles). */

export { parseTilePath, TILE_WIDTH, type TileAddress, tilePath, tileWidth };

/** Levels that trees of at most 2^53 entries have. */
const MAX_LEVEL = 6;

/** Whoever has tiles: a data directory, a bundle, a remote log. Answers with exactly `width` hashes, or rejects. */
export interface TileSource {
  tile(level: number, index: number, width: number): Promise<Uint8Array>;
}

/** All Merkle tiles of a tree, level after level. Its bundles of entries are at the same indexes as the tiles of level 0. */
export function* tilesOf(size: number): Generator<TileAddress & { level: number }> {
  for (let level = 0; level <= MAX_LEVEL; level += 1) {
    for (let index = 0; ; index += 1) {
      const width = tileWidth(level, index, size);
      if (width > 0) yield { level, index, width };
      if (width < TILE_WIDTH) break;
    }
  }
}

/** A bundle: each entry after its length as two bytes, big-endian. */
export function entriesBytes(entries: readonly Uint8Array[]): Uint8Array {
  const parts = entries.flatMap((entry) => {
    if (entry.length > 0xffff) throw new RangeError('an entry of a ledger has at most 65535 bytes');
    return [Buffer.of(entry.length >> 8, entry.length & 0xff), entry];
  });
  return Buffer.concat(parts);
}

/** The inverse: exactly `width` entries, as views. Throws LEDGER_DAMAGED for anything else. */
export function parseEntries(bytes: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length && entries.length < width) {
    const from = offset + 2;
    const length = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
    offset = from + length;
    if (offset > bytes.length) break;
    entries.push(bytes.subarray(from, offset));
  }
  if (offset === bytes.length && entries.length === width) return entries;
  throw damagedTile(`a bundle of ${bytes.length} bytes does not consist of ${width} entries`);
}

/** Throws LEDGER_DAMAGED unless `bytes` are `width` hashes. */
export function requireTile(bytes: Uint8Array, address: TileAddress): Uint8Array {
  if (bytes.length === address.width * HASH_BYTES) return bytes;
  const { level, index, width } = address;
  throw damagedTile(`${tilePath(level, index, width)} has ${bytes.length} bytes instead of ${width * HASH_BYTES}`);
}

function damagedTile(what: string): SallyportError {
  return new SallyportError('LEDGER_DAMAGED', `The ledger is damaged: ${what}`, {
    remedy: 'sallyport verify says what is wrong and where',
  });
}
