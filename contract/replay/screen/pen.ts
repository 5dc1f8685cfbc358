import { BG, COLOUR, COLOUR_MODE, FG } from './packed-cells.ts';
import type { Attributes } from './terminal-internals.ts';

export const P16 = 0x1000000;
export const P256 = 0x2000000;
const RGB = 0x3000000;
/** Attributes taken apart: two that are drawn the same are the same here. */
export interface Pen {
  /** SGR parameters, without underline. */
  readonly plain: string;
  readonly protected: boolean;
  readonly style: number;
  /** SGR parameters of the underline's colour; empty for none. */
  readonly colour: string;
}

export function penOf({ fg, bg, extended }: Attributes, next = false): Pen {
  const parameters: string[] = [];
  const flag = (set: boolean, parameter: number) => set && parameters.push(String(parameter));
  flag((fg & FG.bold) !== 0, 1);
  flag((bg & BG.dim) !== 0, 2);
  flag((bg & BG.italic) !== 0, 3);
  flag((fg & FG.blink) !== 0, 5);
  flag((fg & FG.inverse) !== 0, 7);
  flag((fg & FG.invisible) !== 0, 8);
  flag((fg & FG.struck) !== 0, 9);
  flag((bg & BG.overline) !== 0, 53);
  parameters.push(...colour(fg, 38), ...colour(bg, 48));
  const hasExtended = (bg & BG.extended) !== 0;
  // A cell without the flag has no such attributes, whatever is left there; what is printed next may get them by a flag.
  const counts = hasExtended || next;
  return {
    plain: parameters.join(';'),
    protected: (bg & BG.protected) !== 0,
    style: counts ? (extended?.underlineStyle ?? 0) : 0,
    colour: counts ? colour(extended?.underlineColor ?? 0, 58).join(';') : '',
  };
}

/** Attributes that are saved with a cursor: of an underline only that there is one. */
export function savedPenOf(saved: Pick<Attributes, 'fg' | 'bg'>): Pen {
  return penOf({ ...saved, extended: { underlineStyle: isUnderlined(saved) ? 1 : 0, underlineColor: 0 } });
}

/** Attributes of a blank cell that erasing makes: a background and nothing else. */
export function isErased({ fg, bg }: Pick<Attributes, 'fg' | 'bg'>): boolean {
  return fg === 0 && (bg & ~COLOUR) === 0;
}

export function samePen(a: Pen, b: Pen): boolean {
  return a.plain === b.plain && a.protected === b.protected && a.style === b.style && a.colour === b.colour;
}

/** Sequences that set all attributes. They move nothing. */
export function setPen(pen: Pen): string {
  const underline = pen.style === 0 ? '' : `4:${pen.style}`;
  const parameters = ['0', pen.plain, underline, pen.colour].filter((part) => part !== '').join(';');
  return `\x1b[${parameters}m${pen.protected ? '\x1b[1"q' : ''}`;
}

export function withoutUnderline({ fg, bg }: Attributes): { fg: number; bg: number } {
  return { fg: fg & ~FG.underline, bg: bg & ~BG.extended };
}

function colour(packed: number, target: 38 | 48 | 58): string[] {
  const mode = packed & COLOUR_MODE;
  const index = packed & 0xff;
  if (mode === RGB) return [`${target};2;${(packed >> 16) & 0xff};${(packed >> 8) & 0xff};${index}`];
  if (mode === P256) return [`${target};5;${index}`];
  if (mode !== P16) return [];
  return [String(index < 8 ? target - 8 + index : target + 44 + index)];
}

/** Whether what is printed with these attributes is underlined. Without a style of its own it is a single line. */
export function isUnderlined({ fg }: Pick<Attributes, 'fg'>): boolean {
  return (fg & FG.underline) !== 0;
}
