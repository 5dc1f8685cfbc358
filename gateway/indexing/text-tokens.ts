import { kindOf, LOOSE, SPACE, WORD } from './character-kind.ts';

/**
 * What the index of screen text holds of a block: a number for each of these that occurs in its folded text.
 * - each word, and each two ordinary words of a line with no other between them, for phrases, paths and addresses;
 * - each three neighbouring characters without a space among them, for parts of words and for punctuation;
 * - each loose character, and each two of them that are neighbours, so that what is shorter than three is found.
 * Different ones may share a number: the index says where it is worth looking, and whoever looks compares the text. The fewer
 * numbers there are, the smaller is the index, which is full of words that occur once; with these, about one block in 300
 * is looked at in vain for a word of which nothing else is known.
 *
 * A number is written as four characters of an alphabet that means nothing to the index but itself.
 */

export const TOKEN_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-./:;<=>?@[]^_{|}~';
const TOKEN_BYTES = 4;
const SYMBOLS = Buffer.from(TOKEN_ALPHABET, 'latin1');

// 24 bits: three ASCII characters as they are, or what it is and a hash of it.
const OTHERS = 1 << 22;
const WORDS = 2 << 22;
const PAIRS = 3 << 22;
const OTHER_HASHES = (1 << 20) - 1;
const WORD_HASHES = (1 << 18) - 1;

export function trigramToken(first: number, second: number, third: number): number {
  if ((first | second | third) < 0x80) return (first << 14) | (second << 7) | third;
  return OTHERS | (mix(mix(mix(3, first), second), third) & OTHER_HASHES);
}

export function looseToken(character: number): number {
  return OTHERS | (mix(1, character) & OTHER_HASHES);
}

export function loosePairToken(first: number, second: number): number {
  return OTHERS | (mix(mix(2, first), second) & OTHER_HASHES);
}

export function wordToken(word: string): number {
  return WORDS | (hashOf(word) & WORD_HASHES);
}

/** Undefined when one of them is rare enough by itself. */
export function wordPairToken(first: string, second: string): number | undefined {
  if (![first, second].every(isOrdinary)) return undefined;
  return PAIRS | (mix(hashOf(first), hashOf(second)) & WORD_HASHES);
}

/** Not a number or a name that a machine made up, like a digest. */
function isOrdinary(word: string): boolean {
  let digits = 0;
  for (let at = 0; at < word.length; at += 1) if (isDigit(word.charCodeAt(at))) digits += 1;
  return isOrdinaryForm(word.length, digits);
}

/** Of so many UTF-16 units, of which so many are ASCII digits. */
function isOrdinaryForm(length: number, digits: number): boolean {
  return length <= (digits > 0 ? 4 : 14);
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function hashOf(word: string): number {
  let hash = WORD_SEED;
  for (const character of word) hash = mix(hash, character.codePointAt(0) ?? 0);
  return hash;
}

/** As the index has it. */
export function tokenText(token: number): string {
  return [18, 12, 6, 0].map((shift) => TOKEN_ALPHABET[(token >>> shift) & 63]).join('');
}

/** The tokens of a folded text, each once, parted by spaces. */
export function tokensOf(folded: string): string {
  tokens.clear();
  let hash = WORD_SEED;
  let length = 0;
  let digits = 0;
  /** The hash of the word before, in this line, if it is an ordinary one. */
  let former: number | undefined;
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
    if (kind !== WORD && length > 0) {
      former = addWord(hash, former, isOrdinaryForm(length, digits));
      length = 0;
      digits = 0;
      hash = WORD_SEED;
    }
    if (kind === SPACE) {
      if (character === LINE_FEED) former = undefined;
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
      length += character > 0xffff ? 2 : 1;
      if (isDigit(character)) digits += 1;
      loose = 0;
    }
    if (before !== 0) tokens.add(trigramToken(before, last, character));
    before = last;
    last = character;
  }
  if (length > 0) addWord(hash, former, isOrdinaryForm(length, digits));
  return tokens.text();
}

function addWord(hash: number, former: number | undefined, ordinary: boolean): number | undefined {
  tokens.add(WORDS | (hash & WORD_HASHES));
  if (!ordinary) return undefined;
  if (former !== undefined) tokens.add(PAIRS | (mix(former, hash) & WORD_HASHES));
  return hash;
}

const LINE_FEED = 0x0a;
const WORD_SEED = 0x811c9dc5 | 0;

function mix(hash: number, character: number): number {
  const mixed = Math.imul(hash ^ character, 0x01000193);
  return mixed ^ (mixed >>> 15);
}

/** More than a block has of most texts. */
const FEW_TOKENS = 1 << 13;

/** Numbers, each once, in the order in which they came. */
class TokenSet {
  #slots = new Int32Array(FEW_TOKENS * 2);
  #tokens = new Int32Array(FEW_TOKENS);
  #count = 0;

  clear(): void {
    this.#count = 0;
    if (this.#tokens.length === FEW_TOKENS) {
      this.#slots.fill(0);
      return;
    }
    this.#slots = new Int32Array(FEW_TOKENS * 2);
    this.#tokens = new Int32Array(FEW_TOKENS);
  }

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

/** Of the block that is being looked at: one for all, because making its arrays anew takes longer than filling them. */
const tokens = new TokenSet();
