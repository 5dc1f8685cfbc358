import { kindOf, SPACE, WORD } from '../../indexing/character-kind.ts';
import type { Term } from './parse-query.ts';

/** A stretch of a text: from its first unit to the one behind its last. */
export type Range = readonly [from: number, to: number];

/** Where a term stands in a folded line for the first time at or after `from`. */
export function findTerm(line: string, term: Term, from = 0): Range | undefined {
  const [first] = term.parts;
  for (let at = line.indexOf(first, from); at >= 0; at = line.indexOf(first, at + 1)) {
    const end = endOfTerm(line, term, at);
    if (end !== undefined) return [at, end];
  }
  return undefined;
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

function endOfTerm(line: string, { parts, openLeft, openRight }: Term, at: number): number | undefined {
  const [first, ...others] = parts;
  if (!openLeft && splitsWord(line, at)) return undefined;
  let end = at + first.length;
  for (const part of others) {
    const next = skipSpace(line, end);
    if (next === end || !line.startsWith(part, next)) return undefined;
    end = next + part.length;
  }
  return !openRight && splitsWord(line, end) ? undefined : end;
}

/** Whether a word goes on across this place. */
function splitsWord(line: string, at: number): boolean {
  return at > 0 && at < line.length && kindOf(characterBefore(line, at)) === WORD && kindOf(line.codePointAt(at) ?? 0) === WORD;
}

function characterBefore(line: string, at: number): number {
  const unit = line.charCodeAt(at - 1);
  return unit >= 0xdc00 && unit < 0xe000 && at > 1 ? (line.codePointAt(at - 2) ?? unit) : unit;
}

function skipSpace(line: string, from: number): number {
  let at = from;
  while (at < line.length && kindOf(line.charCodeAt(at)) === SPACE) at += 1;
  return at;
}
