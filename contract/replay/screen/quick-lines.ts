import { BG, BLANK, CELL_WORDS, COMBINED, SECOND_HALF, WIDTH_SHIFT } from './packed-cells.ts';
import type { Attributes, Cell, ScreenBuffer, ScreenLine, TerminalCore } from './terminal-internals.ts';

type Fill = Pick<Cell, 'content' | 'fg' | 'bg' | 'extended'>;

/** What xterm.js does to lines cell by cell. The same is done here in one go: a few bytes of output may ask for a screenful of it. */
interface LinePrototype {
  insertCells: (this: ScreenLine, pos: number, count: number, fill: Fill) => void;
  deleteCells: (this: ScreenLine, pos: number, count: number, fill: Fill) => void;
  replaceCells: (this: ScreenLine, start: number, end: number, fill: Fill, respectProtect?: boolean) => void;
  fill: (this: ScreenLine, fill: Fill, respectProtect?: boolean) => void;
  clone: (this: ScreenLine) => ScreenLine;
}

interface BufferPrototype {
  getBlankLine: (this: ScreenBuffer, attributes: Attributes, isWrapped?: boolean) => ScreenLine;
}

/** Lines that no buffer has any more. */
const spares: ScreenLine[] = [];
/** As many as one terminal has: whoever seeks gives one up for another again and again. */
const MOST_SPARES = 1200;

export function spareLine(line: ScreenLine): void {
  if (spares.length < MOST_SPARES) spares.push(line);
}

let done = false;

/** For all terminals of this process, once. */
export function quickenLines({ buffers }: TerminalCore): void {
  if (done) return;
  done = true;
  const lines = Object.getPrototypeOf(buffers.normal.lines.get(0)) as LinePrototype;
  const { insertCells: insert, deleteCells: remove, replaceCells: replace, fill: fillLine, clone } = lines;
  lines.insertCells = function (pos, count, fill) {
    if (hasExtended(fill)) insert.call(this, pos, count, fill);
    else insertCells(this, pos % this.length, count, fill);
  };
  lines.deleteCells = function (pos, count, fill) {
    if (hasExtended(fill)) remove.call(this, pos, count, fill);
    else deleteCells(this, pos % this.length, count, fill);
  };
  lines.replaceCells = function (start, end, fill, respectProtect) {
    if (hasExtended(fill) || (respectProtect === true && hasProtected(this))) replace.call(this, start, end, fill, respectProtect);
    else replaceCells(this, start, end, fill);
  };
  lines.fill = function (fill, respectProtect) {
    if (hasExtended(fill) || (respectProtect === true && hasProtected(this))) return fillLine.call(this, fill, respectProtect);
    if (!isEmpty(this._combined)) this._combined = {};
    if (!isEmpty(this._extendedAttrs)) this._extendedAttrs = {};
    fillCells(this._data, 0, this.length, fill);
  };
  lines.clone = function () {
    const spare = spares.pop();
    if (spare?.length !== this.length) return clone.call(this);
    spare.copyFrom(this);
    return spare;
  };
  const buffer = Object.getPrototypeOf(buffers.normal) as BufferPrototype;
  const blankLine = buffer.getBlankLine;
  let blank: ScreenLine | undefined;
  buffer.getBlankLine = function (attributes, isWrapped = false) {
    if (hasExtended(attributes)) return blankLine.call(this, attributes, isWrapped);
    // Its own width is the terminal's, which is not always that of the lines it has.
    const cols = this._bufferService.cols;
    if (blank?.length !== cols) blank = blankLine.call(this, attributes, false);
    const line = blank.clone();
    fillCells(line._data, 0, cols, { content: BLANK, fg: attributes.fg, bg: attributes.bg });
    line.isWrapped = isWrapped;
    return line;
  };
}

function hasExtended({ bg }: { readonly bg: number }): boolean {
  return (bg & BG.extended) !== 0;
}

function hasProtected({ _data: data }: ScreenLine): boolean {
  for (let word = 2; word < data.length; word += CELL_WORDS) if (((data[word] as number) & BG.protected) !== 0) return true;
  return false;
}

function insertCells(line: ScreenLine, pos: number, count: number, fill: Fill): void {
  const { length, _data: data } = line;
  if (pos > 0 && widthOf(data, pos - 1) === 2) line.setCellFromCodepoint(pos - 1, 0, 1, fill);
  if (count < length - pos) {
    move(line, pos, pos + count, length - pos - count);
    fillCells(data, pos, pos + count, fill);
  } else fillCells(data, pos, length, fill);
  if (widthOf(data, length - 1) === 2) line.setCellFromCodepoint(length - 1, 0, 1, fill);
}

function deleteCells(line: ScreenLine, pos: number, count: number, fill: Fill): void {
  const { length, _data: data } = line;
  if (count < length - pos) {
    move(line, pos + count, pos, length - pos - count);
    fillCells(data, length - count, length, fill);
  } else fillCells(data, pos, length, fill);
  if (pos > 0 && widthOf(data, pos - 1) === 2) line.setCellFromCodepoint(pos - 1, 0, 1, fill);
  if (data[pos * CELL_WORDS] === SECOND_HALF) line.setCellFromCodepoint(pos, 0, 1, fill);
}

function replaceCells(line: ScreenLine, start: number, end: number, fill: Fill): void {
  const { length, _data: data } = line;
  if (start > 0 && widthOf(data, start - 1) === 2) line.setCellFromCodepoint(start - 1, 0, 1, fill);
  if (end < length && widthOf(data, end - 1) === 2) line.setCellFromCodepoint(end, 0, 1, fill);
  fillCells(data, start, Math.min(end, length), fill);
}

function widthOf(data: Uint32Array, x: number): number {
  return (data[x * CELL_WORDS] ?? 0) >> WIDTH_SHIFT;
}

/** Cells together with what of them is kept elsewhere. */
function move(line: ScreenLine, from: number, to: number, count: number): void {
  const { _data: data, _combined: combined, _extendedAttrs: extended } = line;
  data.copyWithin(to * CELL_WORDS, from * CELL_WORDS, (from + count) * CELL_WORDS);
  if (isEmpty(combined) && isEmpty(extended)) return;
  const step = to < from ? 1 : -1;
  for (let x = to < from ? to : to + count - 1, left = count; left > 0; x += step, left -= 1) {
    const source = x - to + from;
    if (((data[x * CELL_WORDS] as number) & COMBINED) !== 0) combined[x] = combined[source] as string;
    if (((data[x * CELL_WORDS + 2] as number) & BG.extended) !== 0) extended[x] = extended[source];
  }
}

function isEmpty(map: object): boolean {
  for (const _ in map) return false;
  return true;
}

/** The longest run of equal cells that was asked for, and what they are. */
let run = new Uint32Array(0);
let filler = { content: 0, fg: 0, bg: 0 };

function fillCells(data: Uint32Array, from: number, to: number, { content, fg, bg }: Pick<Fill, 'content' | 'fg' | 'bg'>): void {
  const words = (to - from) * CELL_WORDS;
  if (words <= 0) return;
  if (run.length < words || filler.content !== content || filler.fg !== fg || filler.bg !== bg) {
    filler = { content, fg, bg };
    if (run.length < words) run = new Uint32Array(words);
    for (let word = 0; word < run.length; word += CELL_WORDS) {
      run[word] = content;
      run[word + 1] = fg;
      run[word + 2] = bg;
    }
  }
  data.set(words === run.length ? run : run.subarray(0, words), from * CELL_WORDS);
}
