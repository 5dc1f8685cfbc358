import type { Row } from './question.ts';

/** So many groups are kept; whoever makes up sources or names must not fill the memory of whoever asks. */
const MOST_GROUPS = 50_000;

/**
 * Rows that count what is alike. Should there be more kinds than fit, those so far are given out and counting begins
 * anew: a group may then have several rows, whose counts add up.
 */
export class Groups {
  readonly #groups = new Map<string, { cells: Row; counts: Record<string, number>; first: string; last: string }>();
  readonly #counters: readonly string[];
  readonly #most: number;

  constructor(counters: readonly string[], most = MOST_GROUPS) {
    this.#counters = counters;
    this.#most = most;
  }

  *add(cells: Row, counter: string, time: string): Generator<Row> {
    const key = JSON.stringify(cells);
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= this.#most) yield* this.flush();
      group = { cells, counts: Object.fromEntries(this.#counters.map((name) => [name, 0])), first: time, last: time };
      this.#groups.set(key, group);
    }
    group.counts[counter] = (group.counts[counter] ?? 0) + 1;
    if (time < group.first) group.first = time;
    if (time > group.last) group.last = time;
  }

  *flush(): Generator<Row> {
    for (const { cells, counts, first, last } of this.#groups.values()) yield { ...cells, ...counts, first, last };
    this.#groups.clear();
  }
}
