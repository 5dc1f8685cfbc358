import { SallyportError } from '../../base/errors.ts';
import { Refusal } from '../problem.ts';

const TOO_MANY_REQUESTS = 429;

/** Answers that are on their way at one time: each holds a piece of a recording until its client has taken it. */
export class Places {
  readonly #together: number;
  readonly #each: number;
  readonly #what: string;
  readonly #taken = new Map<string, number>();
  #all = 0;

  /** `what`: in words, of several. */
  constructor(limits: { readonly together: number; readonly each: number }, what = 'parts of recordings') {
    this.#what = what;
    this.#together = limits.together;
    this.#each = limits.each;
  }

  /** How many are taken; for tests and metrics. */
  get taken(): number {
    return this.#all;
  }

  /** Gives how to leave it, once. Throws CONFLICT. */
  take(who: string): () => void {
    const own = this.#taken.get(who) ?? 0;
    if (own >= this.#each || this.#all >= this.#together) {
      throw new Refusal(
        TOO_MANY_REQUESTS,
        new SallyportError('CONFLICT', `${own >= this.#each ? own : this.#all} ${this.#what} are on their way already`, {
          remedy: 'take what was asked for before first',
        }),
      );
    }
    this.#taken.set(who, own + 1);
    this.#all += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#all -= 1;
      const rest = (this.#taken.get(who) ?? 1) - 1;
      if (rest === 0) this.#taken.delete(who);
      else this.#taken.set(who, rest);
    };
  }
}
