/** The tallest screen of an emulation (contract/live-frames.ts). */
const MOST_ROWS = 200;

/** A line that stood on the screen and may have become a longer one. */
export interface HeldLine {
  readonly text: string;
  readonly first: number;
  readonly last: number;
}

/** What is new on each row of a screen. A row is new up to the column behind the last that was printed since it was settled. */
export class ScreenRows {
  /** Of each row, up to where something is new, and when the last of it came. */
  readonly #news = new Float64Array(MOST_ROWS * 2);
  readonly #held: (HeldLine | undefined)[] = Array.from({ length: MOST_ROWS }, () => undefined);
  #holding = 0;

  /** Whether something new stands in a column from `from` on. */
  isNew(row: number, from = 0): boolean {
    return (this.#news[row * 2] as number) > from;
  }

  /** When the last of it came. */
  since(row: number): number {
    return this.#news[row * 2 + 1] as number;
  }

  write(row: number, until: number, at: number): void {
    if (until > (this.#news[row * 2] as number)) this.#news[row * 2] = until;
    this.#news[row * 2 + 1] = at;
  }

  /** Nothing is new there any more. Returns up to where something was. */
  settle(row: number): number {
    const until = this.#news[row * 2] as number;
    this.#news[row * 2] = 0;
    return until;
  }

  holds(row: number): boolean {
    return this.#holding > 0 && this.#held[row] !== undefined;
  }

  held(row: number): HeldLine | undefined {
    return this.#holding > 0 ? this.#held[row] : undefined;
  }

  hold(row: number, line: HeldLine | undefined): void {
    this.#holding += (line === undefined ? 0 : 1) - (this.#held[row] === undefined ? 0 : 1);
    this.#held[row] = line;
  }

  /** Rows `top` to `bottom` move by so many; those that are pushed out have been told of. */
  shift(top: number, bottom: number, by: number): void {
    const end = bottom + 1;
    if (by < 0) this.#news.copyWithin(top * 2, (top - by) * 2, end * 2).fill(0, (end + by) * 2, end * 2);
    else this.#news.copyWithin((top + by) * 2, top * 2, (end - by) * 2).fill(0, top * 2, (top + by) * 2);
    if (this.#holding === 0) return;
    if (by < 0) this.#held.copyWithin(top, top - by, end).fill(undefined, end + by, end);
    else this.#held.copyWithin(top + by, top, end - by).fill(undefined, top, top + by);
  }
}
