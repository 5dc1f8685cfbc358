import { SallyportError } from '../base/errors.ts';
import { Refusal } from './problem.ts';

const TOO_MANY_REQUESTS = 429;
/** Of one operator. Their programs ask for a few at a time; what waits holds a request each. */
const MOST_WAITING = 128;

/**
 * Lets so many through at a time. Of the others the next is one of the operator who has been let through for longest ago,
 * and of theirs the one that came first: whoever asks for a thousand at once keeps nobody waiting but themselves.
 */
export class Turnstile {
  #free: number;
  /** By who waits; whoever is next first. None of them is empty. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(places: number) {
    this.#free = places;
  }

  /** `who` is missing of strangers, whose number is limited elsewhere. Throws CONFLICT when too much of theirs waits already. */
  async pass<Result>(work: () => Promise<Result>, who?: string): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(who);
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #turn(who: string | undefined): Promise<void> {
    // No operator is named so.
    const key = who ?? '';
    const queue = this.#waiting.get(key) ?? [];
    if (who !== undefined && queue.length >= MOST_WAITING)
      throw new Refusal(
        TOO_MANY_REQUESTS,
        new SallyportError('CONFLICT', `${queue.length} questions of ${who} wait for their turn already`, {
          remedy: 'wait for the answers to some of them',
        }),
      );
    this.#waiting.set(key, queue);
    return new Promise<void>((resolve) => queue.push(resolve));
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#free += 1;
      return;
    }
    const [who, queue] = first;
    const resolve = queue.shift();
    this.#waiting.delete(who);
    if (queue.length > 0) this.#waiting.set(who, queue);
    resolve?.();
  }
}
