import type { ScreenLine } from './screen-text.ts';

/** A line that is longer is cut into several, which overlap so that what is looked for is not cut in two. */
const MOST_LENGTH = 16_000;
const OVERLAP = 256;

/** Lines that are remembered, each in the place that its text gives it, until another one takes that. Drawn again, they count once. */
const PLACES = 8192;
/** UTF-8 of a UTF-16 unit, at most. */
const MOST_BYTES_OF_UNIT = 3;
/** What is kept to be used again from one segment to the next. */
const MOST_KEPT = 4 * 1024 * 1024;

/**
 * The lines of a segment. There are very many: so they stand one behind the other in one buffer, and become strings
 * when somebody wants them.
 */
export class SeenLines {
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #used = 0;
  /** Of each line: where it ends in the bytes, when it was seen first, and last. */
  #table = new Float64Array(3 * 1024);
  #count = 0;
  /** In each place the line that was seen last, counted from 1, and what its text gives beyond the place. */
  readonly #remembered = new Int32Array(PLACES * 2);

  get count(): number {
    return this.#count;
  }

  see(text: string, first: number, last: number): void {
    for (let at = 0; ; at += MOST_LENGTH - OVERLAP) {
      const part = text.length <= MOST_LENGTH ? text : text.slice(at, at + MOST_LENGTH);
      this.#makeRoom(part.length * MOST_BYTES_OF_UNIT);
      this.#add(this.#bytes.write(part, this.#used, 'utf8'), first, last);
      if (at + MOST_LENGTH >= text.length) return;
    }
  }

  /** So many ASCII characters. */
  seeAscii(characters: Buffer, length: number, first: number, last: number): void {
    this.#makeRoom(length);
    const bytes = this.#bytes;
    const used = this.#used;
    for (let at = 0; at < length; at += 1) bytes[used + at] = characters[at] as number;
    this.#add(length, first, last);
  }

  /** All of them in the order in which they were first seen, once. It begins anew when the last is taken. */
  *take(): Generator<ScreenLine> {
    const table = this.#table;
    for (const line of this.#inOrder()) {
      const [from, end] = [line === 0 ? 0 : (table[line * 3 - 3] as number), table[line * 3] as number];
      yield { first: table[line * 3 + 1] as number, last: table[line * 3 + 2] as number, text: this.#bytes.toString('utf8', from, end) };
    }
    this.#count = 0;
    this.#used = 0;
    this.#remembered.fill(0);
    if (this.#bytes.length > MOST_KEPT) this.#bytes = Buffer.allocUnsafeSlow(64 * 1024);
    if (this.#table.byteLength > MOST_KEPT) this.#table = new Float64Array(3 * 1024);
  }

  /** What stands behind the bytes that are used is a line. */
  #add(length: number, first: number, last: number): void {
    const hash = this.#hash(length);
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1);
    const known = (this.#remembered[place * 2] as number) - 1;
    const table = this.#table;
    if (known >= 0 && this.#remembered[place * 2 + 1] === hash && this.#isLine(known, length)) {
      if (first < (table[known * 3 + 1] as number)) table[known * 3 + 1] = first;
      if (last > (table[known * 3 + 2] as number)) table[known * 3 + 2] = last;
      return;
    }
    const line = this.#count++;
    this.#used += length;
    this.#remembered[place * 2] = line + 1;
    this.#remembered[place * 2 + 1] = hash;
    table[line * 3] = this.#used;
    table[line * 3 + 1] = first;
    table[line * 3 + 2] = last;
  }

  /** Of some of the bytes: a collision costs a look at the rest, or has a line counted twice. */
  #hash(length: number): number {
    const bytes = this.#bytes;
    const step = 1 + (length >> 5);
    let hash = length;
    for (let at = this.#used + length - 1; at >= this.#used; at -= step) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    return hash;
  }

  #isLine(line: number, length: number): boolean {
    const from = line === 0 ? 0 : (this.#table[line * 3 - 3] as number);
    if ((this.#table[line * 3] as number) - from !== length) return false;
    return this.#bytes.compare(this.#bytes, this.#used, this.#used + length, from, from + length) === 0;
  }

  #makeRoom(length: number): void {
    if (this.#used + length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#used + length));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    if ((this.#count + 1) * 3 > this.#table.length) {
      const larger = new Float64Array(this.#table.length * 2);
      larger.set(this.#table);
      this.#table = larger;
    }
  }

  *#inOrder(): Generator<number> {
    const table = this.#table;
    const count = this.#count;
    let sorted = true;
    for (let line = 1; line < count && sorted; line += 1) sorted = (table[line * 3 + 1] as number) >= (table[line * 3 - 2] as number);
    if (sorted) for (let line = 0; line < count; line += 1) yield line;
    else
      yield* Array.from({ length: count }, (_, line) => line).sort((a, b) => (table[a * 3 + 1] as number) - (table[b * 3 + 1] as number));
  }
}
