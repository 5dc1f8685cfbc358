import type { DumpText } from './dump-text.ts';
import { BG, BLANK, CELL_WORDS, CHARACTERS, CODE_POINT, COLOUR, COLOUR_MODE, COMBINED, WIDTH_SHIFT } from './packed-cells.ts';
import type { ScreenLine } from './terminal-internals.ts';

/** Attributes, a step to the right and the characters of one cell are not longer. */
const MOST_PER_CELL = 192;

/**
 * Draws a line from its first column, where the cursor is, onto a row that is blank. The cursor stays behind what was
 * drawn last. False, with nothing written, where there are cells that simply printing from left to right does not make.
 */
export function dumpLine(out: DumpText, line: ScreenLine, cols: number): boolean {
  const data = line._data;
  for (let word = 0; word < data.length; word += CELL_WORDS) if (isOdd(data, word)) return false;
  out.reserve(cols * MOST_PER_CELL);
  let at = 0;
  for (let x = 0; x < cols; ) {
    const word = x * CELL_WORDS;
    const content = data[word] as number;
    const fg = data[word + 1] as number;
    const bg = data[word + 2] as number;
    if (content === BLANK) {
      const from = x;
      do x += 1;
      while (x < cols && data[x * CELL_WORDS] === BLANK && data[x * CELL_WORDS + 2] === bg);
      if ((bg & COLOUR_MODE) === 0) continue;
      out.pen(0, bg);
      if (at < from) out.control(from - at, 'C');
      out.control(x - from, 'X');
      at = from;
      continue;
    }
    if ((bg & BG.extended) === 0) out.pen(fg, bg);
    else penOfCell(out, line, x);
    if (at < x) out.control(x - at, 'C');
    if ((content & COMBINED) === 0) out.codePoint(content & CODE_POINT);
    else out.text(line._combined[x] as string);
    x += content >> WIDTH_SHIFT || 1;
    at = x;
  }
  return true;
}

export function penOfCell(out: DumpText, line: ScreenLine, x: number): void {
  const [fg, bg] = [line._data[x * CELL_WORDS + 1] as number, line._data[x * CELL_WORDS + 2] as number];
  const extended = (bg & BG.extended) === 0 ? undefined : line._extendedAttrs[x];
  out.pen(fg, bg, extended?.underlineStyle, extended?.underlineColor);
}

/** Blank with more than a background, or a character without a width. */
function isOdd(data: Uint32Array, word: number): boolean {
  const content = data[word] as number;
  if ((content & CHARACTERS) === 0) return content === BLANK && (data[word + 1] !== 0 || ((data[word + 2] as number) & ~COLOUR) !== 0);
  return content >> WIDTH_SHIFT === 0;
}
