import { type IdleSpan, LONGEST_PAUSE } from './play-time.ts';

/** Collects the stretches in which nothing happens, told what happens in order. Microseconds. */
export class IdleSpans {
  readonly #spans: IdleSpan[] = [];
  readonly #missing: IdleSpan[] = [];
  #busyUntil = 0;

  happened(at: number): void {
    this.silent(this.#busyUntil, at);
    this.busyUntil(at);
  }

  busyUntil(at: number): void {
    this.#busyUntil = Math.max(this.#busyUntil, at);
  }

  silent(from: number, to: number): void {
    if (to - from > LONGEST_PAUSE) this.#spans.push({ from, to, damaged: false });
    this.busyUntil(to);
  }

  /** In any order. What is missing is not silent, whatever stood there. */
  missing(from: number, to: number): void {
    if (to > from) this.#missing.push({ from, to, damaged: true });
  }

  /** All of them in order, none within another. */
  until(end: number): IdleSpan[] {
    this.silent(this.#busyUntil, end);
    const spans: IdleSpan[] = [];
    const missing = this.#missing.sort((a, b) => a.from - b.from);
    let taken = 0;
    for (const { from, to } of missing) {
      const begin = Math.max(from, taken);
      if (to > begin) spans.push({ from: begin, to, damaged: true });
      taken = Math.max(taken, to);
    }
    for (const silent of this.#spans) spans.push(...without(silent, missing));
    return spans.sort((a, b) => a.from - b.from);
  }
}

/** What is left of a silent span beside what is missing. */
function without(silent: IdleSpan, missing: readonly IdleSpan[]): IdleSpan[] {
  const left: IdleSpan[] = [];
  let { from } = silent;
  for (const gap of missing) {
    if (gap.to <= from || gap.from >= silent.to) continue;
    if (gap.from - from > LONGEST_PAUSE) left.push({ from, to: gap.from, damaged: false });
    from = Math.max(from, gap.to);
  }
  if (silent.to - from > LONGEST_PAUSE) left.push({ from, to: silent.to, damaged: false });
  return left;
}
