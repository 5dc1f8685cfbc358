import type { SallyportError } from '../base/errors.ts';
import type { CastItem } from '../query/cast-events.ts';
import { TerminalFilter } from '../query/terminal-filter.ts';
import { damageNotice } from './damage-notice.ts';
import type { PlayerKey, PlayerTerminal } from './player-terminal.ts';

const SEEK_MICROS = 5_000_000;
const SLOWEST = 1 / 16;
const FASTEST = 64;
/** Pauses fold to this when folding was off and is turned on. */
const FOLDED_MICROS = 1_000_000;
/** Output that is skipped over is written in pieces of this size, so that keys are still heard. */
const SKIP_AT = 128 * 1024;
const CLEAR = '\x1b[!p\x1b[?1049l\x1b[r\x1b[m\x1b[2J\x1b[H';

export interface PlayerOptions {
  speed: number;
  /** Seconds; 0 for none. */
  idle: number;
}

/**
 * Plays a recording at its own pace. Positions are microseconds of the recording. Seeking back begins again and skips;
 * skipping writes the output without its pauses, because only then the screen is the right one.
 */
export class Player {
  /** What could not be read, each once. */
  readonly damage: SallyportError[] = [];
  readonly #items: () => AsyncGenerator<CastItem>;
  readonly #terminal: PlayerTerminal;
  #speed: number;
  #foldMicros: number;
  readonly #foldWhenOn: number;
  #position = 0;
  /** Everything up to here is skipped over. */
  #skipTo = 0;
  #paused = false;
  #sizeTold = false;
  #quit = false;
  #restart = false;
  #statusShown = false;
  #wake: (() => void) | undefined;

  constructor(items: () => AsyncGenerator<CastItem>, terminal: PlayerTerminal, options: PlayerOptions) {
    this.#items = items;
    this.#terminal = terminal;
    this.#speed = options.speed;
    this.#foldMicros = options.idle === 0 ? Number.POSITIVE_INFINITY : options.idle * 1e6;
    this.#foldWhenOn = options.idle === 0 ? FOLDED_MICROS : options.idle * 1e6;
  }

  async run(): Promise<void> {
    this.#terminal.open((key) => this.#press(key));
    do {
      this.#restart = false;
      await this.#playOnce();
      if (this.#restart && !this.#quit) await this.#terminal.write(CLEAR);
    } while (this.#restart && !this.#quit);
  }

  async #playOnce(): Promise<void> {
    let filter = new TerminalFilter();
    let output = '';
    const flush = async () => {
      const text = output;
      output = '';
      await this.#terminal.write(text);
    };
    this.#position = 0;
    for await (const item of this.#items()) {
      if (this.#quit || this.#restart) break;
      if (item.kind === 'header') {
        await this.#tellSize(item.header.cols, item.header.rows);
        continue;
      }
      if (item.kind === 'damage') {
        if (!this.damage.some((known) => known.message === item.error.message)) this.damage.push(item.error);
        // What was cut off may have been in the middle of a sequence: what follows begins anew, on the same screen.
        output += damageNotice(item.error.message, this.#terminal.size, filter.alternateScreen);
        filter = new TerminalFilter(filter.alternateScreen);
      }
      if (item.at > this.#skipTo) {
        await flush();
        this.#position = Math.max(this.#position, this.#skipTo);
        await this.#waitUntil(item.at);
        if (this.#quit || this.#restart) break;
      }
      this.#position = Math.max(this.#position, item.at);
      if (item.kind !== 'event' || item.code !== 'o') continue;
      output += filter.filter(item.data);
      this.#terminal.alternateScreen = filter.alternateScreen;
      if (output.length > SKIP_AT) {
        await flush();
        await new Promise<void>((resolve) => setImmediate(resolve)); // keys
      }
    }
    if (!this.#restart && !this.#quit) await flush();
  }

  /** Lets the time until `at` pass: at the present speed, folded, and not at all while paused. */
  async #waitUntil(at: number): Promise<void> {
    let left = Math.min(at - this.#position, this.#foldMicros);
    while (!this.#quit && !this.#restart && at > this.#skipTo && (left > 0 || this.#paused)) {
      if (this.#paused) {
        await this.#showStatus();
        await this.#sleep(undefined);
        continue;
      }
      await this.#hideStatus();
      if (this.#restart) return;
      left = Math.min(left, this.#foldMicros);
      const began = performance.now();
      await this.#sleep(left / 1000 / this.#speed);
      const passed = (performance.now() - began) * 1000 * this.#speed;
      left -= passed;
      this.#position = Math.min(at, this.#position + passed);
    }
    if (this.#statusShown && !this.#quit) await this.#hideStatus();
  }

  /** Until the time is over or a key is pressed. */
  #sleep(millis: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = millis === undefined ? undefined : setTimeout(() => wake(), Math.max(0, millis));
      const wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
    });
  }

  #press(key: PlayerKey): void {
    switch (key) {
      case 'pause':
        this.#paused = !this.#paused;
        break;
      case 'back':
        this.#skipTo = Math.max(0, this.#position - SEEK_MICROS);
        this.#beginAgain();
        break;
      case 'forward':
        this.#skipTo = Math.max(this.#skipTo, this.#position) + SEEK_MICROS;
        break;
      case 'slower':
        this.#speed = Math.max(SLOWEST, this.#speed / 2);
        break;
      case 'faster':
        this.#speed = Math.min(FASTEST, this.#speed * 2);
        break;
      case 'fold':
        this.#foldMicros = this.#foldMicros === Number.POSITIVE_INFINITY ? this.#foldWhenOn : Number.POSITIVE_INFINITY;
        break;
      case 'quit':
        this.#quit = true;
        break;
    }
    this.#wake?.();
  }

  #beginAgain(): void {
    this.#restart = true;
    this.#statusShown = false;
  }

  async #tellSize(cols: number, rows: number): Promise<void> {
    const size = this.#terminal.size;
    if (this.#sizeTold) return;
    this.#sizeTold = true;
    if (size === undefined || (cols <= size.cols && rows <= size.rows)) return;
    await this.#terminal.write(
      `[recorded in ${cols}x${rows}, and this terminal has ${size.cols}x${size.rows}: make it larger to see everything in its place]\r\n`,
    );
  }

  async #showStatus(): Promise<void> {
    const size = this.#terminal.size;
    if (!this.#terminal.interactive || size === undefined) return;
    this.#statusShown = true;
    const fold = this.#foldMicros === Number.POSITIVE_INFINITY ? 'in full' : `folded to ${this.#foldMicros / 1e6} s`;
    const text = ` paused at ${clock(this.#position)}   speed ${this.#speed}   pauses ${fold}   space goes on, q quits `;
    await this.#terminal.write(`\x1b7\x1b[${size.rows};1H\x1b[7m${text.slice(0, size.cols - 1)}\x1b[m\x1b[K\x1b8`);
  }

  /** What stood under the status line can only be had by playing up to here again. */
  async #hideStatus(): Promise<void> {
    if (!this.#statusShown) return;
    this.#skipTo = Math.max(this.#skipTo, this.#position);
    this.#beginAgain();
  }
}

function clock(micros: number): string {
  const seconds = Math.floor(micros / 1e6);
  const part = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  return `${hours > 0 ? `${hours}:` : ''}${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
}
