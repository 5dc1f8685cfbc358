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
  readonly #until = new Int32Array(MOST_ROWS);
  readonly #since = new Float64Array(MOST_ROWS);
  readonly #held: (HeldLine | undefined)[] = Array.from({ length: MOST_ROWS }, () => undefined);
  #holding = 0;

  /** Whether something new stands in a column from `from` on. */
  isNew(row: number, from = 0): boolean {
    return (this.#until[row] as number) > from;
  }

  /** When the last of it came. */
  since(row: number): number {
    return this.#since[row] as number;
  }

  write(row: number, until: number, at: number): void {
    if (until > (this.#until[row] as number)) this.#until[row] = until;
    this.#since[row] = at;
  }

  /** Nothing is new there any more. Returns up to where something was. */
  settle(row: number): number {
    const until = this.#until[row] as number;
    this.#until[row] = 0;
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
    if (by < 0) {
      this.#until.copyWithin(top, top - by, end).fill(0, end + by, end);
      this.#since.copyWithin(top, top - by, end);
    } else {
      this.#until.copyWithin(top + by, top, end - by).fill(0, top, top + by);
      this.#since.copyWithin(top + by, top, end - by);
    }
    if (this.#holding === 0) return;
    if (by < 0) this.#held.copyWithin(top, top - by, end).fill(undefined, end + by, end);
    else this.#held.copyWithin(top + by, top, end - by).fill(undefined, top, top + by);
  }
}
