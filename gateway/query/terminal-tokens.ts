/**
 * What output means to a terminal (ECMA-48, and what xterm does): text, control characters and sequences. Owns the
 * state between pieces of output and nothing else; what is done with the tokens is the sink's business.
 */
export interface TerminalSink {
  /** A run of characters, none of them a control character. */
  text(run: string): void;
  /** A C0 control character other than ESC, or DEL. */
  control(code: number): void;
  /** `ESC intermediates final`. A C1 control character comes as the sequence it abbreviates. */
  escape(intermediates: string, final: string): void;
  /** `CSI parameters intermediates final`; parameters as they stand, with a private prefix such as `?`. */
  csi(parameters: string, intermediates: string, final: string): void;
  /** An OSC, DCS, SOS, PM or APC string has ended; its content is not kept. */
  string(introducer: string): void;
}

/** A sequence with more than this is nobody's; what was taken of it is dropped. */
const LONGEST_CSI = 256;

/** A string that does not end within this is not let swallow the rest of the recording: what follows counts as text. */
const LONGEST_STRING = 65_536;

const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;

type State = 'ground' | 'escape' | 'csi' | 'string' | 'string-escape';

export class TerminalTokens {
  readonly #sink: TerminalSink;
  #state: State = 'ground';
  #held = '';
  #introducer = '';
  #stringLength = 0;

  constructor(sink: TerminalSink) {
    this.#sink = sink;
  }

  /** True between sequences: what comes next is not part of something begun earlier. */
  get settled(): boolean {
    return this.#state === 'ground';
  }

  feed(output: string): void {
    let at = 0;
    while (at < output.length) {
      if (this.#state === 'ground') {
        const end = endOfText(output, at);
        if (end > at) this.#sink.text(output.slice(at, end));
        at = end;
        if (at === output.length) return;
      }
      this.#take(output.charCodeAt(at), output.charAt(at));
      at += 1;
    }
  }

  #take(code: number, character: string): void {
    if (this.#state === 'string' || this.#state === 'string-escape') return this.#takeString(code, character);
    if (code === ESC) return this.#enter('escape');
    if (code === CAN || code === SUB) return this.#enter('ground');
    if (code < 0x20 || code === 0x7f) return this.#sink.control(code); // Also within a sequence: they act at once.
    if (code >= 0x80 && code <= 0x9f) return this.#c1(String.fromCharCode(code - 0x40));
    if (this.#state === 'escape') return this.#takeEscape(code, character);
    if (this.#state === 'csi') return this.#takeCsi(code, character);
    this.#sink.text(character);
  }

  #takeEscape(code: number, character: string): void {
    if (code >= 0x20 && code <= 0x2f && this.#held.length < LONGEST_CSI) {
      this.#held += character;
    } else if (code >= 0x30 && code <= 0x7e) {
      const intermediates = this.#held;
      if (intermediates === '') return this.#c1(character);
      this.#enter('ground');
      this.#sink.escape(intermediates, character);
    } else {
      this.#enter('ground');
    }
  }

  /** The final character of a plain escape sequence, or what a C1 character stands for. */
  #c1(final: string): void {
    if (final === '[') {
      this.#enter('csi');
    } else if (final === ']' || final === 'P' || final === 'X' || final === '^' || final === '_') {
      this.#enter('string');
      this.#introducer = final;
      this.#stringLength = 0;
    } else {
      this.#enter('ground');
      if (final !== '\\') this.#sink.escape('', final); // ST without a string says nothing.
    }
  }

  #takeCsi(code: number, character: string): void {
    if (code >= 0x20 && code <= 0x3f) {
      if (this.#held.length < LONGEST_CSI) this.#held += character;
      else this.#enter('ground');
    } else if (code >= 0x40 && code <= 0x7e) {
      const split = /[ -/]*$/.exec(this.#held)?.[0].length ?? 0;
      const parameters = this.#held.slice(0, this.#held.length - split);
      const intermediates = this.#held.slice(this.#held.length - split);
      this.#enter('ground');
      this.#sink.csi(parameters, intermediates, character);
    } else {
      this.#enter('ground');
    }
  }

  #takeString(code: number, character: string): void {
    this.#stringLength += 1;
    const ended = this.#state === 'string-escape' && character === '\\';
    if (ended || code === 0x9c || code === CAN || code === SUB || (code === BEL && this.#introducer === ']')) {
      this.#enter('ground');
      this.#sink.string(this.#introducer);
    } else if (this.#state === 'string-escape') {
      // ESC ends a string whatever follows it; what follows is a sequence of its own.
      this.#enter('ground');
      this.#sink.string(this.#introducer);
      this.#enter('escape');
      this.#take(code, character);
    } else if (code === ESC) {
      this.#state = 'string-escape';
    } else if (this.#stringLength > LONGEST_STRING) {
      this.#enter('ground');
      this.#sink.string(this.#introducer);
    }
  }

  #enter(state: State): void {
    this.#state = state;
    this.#held = '';
  }
}

/** Where the run of characters that are not controls, beginning at `from`, ends. */
function endOfText(output: string, from: number): number {
  let at = from;
  while (at < output.length) {
    const code = output.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) break;
    at += 1;
  }
  return at;
}
