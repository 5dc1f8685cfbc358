/** Segments of a channel from a number on that are to be indexed. */
export interface WantedChannel {
  readonly session: string;
  readonly channel: number;
  readonly from: number;
  /** No segment of it follows the last one that is on record. */
  readonly last: boolean;
  /** Milliseconds of this process; infinite where nobody waits for it. */
  readonly since: number;
}

const MOST_WAITING = 10_000;

/** Channels that wait to be indexed, each once: whatever is wanted of it is done at once. */
export class IndexQueue {
  readonly #waiting = new Map<string, WantedChannel>();
  readonly #first: string[] = [];

  get size(): number {
    return this.#waiting.size;
  }

  /** Since when somebody waits; infinite when nobody does. */
  get oldest(): number {
    for (const { since } of this.#waiting.values()) if (Number.isFinite(since)) return since; // In the order in which they came.
    return Number.POSITIVE_INFINITY;
  }

  has(channel: Pick<WantedChannel, 'session' | 'channel'>): boolean {
    return this.#waiting.has(nameOf(channel));
  }

  /** False when there are too many. */
  add(wanted: WantedChannel): boolean {
    const name = nameOf(wanted);
    const known = this.#waiting.get(name);
    if (known === undefined && this.#waiting.size >= MOST_WAITING) return false;
    this.#waiting.set(name, known === undefined ? wanted : together(known, wanted));
    return true;
  }

  /** Before all others, also where there are too many. */
  addFirst(wanted: WantedChannel): void {
    const name = nameOf(wanted);
    const known = this.#waiting.get(name);
    this.#waiting.set(name, known === undefined ? wanted : together(known, wanted));
    if (!this.#first.includes(name)) this.#first.push(name);
    if (this.#first.length > MOST_FIRST) this.#first.shift();
  }

  next(): WantedChannel | undefined {
    for (let name = this.#first.shift(); name !== undefined; name = this.#first.shift()) {
      const wanted = this.#take(name);
      if (wanted !== undefined) return wanted;
    }
    for (const name of this.#waiting.keys()) return this.#take(name);
    return undefined;
  }

  forget(session: string): void {
    for (const [name, wanted] of this.#waiting) if (wanted.session === session) this.#waiting.delete(name);
  }

  #take(name: string): WantedChannel | undefined {
    const wanted = this.#waiting.get(name);
    this.#waiting.delete(name);
    return wanted;
  }
}

/** Of those that somebody looks at: the ones that came last count. */
const MOST_FIRST = 64;

export function nameOf({ session, channel }: Pick<WantedChannel, 'session' | 'channel'>): string {
  return `${session}/${channel}`;
}

function together(one: WantedChannel, other: WantedChannel): WantedChannel {
  return {
    ...other,
    from: Math.min(one.from, other.from),
    last: one.last || other.last,
    since: Math.min(one.since, other.since),
  };
}
