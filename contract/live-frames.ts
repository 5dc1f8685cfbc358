export const MOST_COLS = 1000;
export const MOST_ROWS = 500;
export function clampSize(cols: number, rows: number): { cols: number; rows: number } {
  return { cols: clamp(cols, 2, MOST_COLS, 80), rows: clamp(rows, 1, MOST_ROWS, 24) };
}
function clamp(value: number, least: number, most: number, none: number): number {
  return Number.isInteger(value) && value > 0 ? Math.min(most, Math.max(least, value)) : none;
}
