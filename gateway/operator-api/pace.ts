import { SallyportError } from '../base/errors.ts';
import { Refusal } from './problem.ts';

const TOO_MANY_REQUESTS = 429;
/** Operators that are remembered; the one that has been quiet for longest starts afresh. */
const MOST_OPERATORS = 1000;

/** How many records each operator may have written by asking for them: so many at once, and so many a minute after that. */
export class Pace {
  readonly #burst: number;
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #left = new Map<string, { places: number; at: number }>();

  /** `now`: monotonic milliseconds. */
  constructor(limits: { readonly burst: number; readonly perMinute: number }, now: () => number = () => performance.now()) {
    this.#burst = limits.burst;
    this.#perMinute = limits.perMinute;
    this.#now = now;
  }

  /** Throws CONFLICT. `what`: of which there were too many, in words. */
  take(operator: string, what: string): void {
    const now = this.#now();
    const known = this.#left.get(operator) ?? { places: this.#burst, at: now };
    const places = Math.min(this.#burst, known.places + ((now - known.at) / 60_000) * this.#perMinute);
    this.#left.delete(operator);
    this.#left.set(operator, { places: places < 1 ? places : places - 1, at: now });
    const [oldest] = this.#left.keys();
    if (this.#left.size > MOST_OPERATORS && oldest !== undefined) this.#left.delete(oldest);
    if (places >= 1) return;
    throw new Refusal(
      TOO_MANY_REQUESTS,
      new SallyportError('CONFLICT', `${operator} has sent ${what} faster than ${this.#perMinute} a minute, and each is a record`, {
        remedy: 'wait a few seconds, and send fewer that say more',
      }),
    );
  }
}
