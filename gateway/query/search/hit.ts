import { isoMicros } from '../../base/clock.ts';
import type { Place } from '../../store/screen-text-reader.ts';
import type { MatchedLine, OpenBlock } from './match-block.ts';
import type { Range } from './match-line.ts';

/** A line that was found, and where it was on a screen. */
export interface SearchHit {
  readonly session: string;
  readonly channel: number;
  readonly segment: number;
  /** When it was first and last seen: ISO 8601 UTC, and microseconds since the channel opened. */
  readonly time: string;
  readonly until: string;
  readonly first: number;
  readonly last: number;
  readonly line: string;
  /** What was found, as stretches of the line. */
  readonly matches: readonly Range[];
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Lines that are shown before and after. */
const CONTEXT = 2;
/** Places in a line that are marked. */
const MOST_MATCHES = 100;
/** Characters of a line, and of one beside it, that are shown; what was found is always among them. */
const LINE_LENGTH = 2000;
const CONTEXT_LENGTH = 500;

export function hitOf(place: Place, block: OpenBlock, { line, first, last }: MatchedLine): SearchHit {
  const beside = (from: number, to: number): string[] =>
    Array.from({ length: Math.max(0, to - from) }, (_, index) => begin(block.text(from + index), CONTEXT_LENGTH));
  return {
    session: place.session,
    channel: place.channel,
    segment: place.segment,
    time: isoMicros(place.opened + first),
    until: isoMicros(place.opened + last),
    first,
    last,
    ...excerpt(block.text(line), block.ranges(line)),
    before: beside(Math.max(0, line - CONTEXT), line),
    after: beside(line + 1, Math.min(place.lines, line + 1 + CONTEXT)),
  };
}

/** A long line around what was found first in it. */
function excerpt(text: string, ranges: readonly Range[]): { line: string; matches: Range[] } {
  if (text.length <= LINE_LENGTH) return { line: text, matches: ranges.slice(0, MOST_MATCHES) };
  const around = Math.max(0, Math.min((ranges[0]?.[0] ?? 0) - LINE_LENGTH / 4, text.length - LINE_LENGTH));
  const from = wholeCharacter(text, around);
  const to = wholeCharacter(text, Math.min(text.length, from + LINE_LENGTH));
  const lead = from > 0 ? '…' : '';
  const shift = lead.length - from;
  const matches = ranges
    .filter(([start, end]) => start >= from && end > from && start < to)
    .slice(0, MOST_MATCHES)
    .map(([start, end]): Range => [start + shift, Math.min(end, to) + shift]);
  return { line: `${lead}${text.slice(from, to)}${to < text.length ? '…' : ''}`, matches };
}

function begin(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, wholeCharacter(text, length))}…`;
}

/** Not between the two halves of a character. */
function wholeCharacter(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit < 0xe000 && at > 0 ? at - 1 : at;
}
