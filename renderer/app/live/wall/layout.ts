export interface Place {
  readonly width: number;
  readonly height: number;
}

export interface WallLayout {
  readonly columns: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** There are more than fit. */
  readonly scrolls: boolean;
}

export const GAP = 12;
/** What stands under the screen of a tile. */
export const CAPTION_HEIGHT = 38;
/** Below this nothing on a screen can be told. */
const LEAST_WIDTH = 300;
const LEAST_SCREEN = 150;
/** Of a terminal of 80×24, about. */
const SHAPE = 1.62;

/** Tiles as large as they can be: all of them in sight where that leaves them large enough, else as many columns as fit. */
export function layWall({ width, height }: Place, count: number): WallLayout {
  let best: WallLayout | undefined;
  let size = 0;
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.max(1, Math.ceil(count / columns));
    const tileWidth = Math.floor((width - GAP * (columns - 1)) / columns);
    const tileHeight = Math.floor((height - GAP * (rows - 1)) / rows);
    if (tileWidth < LEAST_WIDTH || tileHeight < LEAST_SCREEN + CAPTION_HEIGHT) continue;
    const shown = Math.min(tileWidth / SHAPE, tileHeight - CAPTION_HEIGHT);
    if (shown <= size) continue;
    size = shown;
    best = { columns, tileWidth, tileHeight, scrolls: false };
  }
  if (best !== undefined) return best;
  const columns = Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP)));
  const tileWidth = Math.max(1, Math.floor((width - GAP * (columns - 1)) / columns));
  return { columns, tileWidth, tileHeight: Math.round(tileWidth / SHAPE) + CAPTION_HEIGHT, scrolls: true };
}

/** The tiles that are in sight, at least in part: from, and to without it. */
export function inSight(
  { columns, tileHeight }: WallLayout,
  count: number,
  scrolled: number,
  height: number,
): { from: number; to: number } {
  const row = tileHeight + GAP;
  const first = Math.max(0, Math.floor(scrolled / row));
  const last = Math.ceil((scrolled + height) / row);
  return { from: Math.min(count, first * columns), to: Math.min(count, last * columns) };
}

/**
 * Which sessions are watched: those in sight, no more than so many. One that is watched already is not given up for
 * another one as long as it is in sight: each watching is on record.
 */
export function chooseWatched(sight: readonly string[], watched: ReadonlySet<string>, most: number): Set<string> {
  const kept = sight.filter((id) => watched.has(id)).slice(0, most);
  const added = sight.filter((id) => !watched.has(id)).slice(0, most - kept.length);
  return new Set([...kept, ...added]);
}

export type Direction = 'left' | 'right' | 'up' | 'down' | 'first' | 'last';

/** Where an arrow key leads from a place; it stays where there is nothing in that direction. */
export function moved(at: number, direction: Direction, columns: number, count: number): number {
  const last = count - 1;
  switch (direction) {
    case 'left':
      return Math.max(0, at - 1);
    case 'right':
      return Math.min(last, at + 1);
    case 'up':
      return at < columns ? at : at - columns;
    case 'down':
      // Into a last row that is not full: to its end.
      return Math.floor(at / columns) === Math.floor(last / columns) ? at : Math.min(last, at + columns);
    case 'first':
      return 0;
    default:
      return last;
  }
}
