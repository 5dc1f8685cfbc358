import { type TerminalSink, TerminalTokens } from './terminal-tokens.ts';
import { characterWidth } from './text-width.ts';

/** A line longer than this is given out in pieces. */
const LONGEST_LINE = 16_384;

/** What stands for ` to ~ in the line drawing set, which tmux, dialog and the like draw their borders with. */
const LINE_DRAWING = '◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·';

const ONLY_BORDERS = /^[ \u2500-\u257f]*$/;

/** The second column of a wide character. */
const COVERED = '';

/**
 * Terminal output as lines of plain text. What a program drew over on one line (a prompt that was edited, a progress
 * bar) is given in its last state; text that was placed elsewhere on the screen begins a line of its own. Nothing that
 * a terminal would act on comes out.
 */
export class TextLines implements TerminalSink {
  readonly #tokens = new TerminalTokens(this);
  readonly #emit: (line: string) => void;
  /** The line while the cursor stands at its end, which is nearly always. */
  #plain = '';
  /** The columns of the line once the cursor has moved within it. */
  #cells: string[] | undefined;
  #column = 0;
  /** A carriage return that nothing was drawn after yet: nearly always a line feed follows, and then nothing has moved. */
  #returned = false;
  /** A program has the screen to itself: it goes down a row with a line feed, and an empty row is no text. */
  #alternate = false;
  #afterEmpty = false;
  /** Which of G0 and G1 is line drawing, and which of them is in force. */
  #drawing: [boolean, boolean] = [false, false];
  #set: 0 | 1 = 0;

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(output: string): void {
    this.#tokens.feed(output);
  }

  /** Gives out a line that was not finished. */
  end(): void {
    if (this.#line() !== '') this.#finishLine();
  }

  text(written: string): void {
    const run = this.#drawing[this.#set] ? written.replace(/[`-~]/g, drawnFor) : written;
    if (this.#cells === undefined && !this.#returned) {
      this.#plain += run;
      while (this.#plain.length > LONGEST_LINE) {
        const end = isHighSurrogate(this.#plain.charCodeAt(LONGEST_LINE - 1)) ? LONGEST_LINE - 1 : LONGEST_LINE;
        this.#emit(this.#plain.slice(0, end));
        this.#plain = this.#plain.slice(end);
      }
      return;
    }
    for (const character of run) {
      this.#draw(this.#edit(), character);
      if (this.#column > LONGEST_LINE) this.#finishLine();
    }
  }

  control(code: number): void {
    switch (code) {
      case 0x09:
        return this.text('\t');
      case 0x0a: // LF
      case 0x0b:
      case 0x0c:
        return this.#finishLine();
      case 0x0d: // CR
        this.#returned = true;
        return;
      case 0x0e: // SO
        this.#set = 1;
        return;
      case 0x0f: // SI
        this.#set = 0;
        return;
      case 0x08: // BS
        return this.#moveTo(this.#cursor() - 1);
      default:
        return;
    }
  }

  escape(intermediates: string, final: string): void {
    if (intermediates === '(') this.#drawing[0] = final === '0';
    if (intermediates === ')') this.#drawing[1] = final === '0';
    if (intermediates === '' && final === 'c') {
      this.#drawing = [false, false];
      this.#set = 0;
      this.#alternate = false;
    }
    if (intermediates === '' && (final === 'D' || final === 'E' || final === 'M' || final === 'c')) this.end();
  }

  csi(parameters: string, intermediates: string, final: string): void {
    if (intermediates !== '' || /^[<=>]/.test(parameters)) return;
    const count = Math.min(Number.parseInt(parameters, 10) || 1, LONGEST_LINE);
    switch (final) {
      case 'C':
      case 'a':
        return this.#moveTo(this.#cursor() + count);
      case 'D':
        return this.#moveTo(this.#cursor() - count);
      case 'G':
      case '`':
        return this.#moveTo(count - 1);
      case 'K':
        return this.#eraseInLine(parameters.replace('?', ''));
      case 'P':
        this.#edit().splice(this.#column, count);
        return;
      case '@':
        this.#edit().splice(this.#column, 0, ...Array<string>(Math.min(count, 1024)).fill(' '));
        return;
      case 'X': {
        const cells = this.#edit();
        for (let at = this.#column; at < Math.min(this.#column + count, cells.length); at += 1) cells[at] = ' ';
        return;
      }
      case 'A':
      case 'B':
      case 'E':
      case 'F':
      case 'H':
      case 'f':
      case 'd':
        return this.end();
      case 'J': // What was on the screen was there to be read before it was erased.
        return parameters === '' || parameters === '0' ? this.#eraseInLine('') : this.end();
      case 'h':
      case 'l':
        if (!/^\?(47|1047|1049)$/.test(parameters)) return;
        this.end();
        this.#alternate = final === 'h';
        return;
      default:
        return;
    }
  }

  string(): void {
    // Titles, clipboard and the like are no text of the session.
  }

  #draw(cells: string[], character: string): void {
    const width = characterWidth(character);
    if (width === 0) {
      // A combining mark belongs to the character before the cursor; a stack of them without end does not.
      const before = this.#column - 1;
      const base = cells[before] ?? '';
      if (before >= 0 && base.length < 32) cells[before] = base + character;
      return;
    }
    cells[this.#column] = character;
    if (width === 2) cells[this.#column + 1] = COVERED;
    this.#column += width;
  }

  #eraseInLine(which: string): void {
    if (which === '1' || which === '2') {
      const cells = this.#edit();
      const end = which === '2' ? cells.length : Math.min(this.#column + 1, cells.length);
      for (let at = 0; at < end; at += 1) cells[at] = ' ';
    } else if (this.#cells !== undefined) {
      this.#cells.length = Math.min(this.#cells.length, this.#column);
    }
  }

  #cursor(): number {
    this.#edit();
    return this.#column;
  }

  #moveTo(column: number): void {
    const cells = this.#edit();
    this.#column = Math.max(0, Math.min(column, LONGEST_LINE));
    while (cells.length < this.#column) cells.push(' ');
  }

  /** The line as columns, made when the cursor first leaves its end. */
  #edit(): string[] {
    if (this.#cells === undefined) {
      const cells: string[] = [];
      this.#cells = cells;
      this.#column = 0;
      const plain = this.#plain;
      this.#plain = '';
      for (const character of plain) this.#draw(cells, character);
    }
    if (this.#returned) this.#column = 0;
    this.#returned = false;
    return this.#cells;
  }

  #line(): string {
    return this.#cells === undefined ? this.#plain : this.#cells.join('');
  }

  #finishLine(): void {
    const line = this.#line();
    this.#plain = '';
    this.#cells = undefined;
    this.#column = 0;
    this.#returned = false;
    const text = line.replace(/ +$/, '');
    // Of rows one after the other with nothing but a border, one is enough to keep apart what is above and below.
    const empty = this.#alternate && ONLY_BORDERS.test(text);
    if (!empty || !this.#afterEmpty) this.#emit(text);
    this.#afterEmpty = empty;
  }
}

function drawnFor(character: string): string {
  return LINE_DRAWING.charAt(character.charCodeAt(0) - 0x60);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
