export type Stretch = readonly [from: number, to: number];

/** A moment at which somebody rested has no length; a record of it needs one. Microseconds. */
export const MOMENT_MICROS = 10_000;

/**
 * Which stretches of a recording were on the screen, in microseconds since the channel opened: in order, without overlaps,
 * what touches as one. Only what has not been reported yet is given out.
 */
export class ShownStretches {
  #all: Stretch[] = [];
  #unreported: Stretch[] = [];

  get all(): readonly Stretch[] {
    return this.#all;
  }

  get unreported(): readonly Stretch[] {
    return this.#unreported;
  }

  /** Whether this says anything new. */
  add(from: number, to: number): boolean {
    if (!(to > from) || this.#all.some((each) => each[0] <= from && to <= each[1])) return false;
    const news = without([from, to], this.#all);
    this.#all = merged([...this.#all, [from, to]]);
    this.#unreported = merged([...this.#unreported, ...news]);
    return true;
  }

  /** What is to be reported, up to so many, the longest first; it counts as reported from here on. */
  take(most: number): Stretch[] {
    const taken = this.#unreported.toSorted((a, b) => b[1] - b[0] - (a[1] - a[0])).slice(0, most);
    this.#unreported = this.#unreported.filter((each) => !taken.includes(each));
    return taken.toSorted((a, b) => a[0] - b[0]);
  }

  /** It was not taken after all. */
  giveBack(stretches: readonly Stretch[]): void {
    this.#unreported = merged([...this.#unreported, ...stretches]);
  }
}

/** In order, and what overlaps or touches as one. */
export function merged(stretches: readonly Stretch[]): Stretch[] {
  const all: [number, number][] = [];
  for (const [from, to] of stretches.toSorted((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}

/** What is left of a stretch beside others, which are in order. */
export function without([from, to]: Stretch, others: readonly Stretch[]): Stretch[] {
  const left: Stretch[] = [];
  let begin = from;
  for (const other of others) {
    if (other[1] <= begin || other[0] >= to) continue;
    if (other[0] > begin) left.push([begin, other[0]]);
    begin = Math.max(begin, other[1]);
  }
  if (begin < to) left.push([begin, to]);
  return left;
}
