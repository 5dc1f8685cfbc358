import { BG, COLOUR_MODE, FG } from './packed-cells.ts';
import { P16, P256 } from './pen.ts';

/** Converted in one go: more arguments than this are too many for a call. */
const CHUNK = 8192;

const [ESC, BRACKET, SEMICOLON, COLON, QUOTE, M, Q] = [0x1b, 0x5b, 0x3b, 0x3a, 0x22, 0x6d, 0x71];

/**
 * Sequences that become a dump. It is made often and of many cells, so that it is written as numbers into an array, and
 * made a string at the end. It knows the attributes that are set, which begin as those of a terminal that was reset.
 */
export class DumpText {
  #codes = new Uint16Array(4 * CHUNK);
  #length = 0;
  #fg = 0;
  #bg = 0;
  #style = 0;
  #colour = 0;

  get length(): number {
    return this.#length;
  }

  /** Whether lines that are scrolled in now get a background. */
  get fills(): boolean {
    return (this.#bg & COLOUR_MODE) !== 0;
  }

  /** Room for so much more has to be made before it is written. */
  reserve(more: number): void {
    if (this.#length + more <= this.#codes.length) return;
    const longer = new Uint16Array(Math.max(this.#codes.length * 2, this.#length + more));
    longer.set(this.#codes);
    this.#codes = longer;
  }

  text(text: string): void {
    this.reserve(text.length);
    for (let index = 0; index < text.length; index += 1) this.code(text.charCodeAt(index));
  }

  /** A UTF-16 code unit. */
  code(code: number): void {
    this.#codes[this.#length] = code;
    this.#length += 1;
  }

  codePoint(point: number): void {
    if (point <= 0xffff) this.code(point);
    else {
      this.code(0xd800 + ((point - 0x10000) >> 10));
      this.code(0xdc00 + ((point - 0x10000) & 0x3ff));
    }
  }

  number(number: number): void {
    if (number >= 10) this.number(Math.trunc(number / 10));
    this.code(0x30 + (number % 10));
  }

  /** A control sequence with one parameter. */
  control(parameter: number, final: string): void {
    this.code(ESC);
    this.code(BRACKET);
    if (parameter !== 1) this.number(parameter);
    this.code(final.charCodeAt(0));
  }

  move(x: number, row: number): void {
    this.reserve(16);
    this.code(ESC);
    this.code(BRACKET);
    this.number(row + 1);
    this.code(SEMICOLON);
    this.number(x + 1);
    this.code(0x48);
  }

  /** Sets all attributes, packed as those of cells are, with the style and the colour of an underline. */
  pen(fg: number, bg: number, style = 0, colour = 0): void {
    if (fg === this.#fg && bg === this.#bg && style === this.#style && colour === this.#colour) return;
    this.reserve(128);
    this.#fg = fg;
    this.#bg = bg;
    this.#style = style;
    this.#colour = colour;
    this.code(ESC);
    this.code(BRACKET);
    this.code(0x30);
    if ((fg & FG.bold) !== 0) this.#parameter(1);
    if ((bg & BG.dim) !== 0) this.#parameter(2);
    if ((bg & BG.italic) !== 0) this.#parameter(3);
    if ((fg & FG.blink) !== 0) this.#parameter(5);
    if ((fg & FG.inverse) !== 0) this.#parameter(7);
    if ((fg & FG.invisible) !== 0) this.#parameter(8);
    if ((fg & FG.struck) !== 0) this.#parameter(9);
    if ((bg & BG.overline) !== 0) this.#parameter(53);
    this.#ofColour(fg, 38);
    this.#ofColour(bg, 48);
    if (style !== 0) {
      this.#parameter(4);
      this.code(COLON);
      this.number(style);
    }
    this.#ofColour(colour, 58);
    this.code(M);
    if ((bg & BG.protected) === 0) return;
    this.code(ESC);
    this.code(BRACKET);
    this.code(0x31);
    this.code(QUOTE);
    this.code(Q);
  }

  /** Takes back what was written since it had this length. */
  cut(length: number): void {
    this.#length = length;
  }

  toString(): string {
    let text = '';
    for (let at = 0; at < this.#length; at += CHUNK) {
      // Typed arrays are as good as arrays here, whatever the types say.
      const chunk = this.#codes.subarray(at, Math.min(at + CHUNK, this.#length)) as unknown as number[];
      text += String.fromCharCode.apply(null, chunk);
    }
    return text;
  }

  #parameter(parameter: number): void {
    this.code(SEMICOLON);
    this.number(parameter);
  }

  #ofColour(packed: number, target: 38 | 48 | 58): void {
    const mode = packed & COLOUR_MODE;
    if (mode === 0) return;
    const index = packed & 0xff;
    if (mode === P16) this.#parameter(index < 8 ? target - 8 + index : target + 44 + index);
    else {
      this.#parameter(target);
      this.#parameter(mode === P256 ? 5 : 2);
      if (mode !== P256) {
        this.#parameter((packed >> 16) & 0xff);
        this.#parameter((packed >> 8) & 0xff);
      }
      this.#parameter(index);
    }
  }
}
