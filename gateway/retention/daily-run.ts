import { asSallyportError } from '../base/errors.ts';
import type { Retention } from './retention.ts';

const MINUTE = 60_000;
const DAY_MICROS = 86_400_000_000;
/** Often enough to notice what the wall clock does; a run begins at most so much later than it is due. */
const LOOK_MILLIS = 5 * MINUTE;
/** What the wall clock may differ from the monotonic one between two looks. */
const JUMP_MICROS = 10 * MINUTE * 1000;
/** Looks without a jump before a clock that jumped is believed. */
const CALM_LOOKS = 12;

/** When the next run is due, in microseconds of the wall clock. A last run that lies in the future was timed by a wrong clock. */
export function nextRun(last: number, now: number): number {
  return last > now ? now : last + DAY_MICROS;
}

/**
 * Runs the retention once a day by the wall clock, and at the start when the last run is older than that. Timers follow
 * neither a clock that is set nor a machine that sleeps, so it looks at the clock every few minutes. A clock that jumps
 * is not believed for an hour: what a wrong date takes for expired would be gone for ever.
 */
export class DailyRun {
  readonly #retention: Retention;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #seen: { wall: number; monotonic: number };
  #calm = CALM_LOOKS;
  #looking: Promise<void> | undefined;

  constructor(retention: Retention) {
    this.#retention = retention;
    this.#seen = this.#now();
    this.#timer = setInterval(() => void this.look(), LOOK_MILLIS);
    this.#timer.unref();
  }

  /** Finishes what an earlier life of the gateway promised, and runs when it is time. Never rejects. */
  begin(): Promise<void> {
    const { log } = this.#retention.parts;
    const begun = this.#retention.finish(this.#stop.signal).catch((thrown: unknown) => {
      log.error({ err: thrown }, 'erasures that are on record could not be finished');
    });
    return begun.then(() => this.look());
  }

  /** Runs the retention when it is due. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** What is at work ends after the session that it is at. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { log, database, records } = this.#retention.parts;
    if (this.#stop.signal.aborted || !this.#isClockCalm()) return;
    try {
      // Where nothing is older than a day, there is nothing to be done either.
      const last = (await database.records.lastRetentionRun()) ?? (await database.records.after(0, 1))[0]?.time;
      const now = this.#seen.wall;
      if (last === undefined || now < nextRun(Date.parse(last) * 1000, now)) return;
      const done = await this.#retention.run({ dryRun: false }, { actor: records.gateway, signal: this.#stop.signal }, 'daily');
      log.info({ expired: done.expired.length, held: done.held.length, records: done.records, bytes: done.bytes }, 'the retention has run');
    } catch (thrown) {
      const { code, message } = asSallyportError(thrown);
      log.error({ code }, `the daily run of the retention failed; it is tried again in a few minutes: ${message}`);
    }
  }

  #isClockCalm(): boolean {
    const before = this.#seen;
    this.#seen = this.#now();
    const jump = this.#seen.wall - before.wall - (this.#seen.monotonic - before.monotonic) / 1000;
    if (Math.abs(jump) <= JUMP_MICROS) {
      this.#calm = Math.min(this.#calm + 1, CALM_LOOKS);
      return this.#calm === CALM_LOOKS;
    }
    this.#calm = 0;
    const seconds = Math.round(jump / 1_000_000);
    this.#retention.parts.log.warn({ seconds }, 'the clock of this machine was set; the retention waits for an hour before it believes it');
    return false;
  }

  #now(): { wall: number; monotonic: number } {
    const { clock } = this.#retention.parts;
    return { wall: clock.wallMicros(), monotonic: clock.monotonicNanos() };
  }
}
