/** One policy of a file, as it is written, and where. */
export interface WrittenPolicy {
  readonly text: string;
  /** Where it begins in the file, in UTF-16 units. */
  readonly offset: number;
  /** How deep and how long its expressions may be at most, in a measure of our own. */
  readonly weight: number;
}

/**
 * Cuts a file into its policies: each ends with a semicolon outside of strings and comments. What follows the last one
 * is a piece too, unless it is only space and comments. Whether a piece is a policy, Cedar says.
 */
export function splitPolicies(text: string): WrittenPolicy[] {
  const policies: WrittenPolicy[] = [];
  let begin = 0;
  let said = false;
  let depth = 0;
  let deepest = 0;
  let operators = 0;
  const end = (at: number): void => {
    if (said) policies.push({ text: text.slice(begin, at), offset: begin, weight: operators + BRACKET_WEIGHT * deepest });
    [begin, said, depth, deepest, operators] = [at, false, 0, 0, 0];
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '"') {
      said = true;
      for (at += 1; at < text.length && text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1;
    } else if (character === '/' && text[at + 1] === '/') {
      const newline = text.indexOf('\n', at);
      at = newline === -1 ? text.length : newline;
    } else if (character === ';') {
      said = true;
      end(at + 1);
    } else if (character > ' ') {
      // A piece begins where something is said: its faults are told by that line.
      if (!said) begin = at;
      said = true;
      if ('([{'.includes(character)) {
        depth += 1;
        deepest = Math.max(deepest, depth);
      } else if (')]}'.includes(character)) depth -= 1;
      else if ('&|+-*!.'.includes(character)) operators += character === '&' || character === '|' ? 0.5 : 1;
      else if (character === 'i' && text[at + 1] === 'f') operators += 1;
    }
  }
  end(text.length);
  return policies;
}

/**
 * Cedar reads expressions by recursion, on a small stack that nothing watches over: past some 350 operators in a row,
 * or 116 brackets in each other, it breaks for good (measured with 4.13). This stays clear of that.
 */
export const MAX_WEIGHT = 280;
const BRACKET_WEIGHT = 3;

/** Lines and columns, from 1, of places in a text. */
export class TextPlaces {
  /** Where each line begins. */
  readonly #lines = [0];

  constructor(text: string) {
    for (let newline = text.indexOf('\n'); newline !== -1; newline = text.indexOf('\n', newline + 1)) this.#lines.push(newline + 1);
  }

  of(offset: number): { line: number; column: number } {
    let [low, high] = [0, this.#lines.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lines[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (this.#lines[low] ?? 0) + 1 };
  }
}

/** Where a place in bytes of UTF-8 is in UTF-16 units. */
export function unitsOf(text: string, bytes: number): number {
  return Buffer.from(text, 'utf8').subarray(0, bytes).toString('utf8').length;
}
