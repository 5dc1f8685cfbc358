import { clock } from './clock.ts';
import type { PlayerKey, PlayerTerminal } from './player-terminal.ts';
import type { Stage } from './stage.ts';

const SEEK_MICROS = 5_000_000;
const SLOWEST = 1 / 16;
const FASTEST = 64;
/** Pauses fold to this when folding was off and is turned on. */
const FOLDED_MICROS = 1_000_000;
/** Waiting for less takes longer than that: it is saved up. Keys are heard at least this often as well. */
const LEAST_MILLIS = 4;

export interface PlayingOptions {
  speed: number;
  /** Seconds; 0 for none. */
  idle: number;
  /** Where it begins, in microseconds. */
  at?: number;
}

/** Plays a recording at its own pace, as the keys say. Positions are microseconds of the recording. */
export class Playing {
  readonly #stage: Stage;
  readonly #terminal: PlayerTerminal;
  #speed: number;
  #foldMicros: number;
  readonly #foldWhenOn: number;
  #position = 0;
  #seekTo: number | undefined;
  #paused = false;
  #quit = false;
  #wake: (() => void) | undefined;
  /** What is waited for, and how much of that is left. */
  #waiting: { at: number; left: number } | undefined;
  /** Milliseconds that were not waited for yet. */
  #owed = 0;
  #turnSince = 0;

  constructor(stage: Stage, terminal: PlayerTerminal, options: PlayingOptions) {
    this.#stage = stage;
    this.#terminal = terminal;
    this.#speed = options.speed;
    this.#foldMicros = options.idle === 0 ? Number.POSITIVE_INFINITY : options.idle * 1e6;
    this.#seekTo = options.at;
    this.#foldWhenOn = options.idle === 0 ? FOLDED_MICROS : options.idle * 1e6;
  }

  /** True when it was played to its end. */
  async run(): Promise<boolean> {
    this.#terminal.open((key) => this.#press(key));
    this.#turnSince = performance.now();
    if (this.#seekTo === undefined) await this.#stage.show(0);
    let over = false;
    while (!over && !this.#quit) over = await this.#goOn();
    await this.#stage.finish();
    return over;
  }

  /** Does one thing. True at the end of the recording. */
  async #goOn(): Promise<boolean> {
    if (this.#seekTo !== undefined) {
      await this.#seek(this.#seekTo);
      return false;
    }
    if (this.#paused) {
      await this.#stage.status(this.#statusLine());
      if (this.#isUndisturbed()) await this.#sleep(undefined);
      if (!this.#paused) await this.#stage.status(undefined);
      return false;
    }
    const next = await this.#stage.next();
    if (next === undefined) return true;
    if (await this.#waitUntil(next)) {
      await this.#stage.show(next);
      this.#position = Math.max(this.#position, next);
    }
    return false;
  }

  async #seek(to: number): Promise<void> {
    const at = Math.min(to, this.#stage.duration);
    this.#seekTo = undefined;
    this.#waiting = undefined;
    this.#owed = 0;
    this.#position = at;
    // A key that is pressed on the way there counts at once.
    const pressed = this.#sleep(undefined);
    await Promise.race([this.#stage.seek(at), pressed]);
    this.#wake?.();
  }

  /** Lets the time until `at` pass: at the present speed, and folded. False when a key has changed something first. */
  async #waitUntil(at: number): Promise<boolean> {
    if (this.#waiting?.at !== at) this.#waiting = { at, left: at - this.#position };
    const waiting = this.#waiting;
    waiting.left = Math.max(0, Math.min(waiting.left, this.#foldMicros));
    const millis = waiting.left / 1000 / this.#speed + this.#owed;
    if (millis < LEAST_MILLIS) {
      this.#owed = millis;
      if (performance.now() - this.#turnSince > LEAST_MILLIS) await this.#takeTurns();
      return this.#isUndisturbed() && !this.#paused;
    }
    const began = performance.now();
    const woken = await this.#sleep(millis);
    const passed = performance.now() - began;
    this.#turnSince = performance.now();
    if (!woken) {
      // A timer that comes late is not made up for by more than it can be late.
      this.#owed = Math.max(millis - passed, -LEAST_MILLIS);
      return true;
    }
    const played = Math.max(0, passed - this.#owed) * 1000 * this.#speed;
    this.#owed = 0;
    waiting.left -= played;
    this.#position = Math.min(at, this.#position + played);
    return false;
  }

  #isUndisturbed(): boolean {
    return !this.#quit && this.#seekTo === undefined;
  }

  async #takeTurns(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#turnSince = performance.now();
  }

  /** Until the time is over, or a key is pressed: then true. */
  #sleep(millis: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = millis === undefined ? undefined : setTimeout(() => end(false), millis);
      const end = (woken: boolean) => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(woken);
      };
      this.#wake = () => end(true);
    });
  }

  #press(key: PlayerKey): void {
    switch (key) {
      case 'pause':
        this.#paused = !this.#paused;
        break;
      case 'back':
        this.#seekTo = Math.max(0, (this.#seekTo ?? this.#position) - SEEK_MICROS);
        break;
      case 'forward':
        this.#seekTo = Math.min(this.#stage.duration, (this.#seekTo ?? this.#position) + SEEK_MICROS);
        break;
      case 'start':
        this.#seekTo = 0;
        break;
      case 'end':
        // It would be over at once, and nobody would see where it ends.
        this.#seekTo = this.#stage.duration;
        this.#paused = true;
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
    if (key !== 'pause' && !this.#paused && !this.#quit) this.#stage.say(this.#statusLine());
    this.#wake?.();
  }

  #statusLine(): string {
    const fold = this.#foldMicros === Number.POSITIVE_INFINITY ? 'in full' : `folded to ${this.#foldMicros / 1e6} s`;
    const where = `${this.#paused ? 'paused at' : 'at'} ${clock(this.#seekTo ?? this.#position)} of ${clock(this.#stage.duration)}`;
    return ` ${where}   speed ${this.#speed}   pauses ${fold}${this.#paused ? '   space goes on, q quits' : ''} `;
  }
}
