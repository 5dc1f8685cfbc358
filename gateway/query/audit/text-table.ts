import { printable } from '../../base/printable.ts';
import { padded, textWidth } from '../text-width.ts';
import type { Cell, Column, Row } from './question.ts';

/** Rows that are looked at for the widths of the columns; what comes later and is wider pushes its line out. */
const LOOKED_AT = 500;
/** A column is not made wider than this for one long cell. */
const WIDEST = 48;

/** Rows as a table for people, without the columns that are wide. Nothing is cut: a cell is shown whole, on one line. */
export class TextTable {
  readonly #columns: readonly Column[];
  #waiting: string[][] | undefined = [];
  #widths: number[] = [];

  constructor(columns: readonly Column[]) {
    this.#columns = columns.filter(({ wide }) => wide !== true);
  }

  *push(row: Row): Generator<string> {
    const cells = this.#columns.map(({ name }) => tableCell(name, row[name] ?? null));
    if (this.#waiting === undefined) {
      yield this.#line(cells);
      return;
    }
    this.#waiting.push(cells);
    if (this.#waiting.length >= LOOKED_AT) yield* this.end();
  }

  *end(): Generator<string> {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    if (waiting.length === 0) return;
    const header = this.#columns.map(({ name }) => name.toUpperCase().replaceAll('_', ' '));
    this.#widths = header.map((title, column) =>
      waiting.reduce((widest, cells) => Math.max(widest, Math.min(WIDEST, textWidth(cells[column] ?? ''))), textWidth(title)),
    );
    yield this.#line(header);
    for (const cells of waiting) yield this.#line(cells);
  }

  #line(cells: readonly string[]): string {
    return `${cells
      .map((cell, column) => padded(cell, this.#widths[column] ?? 0))
      .join('  ')
      .trimEnd()}\n`;
  }
}

function tableCell(name: string, cell: Cell): string {
  if (cell === null) return '-';
  if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell);
  const text = typeof cell === 'string' ? cell : cell.join(', ');
  // A second is enough for reading; exact times are in CSV and NDJSON.
  if (TIMES.has(name) && /^\d{4}-\d\d-\d\dT/.test(text)) return text.slice(0, 19).replace('T', ' ');
  return printable(text);
}

const TIMES: ReadonlySet<string> = new Set(['time', 'started', 'ended', 'first', 'last']);
