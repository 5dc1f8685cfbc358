import { CELL_WORDS, CHARACTERS, CODE_POINT, COMBINED, WIDTH_SHIFT } from '../../contract/replay/screen/packed-cells.ts';
import type { ScreenLine } from '../../contract/replay/screen/terminal-internals.ts';
import { isMark } from './character-kind.ts';

const SPACE = 0x20;
const LAST_ASCII = 0x7f;
const TWO_COLUMNS = 2 << WIDTH_SHIFT;

/** What `readAscii` has read: as wide as the widest line of an emulation (contract/live-frames.ts), and more. */
export const asciiRead = Buffer.alloc(2048);

/**
 * Reads what stands on a line up to a column into `asciiRead`, without blanks at its end if `trim`. Returns how many
 * characters, or -1 where some are not ASCII. Called for every line that there is, so it makes no string.
 */
export function readAscii(line: ScreenLine, columns: number, trim: boolean): number {
  const data = line._data;
  const end = endOf(line, columns, trim);
  let all = 0;
  for (let x = 0, at = 0; x < end; x += 1, at += CELL_WORDS) {
    const content = data[at] as number;
    all |= content;
    asciiRead[x] = (content & CHARACTERS) === 0 ? SPACE : content;
  }
  return (all & CHARACTERS) <= LAST_ASCII && (all & TWO_COLUMNS) === 0 ? end : -1;
}

export function lineText(line: ScreenLine, columns: number, trim: boolean): string {
  const length = readAscii(line, columns, trim);
  if (length >= 0) return asciiRead.toString('latin1', 0, length);
  const end = endOf(line, columns, trim);
  let text = '';
  for (let x = 0; x < end; x += 1) {
    const content = line._data[x * CELL_WORDS] as number;
    const code = content & CODE_POINT;
    const cell = (content & COMBINED) !== 0 ? (line._combined[x] ?? '') : code === 0 ? '' : String.fromCodePoint(code);
    // Marks with nothing to stand on have a blank: a row of them would be one character, which takes very long to compose.
    if (cell !== '') text += isMark(cell.codePointAt(0) ?? 0) ? ` ${cell}` : cell;
    else if (content >>> WIDTH_SHIFT !== 0) text += ' '; // Not the second half of a wide character.
  }
  return text;
}

function endOf(line: ScreenLine, columns: number, trim: boolean): number {
  let end = Math.min(columns, line.length, asciiRead.length);
  if (trim) while (end > 0 && isBlank(line._data[(end - 1) * CELL_WORDS] as number)) end -= 1;
  return end;
}

function isBlank(content: number): boolean {
  const code = content & CHARACTERS;
  // The second half of a wide character has no code either, and is not blank.
  return code === SPACE || (code === 0 && content >>> WIDTH_SHIFT !== 0);
}
