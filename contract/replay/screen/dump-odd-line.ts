import { penOfCell } from './dump-line.ts';
import type { DumpText } from './dump-text.ts';
import { COLOUR, COLOUR_MODE } from './packed-cells.ts';
import { isErased } from './pen.ts';
import { type Cell, emptyCell, type ScreenLine } from './terminal-internals.ts';

/** Two columns wide and blank. */
export const WIDE = '\u3000';

/**
 * Draws any line onto a blank row, in whatever order makes its cells what they are. The cursor stays on the row; behind
 * its last column where that has a character.
 */
export function dumpOddLine(out: DumpText, line: ScreenLine, cols: number, row: number): void {
  new OddLine(out, line, cols, row).draw();
}

class OddLine {
  readonly #out: DumpText;
  readonly #line: ScreenLine;
  readonly #cols: number;
  readonly #row: number;
  readonly #cell: Cell = emptyCell();
  /** Columns that hold something already, which has to go even where the line is blank. */
  readonly #used = new Set<number>();
  /** Columns that are drawn. */
  readonly #done = new Set<number>();
  /** Where the next character would be printed, if that is known. */
  #at: number | undefined;

  constructor(out: DumpText, line: ScreenLine, cols: number, row: number) {
    this.#out = out;
    this.#line = line;
    this.#cols = cols;
    this.#row = row;
  }

  draw(): void {
    this.#blanks();
    for (let x = 0; x < this.#cols; ) {
      const cell = this.#load(x);
      const chars = cell.getChars();
      if (this.#done.has(x)) x += 1;
      else if (chars === '') x = this.#erase(x);
      else {
        const width = cell.getWidth();
        penOfCell(this.#out, this.#line, x);
        // Without a width of its own it must not be joined with what is before it.
        if (width === 0 || this.#at !== x) this.#move(x);
        this.#out.text(chars);
        x += Math.max(1, width);
        this.#at = width === 0 || x >= this.#cols ? undefined : x;
      }
    }
  }

  #load(x: number): Cell {
    return this.#line.loadCell(x, this.#cell);
  }

  /** A run of blank cells with the same background. */
  #erase(from: number): number {
    const background = paint(this.#load(from).bg);
    let x = from;
    let needed = background !== 0;
    for (; x < this.#cols && !this.#done.has(x); x += 1) {
      const cell = this.#load(x);
      if (cell.getChars() !== '' || paint(cell.bg) !== background) break;
      if (this.#used.has(x)) needed = true;
    }
    if (!needed) return x;
    this.#out.pen(0, background);
    this.#move(from);
    this.#out.text(`\x1b[${x - from}X`);
    return x;
  }

  /** Blank cells with more than a background: what is left when half of a wide character is overwritten. */
  #blanks(): void {
    const last = this.#cols - 1;
    for (let x = 0; x < this.#cols; x += 1) {
      const cell = this.#load(x);
      if (cell.getChars() === '' && cell.getWidth() === 1 && !isErased(cell)) this.#done.add(x);
    }
    if (!this.#done.has(last)) {
      for (const x of this.#done) {
        this.#blank(x, x);
        this.#used.add(x + 1);
      }
      return;
    }
    // Nothing wide fits into the last column, so the row is made one column further to the left and pushed.
    for (const x of this.#done) if (x > 0 && x < last) this.#blank(x, x - 1);
    penOfCell(this.#out, this.#line, last);
    this.#move(last - 1);
    this.#out.text(WIDE);
    this.#move(0);
    this.#out.text('\x1b[4hx\x1b[4l');
    this.#at = undefined;
    for (let x = 0; x < this.#cols; x += 1) this.#used.add(x);
    if (this.#done.has(0) && this.#done.has(1)) this.#done.delete(0);
    else if (this.#done.has(0)) this.#blank(0, 0);
  }

  /** Overwrites the second half of a wide character, with what the first is to be left with. */
  #blank(from: number, x: number): void {
    penOfCell(this.#out, this.#line, from);
    this.#move(x);
    this.#out.text(WIDE);
    this.#move(x + 1);
    this.#out.text('x');
    this.#at = undefined;
  }

  #move(x: number): void {
    this.#out.move(x, this.#row);
    this.#at = x;
  }
}

/** A background, or 0 for none, whatever is left in the bits of one. */
function paint(bg: number): number {
  return (bg & COLOUR_MODE) === 0 ? 0 : bg & COLOUR;
}
