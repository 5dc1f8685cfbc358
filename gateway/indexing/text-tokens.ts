import { kindOf, LOOSE, SPACE, WORD } from './character-kind.ts';

/**
 * What the index of screen text holds of a block: a number for each of these that occurs in its folded text.
 * - each word;
 * - each three neighbouring characters without a space among them, for parts of words and for punctuation;
 * - each loose character, and each two of them that are neighbours, so that what is shorter than three is found.
 * Different ones may share a number: the index says where it is worth looking, and whoever looks compares the text.
 *
 * A number is written as four characters of an alphabet that means nothing to the index but itself.
 */

export const TOKEN_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-./:;<=>?@[]^_{|}~';
const TOKEN_BYTES = 4;
const SYMBOLS = Buffer.from(TOKEN_ALPHABET, 'latin1');

// 24 bits: three ASCII characters as they are, then hashes of others, then hashes of words.
const OTHERS = 1 << 22;
const WORDS = 1 << 23;

export function trigramToken(first: number, second: number, third: number): number {
  if ((first | second | third) < 0x80) return (first << 14) | (second << 7) | third;
  return OTHERS | (mix(mix(mix(3, first), second), third) & (OTHERS - 1));
}

export function looseToken(character: number): number {
  return OTHERS | (mix(1, character) & (OTHERS - 1));
}

export function loosePairToken(first: number, second: number): number {
  return OTHERS | (mix(mix(2, first), second) & (OTHERS - 1));
}

export function wordToken(word: string): number {
  let hash = WORD_SEED;
  for (const character of word) hash = mix(hash, character.codePointAt(0) ?? 0);
  return WORDS | (hash & (WORDS - 1));
}

/** As the index has it. */
export function tokenText(token: number): string {
  return [18, 12, 6, 0].map((shift) => TOKEN_ALPHABET[(token >>> shift) & 63]).join('');
}

/** The tokens of a folded text, each once, parted by spaces. */
export function tokensOf(folded: string): string {
  const tokens = new TokenSet();
  let hash = WORD_SEED;
  let inWord = false;
  let loose = 0;
  let before = 0;
  let last = 0;
  for (let at = 0; at < folded.length; at += 1) {
    let character = folded.charCodeAt(at);
    if (character >= 0xd800 && character < 0xdc00) {
      character = folded.codePointAt(at) ?? character;
      if (character > 0xffff) at += 1;
    }
    const kind = kindOf(character);
    if (kind !== WORD && inWord) {
      tokens.add(WORDS | (hash & (WORDS - 1)));
      inWord = false;
      hash = WORD_SEED;
    }
    if (kind === SPACE) {
      before = 0;
      last = 0;
      loose = 0;
      continue;
    }
    if (kind === LOOSE) {
      tokens.add(looseToken(character));
      if (loose !== 0) tokens.add(loosePairToken(loose, character));
      loose = character;
    } else {
      hash = mix(hash, character);
      inWord = true;
      loose = 0;
    }
    if (before !== 0) tokens.add(trigramToken(before, last, character));
    before = last;
    last = character;
  }
  if (inWord) tokens.add(WORDS | (hash & (WORDS - 1)));
  return tokens.text();
}

const WORD_SEED = 0x811c9dc5 | 0;

function mix(hash: number, character: number): number {
  const mixed = Math.imul(hash ^ character, 0x01000193);
  return mixed ^ (mixed >>> 15);
}

/** Numbers, each once, in the order in which they came. */
class TokenSet {
  #slots = new Int32Array(1 << 14);
  #tokens = new Int32Array(1 << 13);
  #count = 0;

  add(token: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = (Math.imul(token, 0x9e3779b1) >>> 12) & mask;
    for (let found = slots[slot]; found !== 0; found = slots[slot]) {
      if (found === token + 1) return;
      slot = (slot + 1) & mask;
    }
    slots[slot] = token + 1;
    this.#tokens[this.#count] = token;
    this.#count += 1;
    if (this.#count === this.#tokens.length) this.#grow();
  }

  text(): string {
    const text = Buffer.allocUnsafe(this.#count * (TOKEN_BYTES + 1));
    let at = 0;
    for (let index = 0; index < this.#count; index += 1) {
      const token = this.#tokens[index] ?? 0;
      text[at] = SYMBOLS[token >>> 18] ?? 0;
      text[at + 1] = SYMBOLS[(token >>> 12) & 63] ?? 0;
      text[at + 2] = SYMBOLS[(token >>> 6) & 63] ?? 0;
      text[at + 3] = SYMBOLS[token & 63] ?? 0;
      text[at + 4] = 0x20;
      at += TOKEN_BYTES + 1;
    }
    return text.toString('latin1', 0, Math.max(0, at - 1));
  }

  #grow(): void {
    const tokens = this.#tokens;
    this.#tokens = new Int32Array(tokens.length * 2);
    this.#slots = new Int32Array(tokens.length * 4);
    this.#count = 0;
    for (const token of tokens) this.add(token);
  }
}
