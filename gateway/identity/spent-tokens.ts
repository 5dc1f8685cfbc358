/** Tokens that were taken, until they have expired by themselves. They are forgotten at a restart. */
export class SpentTokens {
  readonly #most: number;
  /** The second after which each is no good any more. */
  readonly #until = new Map<string, number>();

  /** `most`: so many are remembered. */
  constructor(most = 100_000) {
    this.#most = most;
  }

  /**
   * Takes a token that is good until then. `spent` when it was taken before, `full` when there is no room to remember it: then
   * it must not be taken. Seconds since 1970.
   */
  take(id: string, until: number, now: number): 'taken' | 'spent' | 'full' {
    const before = this.#until.get(id);
    if (before !== undefined && before > now) return 'spent';
    if (this.#until.size >= this.#most) this.#forget(now);
    if (this.#until.size >= this.#most) return 'full';
    this.#until.set(id, until);
    return 'taken';
  }

  get remembered(): number {
    return this.#until.size;
  }

  #forget(now: number): void {
    for (const [id, until] of this.#until) if (until <= now) this.#until.delete(id);
  }
}
