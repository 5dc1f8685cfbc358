import { kindOf, SPACE, WORD } from '../../indexing/character-kind.ts';
import type { Term } from './parse-query.ts';

const BLANK = 0x20;

/** A stretch of a text: from its first unit to the one behind its last. */
export type Range = readonly [from: number, to: number];

/** Where a term stands in a folded line for the first time at or after `from`. */
export function findTerm(line: string, term: Term, from = 0): Range | undefined {
  const [first, ...others] = term.parts;
  if (others.length > 0) return findPhrase(line, term, from);
  for (let at = line.indexOf(first, from); at >= 0; at = line.indexOf(first, at + 1))
    if (isTerm(line, term, at, at + first.length)) return [at, at + first.length];
  return undefined;
}

/** As one text in the line with single spaces: part by part, a line of nothing but its first word would take its length times theirs. */
function findPhrase(line: string, term: Term, from: number): Range | undefined {
  const { text, places } = withSingleSpaces(line);
  const phrase = term.parts.join(' ');
  for (let at = text.indexOf(phrase, places === undefined ? from : firstFrom(places, from)); at >= 0; at = text.indexOf(phrase, at + 1)) {
    const start = places?.[at] ?? at;
    const end = (places?.[at + phrase.length - 1] ?? at + phrase.length - 1) + 1;
    if (isTerm(line, term, start, end)) return [start, end];
  }
  return undefined;
}

function firstFrom(places: Uint32Array, from: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Spaced {
  readonly line: string;
  readonly text: string;
  /** Where each unit of the text stands in the line; missing where they are the same. */
  readonly places: Uint32Array | undefined;
}

/** The same line is asked for again and again. */
let spaced: Spaced = { line: '', text: '', places: undefined };

function withSingleSpaces(line: string): Spaced {
  if (spaced.line !== line) spaced = spaceSingly(line);
  return spaced;
}

function spaceSingly(line: string): Spaced {
  const places = new Uint32Array(line.length);
  const units = new Uint16Array(line.length);
  let length = 0;
  for (let at = 0; at < line.length; at += 1) {
    const unit = line.charCodeAt(at);
    const isSpace = kindOf(unit) === SPACE;
    if (isSpace && length > 0 && units[length - 1] === BLANK) continue;
    places[length] = at;
    units[length] = isSpace ? BLANK : unit;
    length += 1;
  }
  const text = Buffer.from(units.buffer, 0, length * 2).toString('utf16le');
  return { line, text, places: text === line ? undefined : places.subarray(0, length) };
}

function isTerm(line: string, { openLeft, openRight }: Term, from: number, to: number): boolean {
  return (openLeft || !splitsWord(line, from)) && (openRight || !splitsWord(line, to));
}

export function hasAllTerms(line: string, terms: readonly Term[]): boolean {
  return terms.every((term) => findTerm(line, term) !== undefined);
}

/** Everywhere that a term stands, in order; what overlaps is one stretch. */
export function matchedRanges(line: string, terms: readonly Term[]): Range[] {
  const found: Range[] = [];
  for (const term of terms) {
    for (let range = findTerm(line, term); range !== undefined; range = findTerm(line, term, range[1])) found.push(range);
  }
  found.sort((one, other) => one[0] - other[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of found) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** Whether a word goes on across this place. */
function splitsWord(line: string, at: number): boolean {
  return at > 0 && at < line.length && kindOf(characterBefore(line, at)) === WORD && kindOf(line.codePointAt(at) ?? 0) === WORD;
}

function characterBefore(line: string, at: number): number {
  const unit = line.charCodeAt(at - 1);
  return unit >= 0xdc00 && unit < 0xe000 && at > 1 ? (line.codePointAt(at - 2) ?? unit) : unit;
}
