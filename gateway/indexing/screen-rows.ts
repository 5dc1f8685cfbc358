/** The tallest screen of an emulation (contract/live-frames.ts). */
const MOST_ROWS = 200;

/** A line that stood on the screen and may have become a longer one. */
export interface HeldLine {
  readonly text: string;
  readonly first: number;
  readonly last: number;
}

/** Of a row: up to where something is new, when the last of it came, and when all of it was told last, or the row came. */
const STRIDE = 3;

/** What is new on each row of a screen. A row is new up to the column behind the last that was printed since it was settled. */
export class ScreenRows {
  readonly #news = new Float64Array(MOST_ROWS * STRIDE);
  readonly #held: (HeldLine | undefined)[] = Array.from({ length: MOST_ROWS }, () => undefined);
  #holding = 0;

  /** Whether something new stands in a column from `from` on. */
  isNew(row: number, from = 0): boolean {
    return (this.#news[row * STRIDE] as number) > from;
  }

  /** When the last of it came. */
  since(row: number): number {
    return this.#news[row * STRIDE + 1] as number;
  }

  write(row: number, until: number, at: number): void {
    if (until > (this.#news[row * STRIDE] as number)) this.#news[row * STRIDE] = until;
    this.#news[row * STRIDE + 1] = at;
  }

  /** Nothing is new there any more. Returns up to where something was. */
  settle(row: number): number {
    const until = this.#news[row * STRIDE] as number;
    this.#news[row * STRIDE] = 0;
    return until;
  }

  /** When all of it was told last, or the row came. */
  told(row: number): number {
    return this.#news[row * STRIDE + 2] as number;
  }

  tell(row: number, at: number): void {
    this.#news[row * STRIDE + 2] = at;
  }

  forgetTold(): void {
    for (let row = 0; row < MOST_ROWS; row += 1) this.tell(row, 0);
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

  /** Rows `top` to `bottom` move by so many; those that are pushed out have been told of. Others come at this time. */
  shift(top: number, bottom: number, by: number, at: number): void {
    const end = bottom + 1;
    const [from, to] = by < 0 ? [end + by, end] : [top, top + by];
    if (by < 0) this.#news.copyWithin(top * STRIDE, (top - by) * STRIDE, end * STRIDE);
    else this.#news.copyWithin((top + by) * STRIDE, top * STRIDE, (end - by) * STRIDE);
    this.#news.fill(0, from * STRIDE, to * STRIDE);
    for (let row = from; row < to; row += 1) this.tell(row, at);
    if (this.#holding === 0) return;
    if (by < 0) this.#held.copyWithin(top, top - by, end).fill(undefined, end + by, end);
    else this.#held.copyWithin(top + by, top, end - by).fill(undefined, top, top + by);
  }
}
