/**
 * Output as lines that a person can read and search. It is no terminal: it keeps one line, understands what line
 * editing and progress bars do to it, and gives a line out when the cursor leaves it. What is drawn all over a screen
 * (editors, the alternate screen) is for the replay to show and is not turned into lines.
 */
export class TextLines {
  readonly #emit: (line: string, startedAt: number, endedAt: number) => void;
  #cells: string[] = [];
  #column = 0;
  #startedAt: number | undefined;
  #alternate = false;
  /** An escape sequence that was cut by the end of a chunk. */
  #held = '';

  constructor(emit: (line: string, startedAt: number, endedAt: number) => void) {
    this.#emit = emit;
  }

  push(output: string, at: number): void {
    const text = this.#held + output;
    this.#held = '';
    TOKENS.lastIndex = 0;
    for (let match = TOKENS.exec(text); match !== null; match = TOKENS.exec(text)) {
      const token = match[0];
      const first = token.charCodeAt(0);
      if (first === 0x1b || first === 0x9b) {
        if (isCut(token) && TOKENS.lastIndex >= text.length && token.length < LONGEST_SEQUENCE) this.#held = token;
        else this.#sequence(token, at);
      } else if (first < 0x20 || first === 0x7f) this.#control(first, at);
      else if (!this.#alternate) this.#text(token, at);
    }
  }

  /** Gives out what stands on the line, when there is something. */
  end(at: number): void {
    if (this.#cells.length > 0) this.#finish(at);
  }

  #text(run: string, at: number): void {
    this.#startedAt ??= at;
    for (const character of run) {
      if (this.#column >= LONGEST_LINE) return;
      while (this.#cells.length < this.#column) this.#cells.push(' ');
      if (this.#column > 0 && COMBINING.test(character)) {
        const base = this.#cells[this.#column - 1] ?? '';
        if (base.length < 16) this.#cells[this.#column - 1] = base + character;
        continue;
      }
      this.#cells[this.#column] = character;
      this.#column += 1;
    }
  }

  #control(code: number, at: number): void {
    if (this.#alternate) return;
    if (code === 0x0a || code === 0x0b || code === 0x0c) this.#finish(at);
    else if (code === 0x0d) this.#column = 0;
    else if (code === 0x08) this.#column = Math.max(0, this.#column - 1);
    else if (code === 0x09) this.#text('\t', at);
  }

  #sequence(token: string, at: number): void {
    const [csi, mode = '', parameters = '', final = ''] = CSI.exec(token) ?? [];
    if (csi === undefined) return;
    if (mode === '?') {
      if (/^(?:47|1047|1049)$/.test(parameters) && (final === 'h' || final === 'l')) {
        this.end(at);
        this.#alternate = final === 'h';
      }
      return;
    }
    if (mode !== '' || this.#alternate) return;
    const count = Math.min(Number.parseInt(parameters, 10) || 1, LONGEST_LINE);
    if (final === 'C') this.#column = Math.min(this.#column + count, LONGEST_LINE);
    else if (final === 'D') this.#column = Math.max(0, this.#column - count);
    else if (final === 'G') this.#column = count - 1;
    else if (final === 'P') this.#cells.splice(this.#column, count);
    else if (final === '@') this.#cells.splice(this.#column, 0, ...Array.from({ length: Math.min(count, 1024) }, () => ' '));
    else if (final === 'K' && (parameters === '' || parameters === '0')) this.#cells.length = Math.min(this.#cells.length, this.#column);
    else if (final === 'K') this.#cells = [];
    else if ('ABEFHfdJ'.includes(final)) this.end(at); // The cursor goes elsewhere: what was here is a line of its own.
  }

  #finish(at: number): void {
    const line = this.#cells.join('').trimEnd();
    this.#emit(line, this.#startedAt ?? at, at);
    this.#cells = [];
    this.#column = 0;
    this.#startedAt = undefined;
  }
}

const LONGEST_LINE = 2000;
const LONGEST_SEQUENCE = 4096;

/** Strings (OSC, DCS, SOS, PM, APC) with their end, other sequences, single controls, runs of text. ECMA-48. */
const TOKENS =
  /(?:\x1b[\]PX^_][^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)?)|(?:(?:\x1b\[|\x9b)[\x20-\x3f]*[\x40-\x7e]?)|(?:\x1b[\x20-\x2f]*[\x30-\x7e]?)|[\x00-\x1a\x1c-\x1f\x7f]|[\x80-\x9a\x9c-\x9f]|[^\x00-\x1f\x7f-\x9f]+/g;

const CSI = /^(?:\x1b\[|\x9b)([<=>?]?)([0-9;:]*)[\x20-\x2f]*([\x40-\x7e])$/;

const COMBINING = /\p{Mark}/u;

function isCut(token: string): boolean {
  if (/^\x1b[\]PX^_]/.test(token)) return !/(?:\x07|\x1b\\|\x9c)$/.test(token);
  if (/^(?:\x1b\[|\x9b)/.test(token)) return !/[\x40-\x7e]$/.test(token.slice(token.startsWith('\x1b') ? 2 : 1));
  return !/^\x1b[\x20-\x2f]*[\x30-\x7e]$/.test(token);
}
