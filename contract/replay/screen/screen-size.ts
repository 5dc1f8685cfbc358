const MOST_COLS = 500;
const MOST_ROWS = 200;

/**
 * The size that a screen is kept and shown in, everywhere. A client may ask for any (RFC 4254, section 6.2: 0 as well,
 * and 32 bits of columns), and a terminal needs memory for each cell.
 */
export function clampSize(cols: number, rows: number): { cols: number; rows: number } {
  return { cols: clamp(cols, 2, MOST_COLS, 80), rows: clamp(rows, 1, MOST_ROWS, 24) };
}

function clamp(value: number, least: number, most: number, otherwise: number): number {
  return Number.isInteger(value) && value > 0 ? Math.min(most, Math.max(least, value)) : otherwise;
}
