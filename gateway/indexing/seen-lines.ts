import type { ScreenLine } from './screen-text.ts';

/** A line that is longer is cut into several, which overlap so that what is looked for is not cut in two. */
const MOST_LENGTH = 16 * 1024;
const OVERLAP = 256;

/** Lines that are remembered, each in the place that its text gives it, until another one takes that. Drawn again, they count once. */
const PLACES = 8192;

interface Seen {
  first: number;
  last: number;
  readonly text: string;
}

/** The lines of a segment. */
export class SeenLines {
  #lines: Seen[] = [];
  readonly #remembered: (Seen | undefined)[] = Array.from({ length: PLACES }, () => undefined);

  see(text: string, first: number, last: number): void {
    for (let at = 0; ; at += MOST_LENGTH - OVERLAP) {
      this.#see(text.length <= MOST_LENGTH ? text : text.slice(at, at + MOST_LENGTH), first, last);
      if (at + MOST_LENGTH >= text.length) return;
    }
  }

  /** All of them; it begins anew. */
  take(): readonly ScreenLine[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#remembered.fill(undefined);
    return lines;
  }

  #see(text: string, first: number, last: number): void {
    const place = placeOf(text);
    const known = this.#remembered[place];
    if (known !== undefined && known.text === text) {
      known.first = Math.min(known.first, first);
      known.last = Math.max(known.last, last);
      return;
    }
    const line: Seen = { first, last, text };
    this.#lines.push(line);
    this.#remembered[place] = line;
  }
}

/** A hash that costs little, of some of its characters: a collision only has a line counted twice. */
function placeOf(text: string): number {
  const { length } = text;
  const step = 1 + (length >> 5);
  let hash = length;
  for (let at = length - 1; at >= 0; at -= step) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) & (PLACES - 1);
}
