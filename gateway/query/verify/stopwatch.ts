/** What a verification spends its time on. */
export type Share = 'records' | 'ledger' | 'recordings' | 'lists';

/** Parts that wait for each other: what is none of the measured ones is the rest. */
export class Stopwatch {
  readonly #began = performance.now();
  readonly #spent = { ledger: 0, recordings: 0, lists: 0 };

  async on<Result>(share: Exclude<Share, 'records'>, work: () => Promise<Result>): Promise<Result> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.#spent[share] += performance.now() - began;
    }
  }

  /** Milliseconds so far. */
  get spent(): Readonly<Record<Share, number>> {
    const { ledger, recordings, lists } = this.#spent;
    return { ...this.#spent, records: Math.max(0, performance.now() - this.#began - ledger - recordings - lists) };
  }
}
