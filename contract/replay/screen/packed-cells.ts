/** How xterm.js packs the cells of a line (its common/buffer/BufferLine.ts and Constants.ts): content, foreground, background. */
export const CELL_WORDS = 3;

/** Of the content: its code point, whether it is combined with others and kept elsewhere, and either of the two. */
export const CODE_POINT = 0x1fffff;
export const COMBINED = 0x200000;
export const CHARACTERS = CODE_POINT | COMBINED;
export const WIDTH_SHIFT = 22;

/** Content of a blank cell: no character, one column. */
export const BLANK = 1 << WIDTH_SHIFT;

/** Content of the second half of a wide character. */
export const SECOND_HALF = 0;

/** Nothing below is combined with what stands before it. */
export const FIRST_COMBINING = 0x300;

/** Of the foreground and the background: the colour, and whether it is one at all. */
export const COLOUR = 0x3ffffff;
export const COLOUR_MODE = 0x3000000;
export const FG = {
  inverse: 0x4000000,
  bold: 0x8000000,
  underline: 0x10000000,
  blink: 0x20000000,
  invisible: 0x40000000,
  struck: 0x80000000,
};
export const BG = { italic: 0x4000000, dim: 0x8000000, extended: 0x10000000, protected: 0x20000000, overline: 0x40000000 };
