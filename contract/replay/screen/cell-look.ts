import { isUnderlined } from './pen.ts';
import type { Attributes } from './terminal-internals.ts';

/** A colour of the palette (0 to 255), or 24 bits of RGB. */
export interface CellColour {
  readonly value: number;
  readonly rgb: boolean;
}

/** How a cell is drawn. Colours are undefined where they are the terminal's own. */
export interface CellLook {
  readonly foreground: CellColour | undefined;
  readonly background: CellColour | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
  readonly invisible: boolean;
  readonly strike: boolean;
  readonly overline: boolean;
}

const COLOUR_MODE = 0x3000000;
const RGB = 0x3000000;

export function lookOf({ fg, bg }: Attributes): CellLook {
  return {
    foreground: colourOf(fg),
    background: colourOf(bg),
    bold: (fg & 0x8000000) !== 0,
    dim: (bg & 0x8000000) !== 0,
    italic: (bg & 0x4000000) !== 0,
    underline: isUnderlined({ fg }),
    inverse: (fg & 0x4000000) !== 0,
    invisible: (fg & 0x40000000) !== 0,
    strike: (fg & 0x80000000) !== 0,
    overline: (bg & 0x40000000) !== 0,
  };
}

/** The same for two cells that are drawn alike, but for their characters. */
export function lookKey({ fg, bg }: Attributes): string {
  return `${fg}/${bg & ~0x30000000}`; // What kind of underline it is and whether it is protected is not drawn.
}

/** Of a cell that has nothing but a character. */
export const PLAIN_LOOK = '0/0';

function colourOf(packed: number): CellColour | undefined {
  const mode = packed & COLOUR_MODE;
  if (mode === 0) return undefined;
  return mode === RGB ? { value: packed & 0xffffff, rgb: true } : { value: packed & 0xff, rgb: false };
}
