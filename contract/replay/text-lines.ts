/**
 * Output as lines that a person can read and search. It is no terminal: it keeps one line, understands what line
 * editing and progress bars do to it, and gives a line out when the cursor leaves it. What is drawn all over a screen
 * (editors, the alternate screen) is for the replay to show and is not turned into lines.
 */
export class TextLines {
  readonly #emit: (line: string, startedAt: number, endedAt: number) => void;
  /** The line while the cursor stands at its end, which is nearly always. */
  #plain = '';
  /** Its columns, once the cursor has moved within it. */
  #cells: string[] | undefined;
  #column = 0;
  /** A carriage return that nothing was drawn after yet: mostly a line feed follows, and then nothing has moved. */
  #returned = false;
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
        if (TOKENS.lastIndex >= text.length && token.length < LONGEST_SEQUENCE && isCut(token)) this.#held = token;
        else this.#sequence(token, at);
      } else if (first < 0x20 || first === 0x7f) this.#control(first, at);
      else if (!this.#alternate && (first < 0x80 || first > 0x9f)) this.#text(token, at);
    }
  }

  /** Gives out what stands on the line, when there is something. */
  end(at: number): void {
    if (this.#plain !== '' || (this.#cells?.length ?? 0) > 0) this.#finish(at);
  }

  #text(run: string, at: number): void {
    this.#startedAt ??= at;
    if (this.#cells === undefined && !this.#returned) {
      if (this.#plain.length < LONGEST_LINE) this.#plain += run.length > LONGEST_LINE ? run.slice(0, LONGEST_LINE) : run;
      return;
    }
    this.#draw(this.#edit(), run);
  }

  #draw(cells: string[], run: string): void {
    for (const character of run) {
      if (this.#column >= LONGEST_LINE) return;
      while (cells.length < this.#column) cells.push(' ');
      if (this.#column > 0 && COMBINING.test(character)) {
        const base = cells[this.#column - 1] ?? '';
        if (base.length < 16) cells[this.#column - 1] = base + character;
        continue;
      }
      cells[this.#column] = character;
      this.#column += 1;
    }
  }

  #control(code: number, at: number): void {
    if (this.#alternate) return;
    if (code === 0x0a || code === 0x0b || code === 0x0c) this.#finish(at);
    else if (code === 0x0d) this.#returned = true;
    else if (code === 0x08) this.#moveTo(this.#cursor() - 1);
    else if (code === 0x09) this.#text('\t', at);
  }

  #sequence(token: string, at: number): void {
    const [csi, mode = '', parameters = '', final = ''] = CSI.exec(token) ?? [];
    if (csi === undefined || final === 'm') return;
    if (mode === '?') {
      if (/^(?:47|1047|1049)$/.test(parameters) && (final === 'h' || final === 'l')) {
        this.end(at);
        this.#alternate = final === 'h';
      }
      return;
    }
    if (mode !== '' || this.#alternate) return;
    const count = Math.min(Number.parseInt(parameters, 10) || 1, LONGEST_LINE);
    if (final === 'C') this.#moveTo(this.#cursor() + count);
    else if (final === 'D') this.#moveTo(this.#cursor() - count);
    else if (final === 'G') this.#moveTo(count - 1);
    else if (final === 'P') this.#edit().splice(this.#column, count);
    else if (final === '@') this.#edit().splice(this.#column, 0, ...Array.from({ length: Math.min(count, 1024) }, () => ' '));
    else if (final === 'K') this.#erase(parameters);
    // The cursor goes elsewhere: what was here is a line of its own.
    else if ('ABEFHfdJ'.includes(final)) this.end(at);
  }

  /** To the end of the line, or all of it. At the end of a line there is nothing to erase. */
  #erase(which: string): void {
    if (which === '' || which === '0') {
      if (this.#cells === undefined && !this.#returned) return;
      const cells = this.#edit();
      cells.length = Math.min(cells.length, this.#column);
    } else {
      this.#edit().length = 0;
    }
  }

  #cursor(): number {
    this.#edit();
    return this.#column;
  }

  #moveTo(column: number): void {
    this.#edit();
    this.#column = Math.max(0, Math.min(column, LONGEST_LINE));
  }

  #edit(): string[] {
    let cells = this.#cells;
    if (cells === undefined) {
      cells = [];
      this.#cells = cells;
      this.#column = 0;
      this.#draw(cells, this.#plain);
      this.#plain = '';
    }
    if (this.#returned) this.#column = 0;
    this.#returned = false;
    return cells;
  }

  #finish(at: number): void {
    const line = (this.#cells?.join('') ?? this.#plain).trimEnd();
    this.#emit(line, this.#startedAt ?? at, at);
    this.#plain = '';
    this.#cells = undefined;
    this.#column = 0;
    this.#returned = false;
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
