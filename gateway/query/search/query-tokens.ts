import { printable } from '../../base/printable.ts';
import { kindOf, LOOSE, WORD } from '../../indexing/character-kind.ts';
import { loosePairToken, looseToken, tokenText, trigramToken, wordPairToken, wordToken } from '../../indexing/text-tokens.ts';
import { invalid, type Term } from './parse-query.ts';

/** Tokens that are asked for at once. More would take longer to look up than they save in blocks. */
const MOST_TOKENS = 12;

/**
 * Tokens that every block has in which all terms are found, in the form of the index; those that say most come first.
 * Throws QUERY_INVALID for a term that says too little to be looked up.
 */
export function queryTokens(terms: readonly Term[]): string[] {
  const perTerm = terms.map((term) => {
    const tokens = termTokens(term);
    if (tokens.length > 0) return tokens;
    throw invalid(
      `${printable(term.written)} is too short to be looked for`,
      'a part of a word has to have three characters in a row; leave the star out to find the word by itself',
    );
  });
  // One of each term, then the next of each: no term goes without.
  const chosen = new Set<number>();
  for (let rank = 0; chosen.size < MOST_TOKENS && perTerm.some((tokens) => rank < tokens.length); rank += 1) {
    for (const tokens of perTerm) {
      const token = tokens[rank];
      if (token !== undefined && (rank === 0 || chosen.size < MOST_TOKENS)) chosen.add(token);
    }
  }
  return [...chosen].map(tokenText);
}

/** Pairs of words first, then words, the longest of them before others; then three characters in a row; then single ones. */
function termTokens(term: Term): number[] {
  // Undefined between two words that are not neighbours for certain.
  const words: (string | undefined)[] = [];
  const trigrams: number[] = [];
  const loose: number[] = [];
  for (const [index, part] of term.parts.entries()) {
    const characters = Array.from(part, (character) => character.codePointAt(0) ?? 0);
    const bounded = { left: index > 0 || !term.openLeft, right: index < term.parts.length - 1 || !term.openRight };
    words.push(...wholeWords(characters, bounded));
    characters.forEach((third, at) => {
      const [first, second] = [characters[at - 2], characters[at - 1]];
      if (first !== undefined && second !== undefined) trigrams.push(trigramToken(first, second, third));
      if (kindOf(third) !== LOOSE) return;
      if (second !== undefined && kindOf(second) === LOOSE) loose.unshift(loosePairToken(second, third));
      else loose.push(looseToken(third));
    });
  }
  const pairs = words.flatMap((word, at) => {
    const next = words[at + 1];
    const token = word === undefined || next === undefined ? undefined : wordPairToken(word, next);
    return token === undefined ? [] : [token];
  });
  const whole = words.filter((word) => word !== undefined).toSorted((one, other) => other.length - one.length);
  return [...new Set([...pairs, ...whole.map(wordToken), ...spread(trigrams), ...loose])];
}

/**
 * Runs of word characters with something else, or an end that may not be in the middle of a word, at both sides. Of one
 * at an open end it is not known which word it is: it is undefined.
 */
function wholeWords(characters: readonly number[], bounded: { left: boolean; right: boolean }): (string | undefined)[] {
  const words: (string | undefined)[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    if (!isWord(characters[at])) continue;
    let end = at;
    while (isWord(characters[end])) end += 1;
    const isWhole = (at > 0 || bounded.left) && (end < characters.length || bounded.right);
    words.push(isWhole ? String.fromCodePoint(...characters.slice(at, end)) : undefined);
    at = end;
  }
  return words;
}

function isWord(character: number | undefined): boolean {
  return character !== undefined && kindOf(character) === WORD;
}

/** Neighbouring trigrams say much the same: each third one first. */
function spread(trigrams: readonly number[]): number[] {
  return [0, 2, 1].flatMap((phase) => trigrams.filter((_, index) => index % 3 === phase));
}
