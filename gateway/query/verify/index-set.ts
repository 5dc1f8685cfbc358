const CHUNK_BITS = 65_536;

/** Both ends included. */
interface Run {
  first: number;
  last: number;
}

/** A set of ledger indexes, one bit for each, in pieces that exist only where there is something in them. */
export class IndexSet {
  readonly #chunks = new Map<number, Uint8Array>();

  add(index: number): void {
    const chunk = this.#chunk(Math.floor(index / CHUNK_BITS));
    const bit = index % CHUNK_BITS;
    chunk[bit >> 3] = (chunk[bit >> 3] as number) | (1 << (bit & 7));
  }

  /** Both ends included. */
  addRange(first: number, last: number): void {
    for (let index = first; index <= last; ) {
      const bit = index % CHUNK_BITS;
      const end = Math.min(last - index + bit, CHUNK_BITS - 1);
      const chunk = this.#chunk(Math.floor(index / CHUNK_BITS));
      fill(chunk, bit, end);
      index += end - bit + 1;
    }
  }

  has(index: number): boolean {
    const chunk = this.#chunks.get(Math.floor(index / CHUNK_BITS));
    const bit = index % CHUNK_BITS;
    return chunk !== undefined && ((chunk[bit >> 3] as number) & (1 << (bit & 7))) !== 0;
  }

  /** Runs of indexes that are in this set and not in the other, in order. */
  without(other: IndexSet): Generator<Run> {
    return this.#runs(other, (mine, theirs) => mine & ~theirs);
  }

  /** Runs of indexes that are in both, in order. */
  and(other: IndexSet): Generator<Run> {
    return this.#runs(other, (mine, theirs) => mine & theirs);
  }

  *#runs(other: IndexSet, combine: (mine: number, theirs: number) => number): Generator<Run> {
    let first: number | undefined;
    let last = -1;
    for (const number of [...this.#chunks.keys()].sort((a, b) => a - b)) {
      const mine = this.#chunks.get(number) as Uint8Array;
      const theirs = other.#chunks.get(number);
      for (let byte = 0; byte < mine.length; byte += 1) {
        const left = combine(mine[byte] as number, theirs?.[byte] ?? 0);
        if (left === 0) continue;
        for (let bit = 0; bit < 8; bit += 1) {
          if ((left & (1 << bit)) === 0) continue;
          const index = number * CHUNK_BITS + byte * 8 + bit;
          if (first !== undefined && index === last + 1) {
            last = index;
            continue;
          }
          if (first !== undefined) yield { first, last };
          first = index;
          last = index;
        }
      }
    }
    if (first !== undefined) yield { first, last };
  }

  #chunk(number: number): Uint8Array {
    let chunk = this.#chunks.get(number);
    if (chunk === undefined) {
      chunk = new Uint8Array(CHUNK_BITS / 8);
      this.#chunks.set(number, chunk);
    }
    return chunk;
  }
}

/** Sets the bits from `from` to `to`, both included. */
function fill(chunk: Uint8Array, from: number, to: number): void {
  let bit = from;
  while (bit <= to && (bit & 7) !== 0) set(chunk, bit++);
  const wholeEnd = (to + 1) >> 3;
  if (bit <= to && wholeEnd > bit >> 3) {
    chunk.fill(0xff, bit >> 3, wholeEnd);
    bit = wholeEnd << 3;
  }
  while (bit <= to) set(chunk, bit++);
}

function set(chunk: Uint8Array, bit: number): void {
  chunk[bit >> 3] = (chunk[bit >> 3] as number) | (1 << (bit & 7));
}
