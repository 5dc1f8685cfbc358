import { once } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';

export type PlayerKey = 'pause' | 'back' | 'forward' | 'slower' | 'start' | 'end' | 'faster' | 'fold' | 'quit';

/** What is typed, and what it means. A terminal sends a key's bytes together. */
const keys: ReadonlyMap<string, PlayerKey> = new Map([
  [' ', 'pause'],
  ['\x1b[D', 'back'],
  ['\x1bOD', 'back'],
  ['\x1b[C', 'forward'],
  ['\x1bOC', 'forward'],
  ['\x1b[H', 'start'],
  ['\x1bOH', 'start'],
  ['\x1b[1~', 'start'],
  ['\x1b[F', 'end'],
  ['\x1bOF', 'end'],
  ['\x1b[4~', 'end'],
  ['[', 'slower'],
  ['-', 'slower'],
  [']', 'faster'],
  ['+', 'faster'],
  ['=', 'faster'], // the key of + without shift
  ['i', 'fold'],
  ['q', 'quit'],
  ['\x03', 'quit'],
]);

/** One key, whatever it is: what an unknown one sends has characters in it that are keys themselves. */
const ONE_KEY = /\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])|[\s\S]/g;

/** Modes that a recording may have left behind, set back: soft reset, normal video, wrapping, plain, cursor visible. */
const RESTORE = '\x1b[?2026l\x1b[!p\x1b[?5l\x1b[?7h\x1b(B\x0f\x1b[m\x1b[?25h';

/** Only where the recording had gone there: on the main screen this would move the cursor. */
const LEAVE_ALTERNATE_SCREEN = '\x1b[?1049l';

/**
 * The reviewer's own terminal while a recording plays in it. Raw mode only when both ends are a terminal, and set back
 * however the process ends short of SIGKILL.
 */
export class PlayerTerminal {
  /** Exit code of the signal that ended the replay. */
  signalled: number | undefined;
  /** Whether what was written has left the terminal on its alternate screen. */
  alternateScreen = false;
  readonly interactive: boolean;
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #onData = (bytes: Buffer) => this.#read(bytes.toString('latin1'));
  readonly #signals = new Map<NodeJS.Signals, () => void>();
  readonly #onExit = () => this.restore();
  #listener: ((key: PlayerKey) => void) | undefined;
  #open = false;

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input;
    this.#output = output;
    this.interactive = input.isTTY === true && output.isTTY === true;
  }

  get size(): { cols: number; rows: number } | undefined {
    return this.#output.isTTY === true ? { cols: this.#output.columns, rows: this.#output.rows } : undefined;
  }

  /** Takes over the terminal. Without one there are no keys, and signals do what they always do. */
  open(listener: (key: PlayerKey) => void): void {
    this.#listener = listener;
    this.#open = true;
    process.once('exit', this.#onExit);
    for (const [signal, number] of [
      ['SIGINT', 2],
      ['SIGTERM', 15],
      ['SIGHUP', 1],
    ] as const) {
      const stop = () => {
        this.signalled = 128 + number;
        listener('quit');
      };
      this.#signals.set(signal, stop);
      process.on(signal, stop);
    }
    if (!this.interactive) return;
    this.#input.setRawMode(true);
    this.#input.on('data', this.#onData);
    this.#input.resume();
  }

  async write(text: string): Promise<void> {
    if (text !== '' && !this.#output.write(text)) await once(this.#output, 'drain');
  }

  restore(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off('exit', this.#onExit);
    for (const [signal, stop] of this.#signals) process.off(signal, stop);
    if (this.#output.isTTY === true) this.#output.write(`${this.alternateScreen ? LEAVE_ALTERNATE_SCREEN : ''}${RESTORE}\r\n`);
    if (!this.interactive) return;
    this.#input.off('data', this.#onData);
    this.#input.setRawMode(false);
    this.#input.pause();
  }

  #read(typed: string): void {
    for (const [one] of typed.matchAll(ONE_KEY)) {
      const key = keys.get(one);
      if (key !== undefined) this.#listener?.(key);
    }
  }
}
