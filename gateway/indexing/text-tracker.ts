import type { Emulation } from '../../contract/replay/screen/emulation.ts';
import { CELL_WORDS, CHARACTERS, SECOND_HALF } from '../../contract/replay/screen/packed-cells.ts';
import type { ScreenBuffer, ScreenLine, TerminalCore } from '../../contract/replay/screen/terminal-internals.ts';
import { type ScreenWatcher, watchScreen } from '../../contract/replay/screen/watch-screen.ts';
import { asciiRead, lineText, readAscii } from './line-text.ts';
import { ScreenRows } from './screen-rows.ts';

/** Told of a line: microseconds since the channel opened at which all of it stood there first, and until when. */
export interface LineSink {
  see(text: string, first: number, last: number): void;
  /** So many ASCII characters: nearly all lines are told so. */
  seeAscii(characters: Buffer, length: number, first: number, last: number): void;
}

/** Lines that continue each other are put together up to so many rows; of what is longer, the parts are told. */
const MOST_JOINED_ROWS = 16;
const MOST_CARRIED = 16 * 1024;
/** What is looked for is not cut in two. */
const OVERLAP = 256;

/**
 * Output may have a whole row told for each character, again and again. What is told over a while is bounded by what is
 * printed in it; beyond that only what was printed last of a row is told, unless nothing else was for a second: nobody
 * hides what stands there for somebody to read.
 */
const MOST_TOLD_PER_CHARACTER = 8;
const MOST_SAVED_UP = 512 * 1024;
const TOLD_WHEN_SPENT = 64;
const READ_MICROS = 1_000_000;

const SPACE = 0x20;
/** The first character that takes two columns is behind this one. */
const LAST_NARROW = 0x10ff;

/**
 * Finds what stands on the screens of a terminal, for as long as it stands there, as lines of text. A line is told when
 * it is about to go: scrolled off, erased, overwritten, or given up with its screen. So nothing is missed that stood
 * there for a moment within one piece of output, and a line that is typed or extended counts once, as it was last.
 */
export class TextTracker implements ScreenWatcher {
  readonly #sink: LineSink;
  #core: TerminalCore | undefined;
  readonly #normal = new ScreenRows();
  readonly #alternate = new ScreenRows();
  #now = 0;
  /** What may be told before it is thinned out. */
  #saved = MOST_SAVED_UP;
  /** What is printed at the moment: where it began, as the screen has scrolled meanwhile, and whether it is text at all. */
  #printing: number | undefined;
  /** The beginning of a line whose first rows have scrolled off. */
  #carried = '';
  #carriedSince = 0;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** From here on this one, after `flush` if there was another. What stands on it already is not told unless it changes. */
  follow(emulation: Emulation): void {
    this.#core = emulation.core;
    watchScreen(emulation, this);
  }

  /** Output of so many characters comes at this time. */
  begin(at: number, length: number): void {
    this.#now = at;
    this.#saved = Math.min(MOST_SAVED_UP, Math.max(this.#saved, -MOST_CARRIED) + length * MOST_TOLD_PER_CHARACTER);
  }

  /** Tells all that is new on the screens, as seen until then. Also to be called before the size changes. */
  flush(at: number): void {
    const core = this.#core;
    this.#now = at;
    if (core === undefined) return;
    const { normal, alt, active } = core.buffers;
    if (active === alt) this.leaving(alt);
    this.leaving(normal);
  }

  /** The same at the end of a segment: what comes is told as if this one had never been. */
  end(at: number): void {
    this.flush(at);
    this.#saved = MOST_SAVED_UP;
    for (const rows of [this.#normal, this.#alternate]) rows.forgetTold();
  }

  printing(buffer: ScreenBuffer, data: Uint32Array, start: number, end: number): void {
    const rows = this.#rowsOf(buffer);
    const { x, y } = buffer;
    this.#printing = isBlank(data, start, end) ? undefined : y;
    // Blanks are a way to erase.
    if (data[start] === SPACE) this.erasing(buffer, y, x);
    else if (rows.isNew(y, x) && (rows.since(y) < this.#now || replaces(lineOf(buffer, y), x, data, start, end)))
      this.#overwriting(rows, buffer, y);
    const cols = this.#cols;
    if (x + 2 * (end - start) <= cols) return;
    // Below the last row nothing is overwritten: what stands there scrolls.
    if (y >= buffer.scrollBottom) return;
    const columns = x + (end - start) + wideOnes(data, start, end);
    if (columns <= cols) return;
    const last = Math.min(buffer.scrollBottom, y + Math.floor(columns / cols));
    for (let row = y + 1; row <= last; row += 1) if (rows.isNew(row)) this.#overwriting(rows, buffer, row);
  }

  printed(buffer: ScreenBuffer): void {
    const from = this.#printing;
    if (from === undefined) return;
    const rows = this.#rowsOf(buffer);
    for (let row = from; row < buffer.y; row += 1) rows.write(row, this.#cols, this.#now);
    rows.write(buffer.y, buffer.x, this.#now);
    this.#printing = undefined;
  }

  scrolling(buffer: ScreenBuffer): void {
    const rows = this.#rowsOf(buffer);
    const { scrollTop: top, scrollBottom: bottom } = buffer;
    if (this.#printing !== undefined) {
      // The row that was printed to its end is the last one, and what follows is printed on the one that comes.
      for (let row = this.#printing; row <= bottom; row += 1) rows.write(row, this.#cols, this.#now);
      this.#printing = bottom;
    }
    if (rows.isNew(top) || this.#carried !== '' || rows.holds(top)) this.#scrollOff(rows, buffer, top);
    rows.shift(top, bottom, -1, this.#now);
  }

  shifting(buffer: ScreenBuffer, top: number, bottom: number, by: number): void {
    const rows = this.#rowsOf(buffer);
    const lost = Math.min(Math.abs(by), bottom - top + 1);
    const first = by < 0 ? top : bottom - lost + 1;
    for (let row = first; row < first + lost; row += 1) this.#release(rows, buffer, row);
    rows.shift(top, bottom, Math.sign(by) * lost, this.#now);
  }

  erasing(buffer: ScreenBuffer, y: number, from: number): void {
    const rows = this.#rowsOf(buffer);
    if (rows.isNew(y, from)) this.#capture(rows, buffer, y);
  }

  pushing(buffer: ScreenBuffer, by: number): void {
    const rows = this.#rowsOf(buffer);
    if (!rows.isNew(buffer.y, buffer.x)) return;
    if (by < 0) this.#capture(rows, buffer, buffer.y);
    else rows.write(buffer.y, this.#cols, this.#now);
  }

  rewriting(buffer: ScreenBuffer): void {
    const rows = this.#rowsOf(buffer);
    for (let row = 0; row < this.#rows; row += 1) if (rows.isNew(row)) this.#capture(rows, buffer, row);
  }

  leaving(buffer: ScreenBuffer): void {
    const rows = this.#rowsOf(buffer);
    for (let row = 0; row < this.#rows; row += 1) if (rows.isNew(row)) this.#capture(rows, buffer, row);
    // What was captured is held by the first of the rows that it stands on.
    for (let row = 0; row < this.#rows; row += 1) this.#tellHeld(rows, row);
    this.#endCarried();
  }

  get #cols(): number {
    return this.#core?.cols ?? 0;
  }

  get #rows(): number {
    return this.#core?.rows ?? 0;
  }

  #rowsOf(buffer: ScreenBuffer): ScreenRows {
    return buffer === this.#core?.buffers.alt ? this.#alternate : this.#normal;
  }

  #overwriting(rows: ScreenRows, buffer: ScreenBuffer, y: number): void {
    if (!this.#isSpent(rows, y)) this.#capture(rows, buffer, y);
  }

  /** The row leaves its screen at the top, where lines are read in their order: parts of one are put together. */
  #scrollOff(rows: ScreenRows, buffer: ScreenBuffer, y: number): void {
    const line = lineOf(buffer, y);
    if (!line.isWrapped) this.#endCarried();
    const goesOn = y < buffer.scrollBottom && lineOf(buffer, y + 1).isWrapped;
    if (!rows.isNew(y) && this.#carried === '') {
      this.#tellHeld(rows, y);
      return;
    }
    const since = rows.isNew(y) ? rows.since(y) : this.#carriedSince;
    if (this.#carried === '' && !goesOn && !rows.holds(y)) {
      this.#tellRow(rows, line, y, since);
      return;
    }
    const text = lineText(line, this.#cols, !goesOn);
    const held = rows.held(y);
    if (held !== undefined) {
      rows.hold(y, undefined);
      if (this.#carried !== '' || !text.startsWith(held.text)) this.#sink.see(held.text, held.first, held.last);
    }
    const same = this.#carried === '' && held?.text === text;
    this.#carried += text;
    this.#carriedSince = Math.max(this.#carriedSince, same ? held.first : since);
    rows.settle(y);
    if (!goesOn) this.#endCarried();
    else if (this.#carried.length > MOST_CARRIED) {
      this.#tell(this.#carried, this.#carriedSince);
      this.#carried = this.#carried.slice(-OVERLAP);
    }
  }

  #endCarried(): void {
    if (this.#carried === '') return;
    this.#tell(this.#carried.trimEnd(), this.#carriedSince);
    this.#carried = '';
    this.#carriedSince = 0;
  }

  /** Keeps what stands on a row, and on those that it continues, until it is known whether that was extended or replaced. */
  #capture(rows: ScreenRows, buffer: ScreenBuffer, y: number): void {
    if (this.#isSpent(rows, y)) {
      const until = rows.settle(y);
      this.#tellEnd(lineOf(buffer, y), until);
      // The rest of it is still to be told, if it stays.
      rows.write(y, Math.max(0, until - TOLD_WHEN_SPENT), rows.since(y));
      return;
    }
    let first = y;
    let last = y;
    while (first > 0 && last - first < MOST_JOINED_ROWS && lineOf(buffer, first).isWrapped) first -= 1;
    while (last < this.#rows - 1 && last - first < MOST_JOINED_ROWS && lineOf(buffer, last + 1).isWrapped) last += 1;
    let text = '';
    let since = 0;
    if (first === 0 && this.#carried !== '' && lineOf(buffer, 0).isWrapped) {
      text = this.#carried;
      since = this.#carriedSince;
      this.#carried = '';
      this.#carriedSince = 0;
    }
    for (let row = first; row <= last; row += 1) {
      text += lineText(lineOf(buffer, row), this.#cols, row === last);
      if (rows.isNew(row)) since = Math.max(since, rows.since(row));
      rows.settle(row);
      rows.tell(row, this.#now);
    }
    if (text === '') return;
    this.#saved -= text.length;
    const held = rows.held(first);
    if (held !== undefined && !text.startsWith(held.text)) this.#sink.see(held.text, held.first, held.last);
    rows.hold(first, { text, first: held?.text === text ? held.first : since, last: this.#now });
  }

  /** The row is gone for good. */
  #release(rows: ScreenRows, buffer: ScreenBuffer, y: number): void {
    if (rows.isNew(y)) this.#capture(rows, buffer, y);
    this.#tellHeld(rows, y);
  }

  #tellHeld(rows: ScreenRows, y: number): void {
    const held = rows.held(y);
    if (held === undefined) return;
    rows.hold(y, undefined);
    this.#sink.see(held.text, held.first, held.last);
  }

  /** What nearly every line comes to. */
  #tellRow(rows: ScreenRows, line: ScreenLine, y: number, since: number): void {
    const spent = this.#isSpent(rows, y);
    const until = rows.settle(y);
    if (spent) {
      this.#tellEnd(line, until);
      return;
    }
    const length = readAscii(line, this.#cols, true);
    if (length < 0) this.#tell(lineText(line, this.#cols, true), since);
    else if (length > 0) {
      this.#saved -= length;
      this.#sink.seeAscii(asciiRead, length, since, this.#now);
    }
  }

  #isSpent(rows: ScreenRows, y: number): boolean {
    return this.#saved <= 0 && this.#now - rows.told(y) < READ_MICROS;
  }

  #tellEnd(line: ScreenLine, until: number): void {
    this.#tell(lineText(line, until, true).slice(-TOLD_WHEN_SPENT).trim(), this.#now);
  }

  #tell(text: string, since: number): void {
    if (text === '') return;
    this.#saved -= text.length;
    this.#sink.see(text, since, this.#now);
  }
}

function isBlank(data: Uint32Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && data[at] === SPACE) at += 1;
  return at === end;
}

/** Whether another character stands where one of these is going to. */
function replaces({ _data: cells, length }: ScreenLine, x: number, data: Uint32Array, start: number, end: number): boolean {
  for (let at = start, column = x; at < end && column < length; at += 1, column += 1) {
    const code = data[at] as number;
    // Behind a wide one it is not known which stands where.
    if (code > LAST_NARROW) return true;
    const content = cells[column * CELL_WORDS] as number;
    const shown = content & CHARACTERS;
    if ((shown !== code && shown > SPACE) || content === SECOND_HALF) return true;
  }
  return false;
}

/** At most so many characters that take two columns. */
function wideOnes(data: Uint32Array, start: number, end: number): number {
  let wide = 0;
  for (let at = start; at < end; at += 1) if ((data[at] as number) > LAST_NARROW) wide += 1;
  return wide;
}

function lineOf({ lines, ybase }: ScreenBuffer, y: number): ScreenLine {
  return lines.get(ybase + y) as ScreenLine;
}
