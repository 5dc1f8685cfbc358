import { printable } from '../../base/printable.ts';
import type { Cell, Column, Row } from './question.ts';

/**
 * Comma-separated values as RFC 4180 has them: a header, CRLF, quotes doubled. A spreadsheet takes a cell that begins
 * with one of `= + - @` for a formula and runs it, and much in these cells is written by whoever was recorded: such a
 * cell, and one that begins with an apostrophe, has an apostrophe in front, which spreadsheets do not show. Controls
 * are written as `\x1b`; NDJSON has every byte as it is.
 */
export function csvHeader(columns: readonly Column[]): string {
  return `${columns.map(({ name }) => name).join(',')}\r\n`;
}

export function csvLine(columns: readonly Column[], row: Row): string {
  return `${columns.map(({ name }) => csvCell(row[name] ?? null)).join(',')}\r\n`;
}

/** Also behind blanks and signs without width, which spreadsheets pass over, and in the wide forms of East Asian text. */
const FORMULA = /^[\s\p{Cf}]*['=+\-@|%＝＋－＠]/u;

function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell);
  const text = printable(typeof cell === 'string' ? cell : cell.join('; '), { keepLines: true });
  const harmless = FORMULA.test(text) || /^[\t\n\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
