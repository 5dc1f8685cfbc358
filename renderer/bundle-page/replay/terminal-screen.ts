import { type IBuffer, type IMarker, Terminal } from '@xterm/xterm';
import type { Screen } from '../../../contract/replay/player.ts';
import { currentWidths } from './character-width.ts';

/** Columns and rows of a channel without a terminal: its output has no size of its own. */
const PLAIN = { cols: 120, rows: 36 };

/** Lines above the screen that can be scrolled back to. */
const SCROLLBACK = { terminal: 2_000, plain: 10_000 };

/** More ranges of error output than this are not told apart any more. */
const MOST_RANGES = 5_000;

/**
 * xterm.js as the emulator of a recorded terminal. It is never opened in the document: it takes no keys, answers to
 * nobody, sets no title and makes no links. What it knows of the screen is drawn by `ScreenPainter`.
 */
export class TerminalScreen implements Screen {
  readonly #terminalGiven: boolean;
  #terminal: Terminal;
  #cursorHidden = false;
  /** Where error output stands, as lines since the beginning; only of channels without a terminal. */
  #errorLines: { from: number; to: number }[] = [];
  /** Lines that have left the scrollback. */
  #trimmed = 0;
  /** Where the cursor stood after the last chunk: in the buffer then, and counted from the beginning. */
  #sentinel: { marker: IMarker; line: number; counted: number } | undefined;
  #input = '';
  /** Counts changes, so that a painter knows whether there is something to draw. */
  version = 0;

  constructor(terminalGiven: boolean) {
    this.#terminalGiven = terminalGiven;
    this.#terminal = this.#create(PLAIN.cols, PLAIN.rows);
  }

  get plain(): boolean {
    return !this.#terminalGiven;
  }

  get buffer(): IBuffer {
    return this.#terminal.buffer.active;
  }

  get cols(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  get cursorVisible(): boolean {
    return !this.#cursorHidden && this.#terminalGiven;
  }

  /** The end of what was typed up to now. */
  get typed(): string {
    return this.#input;
  }

  isErrorLine(line: number): boolean {
    const absolute = line + this.#trimmed;
    return this.#errorLines.some(({ from, to }) => absolute >= from && absolute <= to);
  }

  reset(cols: number, rows: number): void {
    // A new emulator instead of a reset one: nothing of what was played before can remain in it.
    this.#terminal.dispose();
    this.#cursorHidden = false;
    this.#errorLines = [];
    this.#trimmed = 0;
    this.#sentinel = undefined;
    this.#input = '';
    this.#terminal = this.#terminalGiven ? this.#create(cols, rows) : this.#create(PLAIN.cols, PLAIN.rows);
    this.version += 1;
  }

  resize(cols: number, rows: number): void {
    if (!this.#terminalGiven) return;
    // After everything before it: writes are parsed later, a resize acts at once.
    this.#terminal.write('', () => this.#terminal.resize(cols, rows));
    this.version += 1;
  }

  write(text: string, stream: 'o' | 'e'): void {
    if (this.#terminalGiven) this.#terminal.write(text);
    else this.#terminal.write(text, () => this.#noteLines(stream));
    this.version += 1;
  }

  input(text: string): void {
    this.#input = `${this.#input}${text}`.slice(-200);
    this.version += 1;
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#terminal.write('', () => {
        this.version += 1;
        resolve();
      });
    });
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  #create(cols: number, rows: number): Terminal {
    const terminal = new Terminal({
      cols,
      rows,
      allowProposedApi: true,
      convertEol: !this.#terminalGiven,
      scrollback: this.#terminalGiven ? SCROLLBACK.terminal : SCROLLBACK.plain,
      logLevel: 'off',
    });
    terminal.unicode.register(currentWidths);
    terminal.unicode.activeVersion = currentWidths.version;
    const cursor = (hidden: boolean) => (parameters: (number | number[])[]) => {
      if (parameters.includes(25)) this.#cursorHidden = hidden;
      return false;
    };
    terminal.parser.registerCsiHandler({ prefix: '?', final: 'h' }, cursor(false));
    terminal.parser.registerCsiHandler({ prefix: '?', final: 'l' }, cursor(true));
    terminal.parser.registerEscHandler({ final: 'c' }, () => {
      this.#cursorHidden = false;
      return false;
    });
    return terminal;
  }

  /** Called when a chunk of output has been parsed: everything since the last one belongs to this stream. */
  #noteLines(stream: 'o' | 'e'): void {
    const { baseY, cursorY, cursorX } = this.#terminal.buffer.normal;
    const line = baseY + cursorY;
    const begun = this.#sentinel;
    if (begun !== undefined) {
      // The marker moved up by as many lines as were dropped at the top; when it is gone itself, so is all before it.
      if (begun.marker.isDisposed) this.#errorLines = [];
      else this.#trimmed += begun.line - begun.marker.line;
      begun.marker.dispose();
    }
    const here = line + this.#trimmed;
    if (stream === 'e') {
      const from = Math.min(begun?.counted ?? 0, here);
      // A chunk that ends with a line feed leaves the cursor on a line that is not its own.
      const to = Math.max(from, here - (cursorX === 0 ? 1 : 0));
      const last = this.#errorLines.at(-1);
      if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
      else if (this.#errorLines.length < MOST_RANGES) this.#errorLines.push({ from, to });
    }
    this.#sentinel = { marker: this.#terminal.registerMarker(0), line, counted: here };
  }
}
