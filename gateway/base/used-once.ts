/**
 * What may be used once, until it expires by itself. Full, it lets nothing through: forgetting would be a second use.
 * Times are of any unit, as long as it is the same one. Everything is forgotten at a restart.
 */
export class UsedOnce {
  readonly #most: number;
  /** Until when each has to be remembered. */
  readonly #until = new Map<string, number>();

  /** `most`: so many are remembered. */
  constructor(most: number) {
    this.#most = most;
  }

  get remembered(): number {
    return this.#until.size;
  }

  has(name: string): boolean {
    return this.#until.has(name);
  }

  /** Uses it. `used` when it was used before, `full` when there is no room to remember it: then it must not be used. */
  take(name: string, until: number, now: number): 'taken' | 'used' | 'full' {
    const before = this.#until.get(name);
    if (before !== undefined && before > now) return 'used';
    if (this.#until.size >= this.#most) for (const [old, end] of this.#until) if (end <= now) this.#until.delete(old);
    if (this.#until.size >= this.#most) return 'full';
    this.#until.set(name, until);
    return 'taken';
  }
}
