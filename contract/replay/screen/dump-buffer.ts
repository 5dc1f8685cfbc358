import { isErased, type Pen, penOf, samePen, setPen } from './pen.ts';
import { type Cell, emptyCell, type ScreenBuffer, type ScreenLine, type TerminalCore } from './terminal-internals.ts';

/** Two columns wide and blank. */
const WIDE = '\u3000';

const PLAIN: Pen = { plain: '', protected: false, style: 0, colour: '' };

/**
 * Lines and tab stops of one of the two buffers, into the active buffer of a terminal that was just reset. `above`:
 * whether lines that have been scrolled off the screen are among them.
 */
export function dumpBuffer(core: TerminalCore, buffer: ScreenBuffer, above: boolean): string {
  return new BufferDump(core, buffer, above ? 0 : buffer.ybase).run();
}

class BufferDump {
  readonly #core: TerminalCore;
  readonly #buffer: ScreenBuffer;
  readonly #cell: Cell;
  readonly #first: number;
  #out = '';
  #pen: Pen = PLAIN;
  /** Where the next character would be printed, if that is known. */
  #at: { x: number; row: number } | undefined;

  constructor(core: TerminalCore, buffer: ScreenBuffer, first: number) {
    this.#core = core;
    this.#buffer = buffer;
    this.#cell = emptyCell();
    this.#first = first;
  }

  run(): string {
    const { rows } = this.#core;
    const count = this.#count;
    if (this.#line(0).isWrapped) this.#wrapFirst();
    for (let row = 1; row < Math.min(rows, count); row += 1) if (this.#line(row).isWrapped) this.#wrapInto(row - 1);
    for (let index = 0; index < Math.min(rows, count) - 1; index += 1) this.#fill(index, index);
    // Each further line scrolls the screen; a line is filled once it is known whether the next one continues it.
    for (let index = rows; index < count; index += 1) {
      if (rows === 1) this.#fill(index - 1, 0);
      if (this.#line(index).isWrapped) this.#wrapInto(rows - 1);
      else this.#scroll();
      if (rows > 1) this.#fill(index - 1, rows - 2);
    }
    this.#fill(count - 1, Math.min(rows, count) - 1);
    this.#usePen(PLAIN);
    return this.#out + this.#tabs();
  }

  get #count(): number {
    return this.#buffer.lines.length - this.#first;
  }

  #line(index: number): ScreenLine {
    return this.#buffer.lines.get(this.#first + index) as ScreenLine;
  }

  #load(line: ScreenLine, x: number): Cell {
    // A cell without attributes of this kind leaves those of the cell before it in place.
    return line.loadCell(x, this.#cell);
  }

  /** Makes the row below continue this one, which leaves a character at the end of this row and the start of that. */
  #wrapInto(row: number): void {
    this.#usePen(PLAIN);
    this.#move(this.#core.cols - 1, row);
    this.#out += 'xx';
    this.#at = undefined;
  }

  #scroll(): void {
    this.#usePen(PLAIN);
    this.#move(0, this.#core.rows - 1);
    this.#out += '\n';
    this.#at = undefined;
  }

  /** The first line continues one that is gone. */
  #wrapFirst(): void {
    this.#wrapInto(this.#core.rows - 1);
    for (let row = 1; row < this.#core.rows; row += 1) this.#out += '\n';
    this.#out += '\x1b[3J';
  }

  #fill(index: number, row: number): void {
    const line = this.#line(index);
    const { cols } = this.#core;
    // Columns that hold something already, which has to go even where the line is blank.
    const used = new Set<number>();
    if (line.isWrapped) used.add(0);
    if (index + 1 < this.#count && this.#line(index + 1).isWrapped) used.add(cols - 1);
    const done = this.#blanks(line, row, used);
    for (let x = 0; x < cols; ) {
      const cell = this.#load(line, x);
      const chars = cell.getChars();
      if (done.has(x)) x += 1;
      else if (chars === '') x = this.#erase(line, x, row, used, done);
      else {
        const width = cell.getWidth();
        this.#usePen(penOf(cell));
        // Without a width of its own it must not be joined with what is before it.
        if (width === 0 || this.#at?.x !== x || this.#at.row !== row) this.#move(x, row);
        this.#out += chars;
        x += Math.max(1, width);
        this.#at = width === 0 || x >= cols ? undefined : { x, row };
      }
    }
  }

  /** A run of blank cells with the same background. */
  #erase(line: ScreenLine, from: number, row: number, used: ReadonlySet<number>, done: ReadonlySet<number>): number {
    const { cols } = this.#core;
    const { bg } = this.#load(line, from);
    const pen = penOf({ fg: 0, bg: bg & 0x3ffffff, extended: { underlineStyle: 0, underlineColor: 0 } });
    let x = from;
    let needed = pen.plain !== '';
    for (; x < cols && !done.has(x); x += 1) {
      const cell = this.#load(line, x);
      const same = x === from || penOf({ fg: 0, bg: cell.bg & 0x3ffffff, extended: cell.extended }).plain === pen.plain;
      if (cell.getChars() !== '' || !same) break;
      if (used.has(x)) needed = true;
    }
    if (!needed) return x;
    this.#usePen(pen);
    this.#move(from, row);
    this.#out += `\x1b[${x - from}X`;
    return x;
  }

  /** Blank cells with more than a background: what is left when half of a wide character is overwritten. */
  #blanks(line: ScreenLine, row: number, used: Set<number>): Set<number> {
    const { cols } = this.#core;
    const done = new Set<number>();
    const last = cols - 1;
    for (let x = 0; x < cols; x += 1) {
      const cell = this.#load(line, x);
      if (cell.getChars() === '' && cell.getWidth() === 1 && !isErased(cell)) done.add(x);
    }
    if (done.has(last)) {
      // Nothing wide fits into the last column, so the row is made one column further to the left and pushed.
      for (const x of done) if (x > 0 && x < last) this.#blank(line, x, x - 1, row);
      this.#usePen(penOf(this.#load(line, last)));
      this.#move(last - 1, row);
      this.#out += WIDE;
      this.#move(0, row);
      this.#out += '\x1b[4hx\x1b[4l';
      this.#at = undefined;
      for (let x = 0; x < cols; x += 1) used.add(x);
      if (done.has(0) && done.has(1)) done.delete(0);
      else if (done.has(0)) this.#blank(line, 0, 0, row);
      return done;
    }
    for (const x of done) {
      this.#blank(line, x, x, row);
      used.add(x + 1);
    }
    return done;
  }

  /** Overwrites the second half of a wide character, with what the first is to be left with. */
  #blank(line: ScreenLine, from: number, x: number, row: number): void {
    this.#usePen(penOf(this.#load(line, from)));
    this.#move(x, row);
    this.#out += WIDE;
    this.#move(x + 1, row);
    this.#out += 'x';
    this.#at = undefined;
  }

  #usePen(pen: Pen): void {
    if (samePen(pen, this.#pen)) return;
    this.#pen = pen;
    this.#out += setPen(pen);
  }

  #move(x: number, row: number): void {
    this.#out += `\x1b[${row + 1};${x + 1}H`;
    this.#at = { x, row };
  }

  #tabs(): string {
    const { cols } = this.#core;
    const stops = Array.from({ length: cols }, (_, x) => x).filter((x) => this.#buffer.tabs[x] === true);
    const usual = Array.from({ length: Math.ceil(cols / 8) }, (_, index) => index * 8);
    if (stops.join() === usual.join()) return '';
    return `\x1b[3g${stops.map((x) => `\x1b[1;${x + 1}H\x1bH`).join('')}`;
  }
}
