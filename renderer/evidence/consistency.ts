import { sameBytes } from './encodings.ts';
import { hashesOnLevel, MAX_LEVEL, TILE_WIDTH, type TileSet } from './tile-set.ts';
import { rootAt, TreeCheck } from './tree.ts';

/** The head of a log at some time. */
export interface LogHead {
  readonly size: number;
  readonly root: Uint8Array;
}

export type Consistency = 'consistent' | 'inconsistent' | { readonly missing: readonly string[] };

/** Level, number and width of a tile. */
export type TileAddress = readonly [level: number, index: number, width: number];

/**
 * The tiles of a log with `size` entries that show whether it continues what it was with `before` entries: those at the
 * right edge then, up to the root, and those at the right edge now. At most two on each level.
 */
export function tilesForConsistency(before: number, size: number): TileAddress[] {
  const tiles = new Map<string, TileAddress>();
  for (let level = 0; level <= MAX_LEVEL; level += 1) {
    const hashes = hashesOnLevel(level, size);
    for (const edge of [hashesOnLevel(level, before), hashes]) {
      const index = Math.floor(edge / TILE_WIDTH);
      const width = Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH);
      if (width > 0) tiles.set(`${level}/${index}`, [level, index, width]);
    }
  }
  return [...tiles.values()];
}

/**
 * Whether a log continues an earlier one: the tiles add up to its root, those at the earlier edge belong to that tree,
 * and cut off there they have the earlier root (RFC 6962, section 2.1.2, with tiles in the place of a proof).
 */
export function isContinued(tiles: TileSet, before: LogHead, now: LogHead): Consistency {
  if (before.size > now.size) return 'inconsistent';
  if (before.size === now.size) return sameBytes(before.root, now.root) ? 'consistent' : 'inconsistent';
  if (before.size === 0) return 'consistent';
  const tree = new TreeCheck(tiles, now.size, now.root);
  if (tree.missing.length > 0) return { missing: tree.missing };
  if (!tree.rootFits) return 'inconsistent';
  for (let level = 0; level <= MAX_LEVEL; level += 1) {
    const hashes = hashesOnLevel(level, before.size);
    if (hashes % TILE_WIDTH === 0) continue;
    const tile = tiles.get(level, Math.floor(hashes / TILE_WIDTH));
    if (tile !== undefined && !tree.belongs(tile)) return 'inconsistent';
  }
  const then = rootAt(tiles, before.size);
  if ('missing' in then) return { missing: then.missing };
  return sameBytes(then.root, before.root) ? 'consistent' : 'inconsistent';
}
