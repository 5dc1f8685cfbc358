import { BLANK, CELL_WORDS, CHARACTERS, CODE_POINT, COMBINED, FIRST_COMBINING, SECOND_HALF, WIDTH_SHIFT } from './packed-cells.ts';
import { isErased, penOf, samePen } from './pen.ts';
import { type Cell, emptyCell, joinWidth, type ScreenBuffer, type ScreenLine, type TerminalCore } from './terminal-internals.ts';

/**
 * States of xterm.js that no sequence leads to, because they are left over from a resize that cut a wide character in
 * two and the like, are set to the nearest state that one leads to: what looks the same. Returns how to undo it, for a
 * terminal that has to stay what a replay makes of the same output. `above`: with the lines above the screen.
 */
export function mendScreen(core: TerminalCore, above = true): () => void {
  const { active, normal, alt } = core.buffers;
  const undo: (() => void)[] = [];
  const cell = emptyCell();
  for (const buffer of [normal, alt]) {
    const { x, y, savedX, savedY } = buffer;
    const tabs = { ...buffer.tabs };
    undo.push(() => {
      Object.assign(buffer, { x, y, savedX, savedY });
      Object.assign(buffer.tabs, tabs);
    });
    for (let index = above ? 0 : buffer.ybase; index < buffer.lines.length; index += 1)
      mendLine(core, buffer.lines.get(index) as ScreenLine, undo);
    for (const stop of Object.keys(tabs).map(Number)) if (stop >= core.cols || stop < 0) delete buffer.tabs[stop];
    buffer.savedX = Math.min(savedX, core.cols - 1);
    buffer.savedY = Math.min(Math.max(savedY, buffer.ybase), buffer.ybase + core.rows - 1);
  }
  if (active === alt) normal.x = Math.min(normal.x, core.cols - 1);
  mendCursor(core, active, cell, undo);
  return () => {
    for (const step of undo.reverse()) step();
  };
}

function mendLine(core: TerminalCore, line: ScreenLine, undo: (() => void)[]): void {
  const data = line._data;
  for (let word = 0; word < data.length; word += CELL_WORDS) {
    const content = data[word] as number;
    // Nearly all cells: one column, and nothing that could be combined with another.
    if (content >= BLANK && content < BLANK + FIRST_COMBINING) continue;
    const width = content >> WIDTH_SHIFT;
    const printed = (content & CHARACTERS) !== 0;
    if (width === 2 && printed && data[word + CELL_WORDS] === SECOND_HALF) {
      word += CELL_WORDS;
      continue;
    }
    const x = word / CELL_WORDS;
    // Half a wide character, or a combining one with nothing to be combined with and yet a place of its own.
    if (width === 2 || (width === 0 && !printed) || (width === 1 && isZeroWidth(core, line, x))) setCell(line, x, 0, undo);
  }
  // What is left of wide characters at both ends: a space that looks the same can be printed.
  if (isRemnant(data, 0) && isRemnant(data, 1) && isRemnant(data, line.length - 1)) setCell(line, 0, 0x20, undo);
}

/** Blank with more than a background. */
function isRemnant(data: Uint32Array, x: number): boolean {
  const [fg, bg] = [data[x * CELL_WORDS + 1] as number, data[x * CELL_WORDS + 2] as number];
  return data[x * CELL_WORDS] === BLANK && !isErased({ fg, bg });
}

function isZeroWidth(core: TerminalCore, line: ScreenLine, x: number): boolean {
  const content = line._data[x * CELL_WORDS] as number;
  const point = (content & COMBINED) === 0 ? content & CODE_POINT : (line._combined[x]?.codePointAt(0) as number);
  return point !== 0 && core.unicodeService.wcwidth(point) === 0;
}

function setCell(line: ScreenLine, x: number, code: number, undo: (() => void)[]): void {
  const before = line.loadCell(x, emptyCell());
  undo.push(() => line.setCell(x, before));
  line.setCellFromCodepoint(x, code, 1, before);
}

function mendCursor(core: TerminalCore, buffer: ScreenBuffer, cell: Cell, undo: (() => void)[]): void {
  const { origin } = core.coreService.decPrivateModes;
  const [top, bottom] = origin ? [buffer.scrollTop, buffer.scrollBottom] : [0, core.rows - 1];
  buffer.y = Math.min(bottom, Math.max(top, buffer.y));
  buffer.x = Math.min(core.cols, Math.max(0, buffer.x));
  const line = buffer.lines.get(buffer.ybase + buffer.y) as ScreenLine;
  const parser = core._inputHandler._parser;
  const join = parser.precedingJoinState;
  const width = joinWidth(join);
  // What was printed last stands before the cursor; else there is nothing that could be joined or repeated.
  if (join !== 0) {
    const at = buffer.x - width;
    const known =
      width > 0 &&
      at >= 0 &&
      line.loadCell(at, cell).getWidth() === width &&
      cell.getChars() !== '' &&
      samePen(penOf(cell), penOf(core._inputHandler._curAttrData));
    if (!known) {
      undo.push(() => {
        parser.precedingJoinState = join;
      });
      parser.precedingJoinState = 0;
    }
  }
  if (buffer.x < core.cols) return;
  // The cursor waits behind the last column: printing gets it there again, if there is something to print.
  line.loadCell(core.cols - 1, cell);
  if (cell.getWidth() === 1 && cell.getChars() === '') setCell(line, core.cols - 1, 0x20, undo);
}
