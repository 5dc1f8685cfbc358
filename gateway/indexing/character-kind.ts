/**
 * What a character is for finding text:
 * - `SPACE` parts terms from each other.
 * - `WORD` makes up words: letters, digits, the marks on them, and what joins them, as `_` does. A word is found whole.
 * - `LOOSE` is found wherever it stands: punctuation, symbols, and the letters of scripts that are written without
 *   spaces between words, or that join other words to theirs.
 */
export const SPACE = 0;
export const WORD = 1;
export const LOOSE = 2;

const SPACES = /[\s\u0000-\u001f\u007f-\u009f]/u;
const WORDS = /[\p{L}\p{N}\p{M}\p{Pc}]/u;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const UNKNOWN = 255;
const known = new Uint8Array(0x1_0000).fill(UNKNOWN);

export function kindOf(codePoint: number): number {
  if (codePoint >= known.length) return findKind(codePoint);
  const kind = known[codePoint] ?? UNKNOWN;
  if (kind !== UNKNOWN) return kind;
  const found = findKind(codePoint);
  known[codePoint] = found;
  return found;
}

const MARK = /\p{M}/u;
const FIRST_MARK = 0x300;
const marks = new Uint8Array(0x1_0000).fill(UNKNOWN);

/** Whether it is a mark on the character before it. */
export function isMark(codePoint: number): boolean {
  if (codePoint < FIRST_MARK) return false;
  if (codePoint >= marks.length) return MARK.test(String.fromCodePoint(codePoint));
  if (marks[codePoint] === UNKNOWN) marks[codePoint] = MARK.test(String.fromCharCode(codePoint)) ? 1 : 0;
  return marks[codePoint] === 1;
}

function findKind(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  if (SPACES.test(character)) return SPACE;
  return WORDS.test(character) && !UNSPACED.test(character) ? WORD : LOOSE;
}
