import pty from 'node-pty';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { emptyCell, type ScreenLine } from '../../contract/replay/screen/terminal-internals.ts';

/** What happened in a terminal. `at`: seconds since it was opened. */
export type TerminalEvent = { at: number; kind: 'data'; bytes: Uint8Array } | { at: number; kind: 'resize'; cols: number; rows: number };

const PATIENCE_MS = 45_000;

/**
 * A program in a pseudo-terminal, driven by what its screen shows, and everything it wrote with its times. It answers
 * no question of the program, as a recording does not.
 */
export class DrivenTerminal {
  readonly events: TerminalEvent[] = [];
  /** The screen as whoever sits in front of it sees it. */
  readonly screen: Emulation;
  readonly #began = performance.now();
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #pty: pty.IPty;
  #heard = Promise.withResolvers<void>();
  #exit: number | undefined;

  constructor(program: string, words: readonly string[], cols: number, rows: number) {
    this.screen = new Emulation(cols, rows);
    const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', LANG: 'C.UTF-8', TERM: 'xterm-256color' };
    this.#pty = pty.spawn(program, [...words], { cols, rows, name: 'xterm-256color', encoding: null, env });
    // Without an encoding node-pty gives buffers, whatever its types say.
    this.#pty.onData((data) => this.#take(Buffer.from(data)));
    this.#pty.onExit(({ exitCode }) => {
      this.#exit = exitCode;
      this.#heard.resolve();
    });
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }

  resize(cols: number, rows: number): void {
    this.events.push({ at: this.#now(), kind: 'resize', cols, rows });
    this.screen.resize(cols, rows);
    this.#pty.resize(cols, rows);
  }

  kill(): void {
    if (this.#exit === undefined) this.#pty.kill('SIGKILL');
  }

  /** Resolves as soon as the screen shows it. */
  async shows(what: RegExp | string): Promise<void> {
    const fits = (text: string) => (typeof what === 'string' ? text.includes(what) : what.test(text));
    const late = AbortSignal.timeout(PATIENCE_MS);
    while (!fits(this.text)) {
      if (this.#exit !== undefined || late.aborted) {
        throw new Error(`${this.#exit !== undefined ? 'it ended' : 'it went on'} without showing ${String(what)}:\n${this.text}`);
      }
      await this.#more(late);
    }
  }

  /** Resolves with its exit status. */
  async ended(): Promise<number> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    while (this.#exit === undefined) {
      if (late.aborted) throw new Error(`it does not end:\n${this.text}`);
      await this.#more(late);
    }
    return this.#exit;
  }

  /** Types, and resolves when the screen shows what comes of it. */
  async typed(keys: string, what: RegExp | string): Promise<void> {
    this.type(keys);
    await this.shows(what);
  }

  /** Resolves when it has written so many times more. */
  async writes(times: number): Promise<void> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    for (let left = times; left > 0; left -= 1) {
      if (this.#exit !== undefined || late.aborted) throw new Error(`it wrote ${left} times too few:\n${this.text}`);
      await this.#more(late);
    }
  }

  /** The lines of the screen. */
  get text(): string {
    const { active } = this.screen.core.buffers;
    const cell = emptyCell();
    const lines: string[] = [];
    for (let row = 0; row < this.screen.rows; row += 1) {
      const line = active.lines.get(active.ybase + row) as ScreenLine;
      let text = '';
      for (let x = 0; x < line.length; x += 1) {
        line.loadCell(x, cell);
        text += cell.getChars() === '' && cell.getWidth() > 0 ? ' ' : cell.getChars();
      }
      lines.push(text.trimEnd());
    }
    return lines.join('\n');
  }

  async #more(late: AbortSignal): Promise<void> {
    const gaveUp = Promise.withResolvers<void>();
    const listener = () => gaveUp.resolve();
    late.addEventListener('abort', listener, { once: true });
    await Promise.race([this.#heard.promise, gaveUp.promise]);
    late.removeEventListener('abort', listener);
  }

  #take(bytes: Buffer): void {
    this.events.push({ at: this.#now(), kind: 'data', bytes });
    this.screen.show(this.#decoder.decode(bytes, { stream: true }));
    const { resolve } = this.#heard;
    this.#heard = Promise.withResolvers();
    resolve();
  }

  #now(): number {
    return (performance.now() - this.#began) / 1000;
  }
}
