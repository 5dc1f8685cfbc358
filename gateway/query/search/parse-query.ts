import { SallyportError } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';
import { foldText } from '../../indexing/fold-text.ts';

/*
 * The language of a search, docs/searching.md: terms parted by spaces, all of which a line has to have.
 *   word  "some words"  begins*  *ends  *within*  "be*gin"* …
 */

const LONGEST_QUERY = 1000;
const MOST_TERMS = 16;
/** Words of all phrases together. */
const MOST_WORDS = 64;

/** Texts, folded, that follow each other in a line with nothing but space between them. */
export interface Term {
  readonly parts: readonly [string, ...string[]];
  /** Whether the first and the last character may be in the middle of a word. */
  readonly openLeft: boolean;
  readonly openRight: boolean;
  /** As it was written. */
  readonly written: string;
}

/** Throws QUERY_INVALID. */
export function parseQuery(query: string): readonly [Term, ...Term[]] {
  if (query.length > LONGEST_QUERY) {
    throw invalid(`The query has ${query.length} characters`, `ask with at most ${LONGEST_QUERY}`);
  }
  if (query.includes('\0')) throw invalid('The query has a NUL character in it', 'ask without it');
  const [first, ...others] = readTerms(query.toWellFormed());
  if (first === undefined) throw invalid('The query has no words', 'say what is to be found: a word, "some words", begin*, *part*');
  if (others.length >= MOST_TERMS) throw invalid(`The query has ${others.length + 1} terms`, `ask with at most ${MOST_TERMS}`);
  const words = [first, ...others].reduce((sum, { parts }) => sum + parts.length, 0);
  if (words > MOST_WORDS) throw invalid(`The query has ${words} words`, `ask with at most ${MOST_WORDS}`);
  return [first, ...others];
}

const STAR = '*';
const QUOTE = '"';

function readTerms(query: string): Term[] {
  const terms: Term[] = [];
  for (let at = 0; at < query.length; ) {
    if (isSpace(query[at])) {
      at += 1;
      continue;
    }
    const { end, text, openLeft, openRight } = readTerm(query, at);
    const [first, ...others] = foldText(text)
      .split(SPACES)
      .filter((part) => part !== '');
    if (first !== undefined) terms.push({ parts: [first, ...others], openLeft, openRight, written: query.slice(at, end) });
    at = end;
  }
  return terms;
}

interface ReadTerm {
  readonly end: number;
  readonly text: string;
  readonly openLeft: boolean;
  readonly openRight: boolean;
}

/** A star at one end leaves that end open. Behind a backslash, and where there is nothing but stars, it is a character. */
function readTerm(query: string, start: number): ReadTerm {
  const wordEnd = endOfWord(query, start);
  if (/^\*+$/.test(query.slice(start, wordEnd)))
    return { end: wordEnd, text: query.slice(start, wordEnd), openLeft: false, openRight: false };
  const openLeft = query[start] === STAR;
  const begin = openLeft ? start + 1 : start;
  return query[begin] === QUOTE ? readPhrase(query, begin, openLeft) : readWord(query, begin, openLeft);
}

function readPhrase(query: string, begin: number, openLeft: boolean): ReadTerm {
  let text = '';
  for (let at = begin + 1; at < query.length; at += 1) {
    if (query[at] === '\\' && query[at + 1] === QUOTE) {
      text += QUOTE;
      at += 1;
    } else if (query[at] === QUOTE) {
      const openRight = query[at + 1] === STAR;
      return { end: at + (openRight ? 2 : 1), text, openLeft, openRight };
    } else {
      text += query[at] ?? '';
    }
  }
  throw invalid(
    `The quotation mark before ${printable(query.slice(begin + 1, begin + 21))} is not closed`,
    'close it, or write \\" for a quotation mark that is to be found',
  );
}

function readWord(query: string, begin: number, openLeft: boolean): ReadTerm {
  const end = endOfWord(query, begin);
  const written = query.slice(begin, end);
  const openRight = written.endsWith(STAR) && !written.endsWith(`\\${STAR}`);
  const text = (openRight ? written.slice(0, -1) : written).replaceAll(/\\(["*])/g, '$1');
  return { end, text, openLeft, openRight };
}

function endOfWord(query: string, begin: number): number {
  let end = begin;
  while (end < query.length && !isSpace(query[end])) end += 1;
  return end;
}

// What character-kind.ts takes for a space.
const SPACES = /[\s\u0001-\u001f\u007f-\u009f]+/u;

function isSpace(character: string | undefined): boolean {
  return character !== undefined && SPACES.test(character);
}

export function invalid(what: string, remedy: string): SallyportError {
  return new SallyportError('QUERY_INVALID', what, { remedy });
}
