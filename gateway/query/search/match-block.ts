import { foldComposed, isAscii } from '../../indexing/fold-text.ts';
import { unpackBlock } from '../../indexing/text-block.ts';
import { findTerm, hasAllTerms, matchedRanges, type Range } from './match-line.ts';
import type { Term } from './parse-query.ts';

/** A line that has all terms. */
export interface MatchedLine {
  /** Which line of its block. */
  readonly line: number;
  /** Microseconds since the channel opened. */
  readonly first: number;
  readonly last: number;
}

/** A block that is being looked through. */
export interface OpenBlock {
  readonly lines: readonly MatchedLine[];
  /** The text of a line, composed (NFC); empty for one that there is not. */
  text(line: number): string;
  ranges(line: number): Range[];
}

/** Throws when the block is damaged. */
export function matchBlock(packed: Uint8Array, terms: readonly [Term, ...Term[]]): OpenBlock {
  const { text, ascii, times } = unpackBlock(packed);
  const composed = ascii ? text : text.normalize('NFC');
  const folded = ascii ? text.toLowerCase() : foldComposed(composed);
  let split: readonly string[] | undefined;
  const textOf = (line: number): string => {
    split ??= composed.split('\n');
    return split[line] ?? '';
  };
  return {
    lines: matchedLines(folded, terms).map((line) => ({ line, first: times[line * 2] ?? 0, last: times[line * 2 + 1] ?? 0 })),
    text: textOf,
    ranges: (line) => rangesIn(textOf(line), terms),
  };
}

/** Goes from one place of the longest term to the next, so that most lines are never looked at. */
function matchedLines(folded: string, terms: readonly [Term, ...Term[]]): number[] {
  const rarest = terms.reduce((one, other) => (lengthOf(other) > lengthOf(one) ? other : one));
  const [needle] = rarest.parts;
  const found: number[] = [];
  let line = 0;
  let counted = 0;
  for (let at = folded.indexOf(needle); at >= 0; ) {
    for (let end = folded.indexOf('\n', counted); end >= 0 && end < at; end = folded.indexOf('\n', counted)) {
      line += 1;
      counted = end + 1;
    }
    const end = folded.indexOf('\n', at);
    const text = folded.slice(counted, end < 0 ? folded.length : end);
    if (findTerm(text, rarest, at - counted) !== undefined && hasAllTerms(text, terms)) found.push(line);
    if (end < 0) break;
    at = folded.indexOf(needle, end);
  }
  return found;
}

function lengthOf({ parts }: Term): number {
  return parts[0].length;
}

/** In the text itself, whose characters may become more or fewer when they are folded. */
function rangesIn(text: string, terms: readonly Term[]): Range[] {
  const folded = isAscii(text) ? text.toLowerCase() : foldComposed(text);
  const ranges = matchedRanges(folded, terms);
  if (isAscii(text)) return ranges;
  const places: number[] = [];
  let at = 0;
  for (const character of text) {
    for (const _ of unitsOf(foldComposed(character))) places.push(at);
    at += character.length;
  }
  places.push(at);
  return ranges.map(([from, to]) => [places[from] ?? at, Math.max(places[to] ?? at, endOfCharacter(text, places[to - 1] ?? at))]);
}

function unitsOf(text: string): number[] {
  return Array.from({ length: text.length }, (_, index) => index);
}

function endOfCharacter(text: string, at: number): number {
  return at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
}
