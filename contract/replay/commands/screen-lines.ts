import type { LineMarker, ScreenBuffer, TerminalCore } from '../screen/terminal-internals.ts';

/** Of a line so many characters are read, from its end upwards. */
const MOST_READ = 24 * 1024;

const MOST_CREDIT = 8 * MOST_READ;

/** Of a line that was typed. */
const MOST_BETWEEN = 12 * 1024;

/** Rows of a screen as lines of text. An index counts all rows that are kept, from the top of what has scrolled off. */
export class ScreenLines {
  readonly core: TerminalCore;
  /** What may still be read beyond one row a time. Output and keys pay for it, so that none makes it cost more than itself. */
  #credit = MOST_CREDIT;

  constructor(core: TerminalCore) {
    this.core = core;
  }

  /** So much is shown or typed next. */
  earn(length: number): void {
    this.#credit = Math.min(this.#credit + length * 16 + 1024, MOST_CREDIT);
  }

  get buffer(): ScreenBuffer {
    return this.core.buffers.active;
  }

  get alternate(): boolean {
    return this.core.buffers.active === this.core.buffers.alt;
  }

  cursorRow(buffer = this.buffer): number {
    return buffer.ybase + buffer.y;
  }

  /** The line that a row ends, wrapped rows joined, with the blanks behind it. */
  lineUpTo(row: number, buffer = this.buffer): string {
    return this.#read(buffer, this.#firstRow(row, buffer), row, this.core.cols);
  }

  /** What stands on the line left of the cursor. */
  left(buffer = this.buffer): string {
    const row = this.cursorRow(buffer);
    return this.#read(buffer, this.#firstRow(row, buffer), row, buffer.x);
  }

  /** The character left of the cursor. */
  before({ x } = this.buffer): string {
    return x === 0 ? '' : (this.buffer.lines.get(this.cursorRow())?.translateToString(false, x - 1, x) ?? '');
  }

  right(buffer = this.buffer): string {
    return buffer.lines.get(this.cursorRow(buffer))?.translateToString(true, Math.min(buffer.x, this.core.cols)).trimEnd() ?? '';
  }

  /** Rows that were not wrapped are lines of their own. Of many rows the first and the last. Undefined when it costs too much. */
  between(first: number, last: number, buffer = this.buffer): string | undefined {
    const { cols } = this.core;
    const cells = (last - first + 1) * cols;
    if (first > last || first < 0 || (first < last && !this.#spend(Math.min(cells, MOST_BETWEEN)))) return undefined;
    if (cells <= MOST_BETWEEN) return this.#read(buffer, first, last, cols);
    const [above, below] = [Math.floor((MOST_BETWEEN * 2) / 3 / cols), Math.floor(MOST_BETWEEN / 3 / cols)];
    const head = this.#read(buffer, first, first + above - 1, cols);
    const tail = this.#read(buffer, last - below + 1, last, cols);
    return `${head} … (${last - first + 1 - above - below} rows are left out) … ${tail}`;
  }

  /** The first row of the line that this row is part of. */
  firstRow(row: number, buffer = this.buffer): number {
    return this.#firstRow(row, buffer);
  }

  /** Whether some of the line stands on the screen, wherever. */
  shows(bare: string): boolean {
    const { buffer } = this;
    if (bare === '' || !this.#spend(this.core.cols * this.core.rows)) return false;
    return bareText(this.#read(buffer, buffer.ybase, buffer.ybase + this.core.rows - 1, this.core.cols)).includes(bare);
  }

  mark(row: number, buffer = this.buffer): LineMarker {
    return buffer.addMarker(row);
  }

  #firstRow(row: number, buffer: ScreenBuffer): number {
    const least = Math.max(0, row - Math.floor(MOST_READ / this.core.cols));
    let first = row;
    while (first > least && buffer.lines.get(first)?.isWrapped === true) first -= 1;
    return first === row || this.#spend((row - first + 1) * this.core.cols) ? first : row;
  }

  #read(buffer: ScreenBuffer, first: number, last: number, end: number): string {
    let text = '';
    for (let row = first; row <= last; row += 1) {
      const line = buffer.lines.get(row);
      if (line === undefined) continue;
      if (row > first && !line.isWrapped) text = `${text.trimEnd()}\n`;
      text += line.translateToString(false, 0, row === last ? Math.min(end, line.length) : line.length);
    }
    return text;
  }

  #spend(cells: number): boolean {
    if (cells > this.#credit) return false;
    this.#credit -= cells;
    return true;
  }
}

/** Without blanks: where lines wrap, and at tabs, a screen has others than were typed. */
export function bareText(text: string): string {
  return text.replaceAll(/\s+/g, '');
}
