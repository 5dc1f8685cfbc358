/** How much happened when, in bounded memory: neighbours are put together when there are too many. */
export class Activity {
  readonly #most: number;
  #resolution = 20_000; // microseconds
  #points: { at: number; amount: number }[] = [];

  constructor(most = 4096) {
    this.#most = most;
  }

  add(at: number, amount: number): void {
    const last = this.#points.at(-1);
    if (last !== undefined && at - last.at < this.#resolution) {
      last.amount += amount;
      return;
    }
    this.#points.push({ at, amount });
    while (this.#points.length > this.#most) {
      this.#resolution *= 2;
      const points = this.#points;
      this.#points = [];
      for (const point of points) this.add(point.at, point.amount);
    }
  }

  /** Moments and amounts, in order. */
  get points(): readonly (readonly [at: number, amount: number])[] {
    return this.#points.map(({ at, amount }) => [at, amount] as const);
  }

  /** Sums over equal parts of `duration`, after `place` has put each moment where it is drawn. */
  spread(parts: number, duration: number, place: (at: number) => number): number[] {
    const sums = Array.from({ length: parts }, () => 0);
    for (const { at, amount } of this.#points) {
      const part = duration > 0 ? Math.floor((place(at) / duration) * parts) : 0;
      const index = Math.max(0, Math.min(parts - 1, part));
      sums[index] = (sums[index] ?? 0) + amount;
    }
    return sums;
  }
}
