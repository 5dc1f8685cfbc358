import { decodeBase64 } from './encodings.ts';
import { HASH_BYTES } from './merkle.ts';

/** Hashes in a full tile (c2sp.org/tlog-tiles). */
export const TILE_WIDTH = 256;

/** Levels that a tree of at most 2^53 entries has. */
export const MAX_LEVEL = 6;

export interface Tile {
  path: string;
  level: number;
  index: number;
  hashes: readonly Uint8Array[];
}

/** The Merkle tiles that a bundle has. Of several widths of a tile the widest counts. */
export class TileSet {
  readonly #tiles = new Map<string, Tile>();
  /** Paths that are no tiles, and tiles that are not as long as their name says. */
  readonly unreadable: string[] = [];

  constructor(files: Readonly<Record<string, string>>) {
    for (const [path, base64] of Object.entries(files)) {
      const address = parseTilePath(path);
      if (address === undefined) {
        this.unreadable.push(path);
        continue;
      }
      if (address.level === 'entries') continue; // The records themselves, or their hashes, are in the bundle.
      const bytes = decodeBase64(base64);
      if (bytes?.length !== address.width * HASH_BYTES) {
        this.unreadable.push(path);
        continue;
      }
      const key = `${address.level}/${address.index}`;
      const known = this.#tiles.get(key);
      if (known !== undefined && known.hashes.length >= address.width) continue;
      const hashes = Array.from({ length: address.width }, (_, index) => bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
      this.#tiles.set(key, { path, level: address.level, index: address.index, hashes });
    }
  }

  get(level: number, index: number): Tile | undefined {
    return this.#tiles.get(`${level}/${index}`);
  }

  [Symbol.iterator](): IterableIterator<Tile> {
    return this.#tiles.values();
  }

  get size(): number {
    return this.#tiles.size;
  }
}

/** Hashes on this level of a tree with so many entries. */
export function hashesOnLevel(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** `tile/<L>/<N>[.p/<W>]`, for example `tile/0/x001/234.p/5`. */
export function tilePath(level: number, index: number, width: number): string {
  const groups: string[] = [];
  for (let rest = index; ; rest = Math.floor(rest / 1000)) {
    groups.unshift(`${groups.length === 0 ? '' : 'x'}${String(rest % 1000).padStart(3, '0')}`);
    if (rest < 1000) break;
  }
  return `tile/${level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

const TILE_PATH = /^tile\/(entries|[0-6])\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

function parseTilePath(path: string): { level: number | 'entries'; index: number; width: number } | undefined {
  const [match, level, digits = '', partial] = TILE_PATH.exec(path) ?? [];
  if (match === undefined) return undefined;
  const index = Number(digits.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  if (width > TILE_WIDTH || !Number.isSafeInteger(index)) return undefined;
  return { level: level === 'entries' ? 'entries' : Number(level), index, width };
}
