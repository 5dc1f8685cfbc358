import type { PackedLine } from '../../contract/replay/screen/watch-screen.ts';

/** As xterm.js packs a cell (its common/buffer/Constants.ts): three words, the first with character and width. */
const WORDS = 3;
const CODE = 0x1fffff;
const COMBINED = 0x200000;
const WIDTH_SHIFT = 22;
const TWO_COLUMNS = 2 << WIDTH_SHIFT;
const SPACE = 0x20;

/** The widest line of an emulation (contract/live-frames.ts), and room for what is wider. */
const scratch = Buffer.alloc(2048);

/** What stands on a line up to a column, as text; without blanks at its end if `trim`. Called for every line that there is. */
export function lineText(line: PackedLine, columns: number, trim: boolean): string {
  const data = line._data;
  let end = Math.min(columns, line.length, scratch.length);
  if (trim) while (end > 0 && isBlank(data[(end - 1) * WORDS] as number)) end -= 1;
  let all = 0;
  for (let x = 0, at = 0; x < end; x += 1, at += WORDS) {
    const content = data[at] as number;
    all |= content;
    scratch[x] = (content & CODE) === 0 ? SPACE : content;
  }
  const usual = (all & (CODE | COMBINED)) <= 0xff && (all & TWO_COLUMNS) === 0;
  return usual ? scratch.toString('latin1', 0, end) : unusualText(line, end);
}

function isBlank(content: number): boolean {
  const code = content & (CODE | COMBINED);
  return code === 0 || code === SPACE;
}

function unusualText(line: PackedLine, end: number): string {
  let text = '';
  for (let x = 0; x < end; x += 1) {
    const content = line._data[x * WORDS] as number;
    const code = content & CODE;
    if ((content & COMBINED) !== 0) text += line._combined[x] ?? '';
    else if (code !== 0) text += String.fromCodePoint(code);
    else if (content >>> WIDTH_SHIFT !== 0) text += ' '; // Not the second half of a wide character.
  }
  return text;
}
