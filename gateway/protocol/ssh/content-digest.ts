import { createHash } from 'node:crypto';

/** Bytes that may arrive ahead of their turn (OpenSSH asks for 64 pieces of 32 KiB at once) before order is given up. */
const MAX_AHEAD = 8 * 1024 * 1024;

/** What all the files of a channel may hold ahead together. */
export class AheadBudget {
  left = MAX_AHEAD;
}

export interface ContentSummary {
  /** Where in the file the first byte stands. */
  offset: number;
  bytes: number;
  sha256: string;
  /** False when the pieces were not one run; the digest is then over the pieces in the order of their arrival. */
  sequential: boolean;
}

/** The digest of what was read from or written to a file in pieces, each with its offset. */
export class ContentDigest {
  readonly #budget: AheadBudget;
  readonly #hash = createHash('sha256');
  readonly #ahead = new Map<number, Buffer>();
  #start: number | undefined;
  #next = 0;
  #bytes = 0;
  #sequential = true;

  constructor(budget = new AheadBudget()) {
    this.#budget = budget;
  }

  /** `expected` is the lowest offset asked for so far: replies to pipelined reads may come in any order. */
  add(offset: number, bytes: Buffer, expected = offset): void {
    if (bytes.length === 0) return;
    if (this.#start === undefined) {
      this.#start = expected;
      this.#next = expected;
    }
    this.#bytes += bytes.length;
    if (!this.#sequential || offset === this.#next) {
      this.#take(bytes);
      this.#catchUp();
    } else if (offset > this.#next && bytes.length <= this.#budget.left && !this.#ahead.has(offset)) {
      this.#ahead.set(offset, Buffer.from(bytes));
      this.#budget.left -= bytes.length;
    } else {
      this.#giveUpOrder();
      this.#take(bytes);
    }
  }

  /** Undefined when there was no content. Ends the digest. */
  summary(): ContentSummary | undefined {
    if (this.#start === undefined) return undefined;
    if (this.#ahead.size > 0) this.#giveUpOrder();
    return { offset: this.#start, bytes: this.#bytes, sha256: this.#hash.digest('hex'), sequential: this.#sequential };
  }

  #take(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#next += bytes.length;
  }

  #catchUp(): void {
    for (let bytes = this.#ahead.get(this.#next); bytes !== undefined; bytes = this.#ahead.get(this.#next)) {
      this.#ahead.delete(this.#next);
      this.#budget.left += bytes.length;
      this.#take(bytes);
    }
  }

  #giveUpOrder(): void {
    this.#sequential = false;
    for (const bytes of this.#ahead.values()) {
      this.#budget.left += bytes.length;
      this.#take(bytes);
    }
    this.#ahead.clear();
  }
}
