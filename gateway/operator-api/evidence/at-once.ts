import { SallyportError } from '../../base/errors.ts';
import { Refusal } from '../problem.ts';

const TOO_MANY_REQUESTS = 429;

/** Long work that operators have done: so much of it together, and so much of each. Whoever asks for more is told so. */
export class AtOnce {
  readonly #together: number;
  readonly #each: number;
  readonly #what: string;
  readonly #running = new Map<string, number>();
  #all = 0;

  /** `what`: in words, of several. */
  constructor(limits: { readonly together: number; readonly each: number }, what: string) {
    this.#together = limits.together;
    this.#each = limits.each;
    this.#what = what;
  }

  /** Throws CONFLICT. */
  async run<Result>(operator: string, work: () => Promise<Result>): Promise<Result> {
    const own = this.#running.get(operator) ?? 0;
    if (own >= this.#each || this.#all >= this.#together)
      throw new Refusal(
        TOO_MANY_REQUESTS,
        new SallyportError(
          'CONFLICT',
          `${own >= this.#each ? `${own} ${this.#what} of ${operator}` : `${this.#all} ${this.#what}`} are at work already`,
          {
            remedy: 'wait until one of them is done',
          },
        ),
      );
    this.#running.set(operator, own + 1);
    this.#all += 1;
    try {
      return await work();
    } finally {
      this.#all -= 1;
      const rest = (this.#running.get(operator) ?? 1) - 1;
      if (rest === 0) this.#running.delete(operator);
      else this.#running.set(operator, rest);
    }
  }
}
