import { type CellColour, lookOf } from '../../contract/replay/screen/cell-look.ts';
import { isErrorCell } from '../../contract/replay/screen/error-mark.ts';
import type { Attributes } from '../../contract/replay/screen/terminal-internals.ts';

/** As the bundle page and the desktop show a terminal: the same in light and dark. */
export const GROUND = 0x090c10;
const TEXT = 0xcdd6e0;
const ERROR = 0xf4b3ae;
const BASIC = [
  0x2b323c, 0xe8706c, 0x62c08d, 0xdcb25e, 0x6ea8f5, 0xb791f0, 0x52bdb4, 0xc6cfda, 0x66717f, 0xf5928d, 0x86d8a8, 0xefcd84, 0x93c1fb,
  0xcdb0f8, 0x7ad6ce, 0xf2f5f8,
];
/** The levels of xterm's cube of 6×6×6 colours. */
const LEVELS = [0, 95, 135, 175, 215, 255];

/** What a cell is drawn with, 24 bits of RGB each. `plain`: on a screen where error output is marked. */
export function coloursOf(cell: Attributes, plain: boolean): { ink: number; ground: number; underline: boolean } {
  const look = lookOf(cell);
  const usual = plain && isErrorCell(cell) ? ERROR : TEXT;
  let ink = look.foreground === undefined ? usual : colourOf(look.foreground, look.bold);
  let ground = look.background === undefined ? GROUND : colourOf(look.background, false);
  if (look.inverse) [ink, ground] = [ground, ink];
  if (look.dim) ink = blend(ink, ground, 0.6);
  if (look.invisible) ink = ground;
  return { ink, ground, underline: look.underline };
}

/** So much of the first, and the rest of the second. */
function blend(one: number, other: number, share: number): number {
  const part = (shift: number) => Math.round(((one >> shift) & 0xff) * share + ((other >> shift) & 0xff) * (1 - share)) << shift;
  return part(16) | part(8) | part(0);
}

function colourOf({ value, rgb }: CellColour, bold: boolean): number {
  if (rgb) return value & 0xffffff;
  if (value < 16) return BASIC[bold && value < 8 ? value + 8 : value] ?? TEXT;
  if (value >= 232) return (8 + (value - 232) * 10) * 0x010101;
  const level = (part: number) => LEVELS[Math.floor(part) % 6] ?? 0;
  const index = value - 16;
  return (level(index / 36) << 16) | (level(index / 6) << 8) | level(index);
}
