/** More than anybody logs in within the life of a challenge. */
const MOST = 16_384;

/** What may be used once, until it expires by itself. Full, it lets nothing through: forgetting would be a second use. */
export class UsedOnce {
  /** Until when each has to be remembered, in microseconds of the wall clock. */
  readonly #until = new Map<string, number>();

  has(name: string): boolean {
    return this.#until.has(name);
  }

  /** False when it was used before, or when no more can be remembered. */
  take(name: string, until: number, now: number): boolean {
    if (this.#until.has(name)) return false;
    if (this.#until.size >= MOST) for (const [old, end] of this.#until) if (end <= now) this.#until.delete(old);
    if (this.#until.size >= MOST) return false;
    this.#until.set(name, until);
    return true;
  }
}
