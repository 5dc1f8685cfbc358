/** Names of the files of a ledger, on disk, in a bundle and over HTTPS: C2SP tlog-tiles (c2sp.org/tlog-tiles). */

/** Hashes in a full tile, and entries in a full bundle of entries. */
export const TILE_WIDTH = 256;

export interface TileAddress {
  level: number | 'entries';
  index: number;
  /** 256 of a full tile. */
  width: number;
}

/** `tile/<L>/<N>[.p/<W>]`, for example `tile/0/x001/234.p/5`. */
export function tilePath(level: number | 'entries', index: number, width: number): string {
  const groups: string[] = [];
  for (let rest = index; ; rest = Math.floor(rest / 1000)) {
    groups.unshift(`${groups.length === 0 ? '' : 'x'}${String(rest % 1000).padStart(3, '0')}`);
    if (rest < 1000) break;
  }
  return `tile/${level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

const TILE_PATH = /^tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** The inverse; undefined for everything that `tilePath` does not give. */
export function parseTilePath(path: string): TileAddress | undefined {
  const match = TILE_PATH.exec(path);
  if (match === null) return undefined;
  const [, level = '', digits = '', partial] = match;
  const address: TileAddress = {
    level: level === 'entries' ? 'entries' : Number(level),
    index: Number(digits.replaceAll(/[x/]/g, '')),
    width: partial === undefined ? TILE_WIDTH : Number(partial),
  };
  if (partial !== undefined && address.width >= TILE_WIDTH) return undefined;
  // One tile has one name: no group of zeros in front, no number too large to be exact.
  return Number.isSafeInteger(address.index) && tilePath(address.level, address.index, address.width) === path ? address : undefined;
}

/** Hashes that the tile has in a tree of `size` entries, 0 when it is not part of it. Entries are as wide as level 0. */
export function tileWidth(level: number | 'entries', index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level));
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}
