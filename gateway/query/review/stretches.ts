/** A part of a recording, nanoseconds since its channel opened: from, to before. */
export type Stretch = readonly [from: number, to: number];

/** Which parts of a recording there were, in order, apart from each other. Holds no more of them than it may. */
export class Stretches {
  readonly #most: number;
  #all: [number, number][] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get all(): readonly Stretch[] {
    return this.#all;
  }

  get nanos(): number {
    return this.#all.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  covers(from: number, to: number): boolean {
    const at = this.#firstEndingFrom(from);
    const found = this.#all[at];
    return found !== undefined && found[0] <= from && to <= found[1];
  }

  /** False when there is no room for one more that touches none of the others. `room`: whether there is elsewhere. */
  add(from: number, to: number, room = true): boolean {
    const first = this.#firstEndingFrom(from);
    let behind = first;
    let [begin, end] = [from, to];
    for (let each = this.#all[behind]; each !== undefined && each[0] <= to; each = this.#all[behind]) {
      begin = Math.min(begin, each[0]);
      end = Math.max(end, each[1]);
      behind += 1;
    }
    if (behind === first && (!room || this.#all.length >= this.#most)) return false;
    this.#all.splice(first, behind - first, [begin, end]);
    return true;
  }

  /** The first that ends at this moment or later. */
  #firstEndingFrom(moment: number): number {
    let [low, high] = [0, this.#all.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#all[middle]?.[1] ?? 0) < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
