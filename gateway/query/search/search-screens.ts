import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SessionRow } from '../../../contract/session.ts';
import type { Database } from '../../store/database.ts';
import type { Place, ScreenTextReader } from '../../store/screen-text-reader.ts';
import { isDamage } from '../../store/screen-text-schema.ts';
import type { SessionFilter } from '../../store/session-filter.ts';
import { BlockFinder } from './find-blocks.ts';
import { hitOf, type SearchHit } from './hit.ts';
import { matchBlock, type OpenBlock } from './match-block.ts';
import { parseQuery, type Term } from './parse-query.ts';
import { queryTokens } from './query-tokens.ts';
import { BEGINNING, isFurther, type SearchCursor } from './search-cursor.ts';
import { SessionSieve } from './session-sieve.ts';

export interface ScreenQuestion extends Pick<SessionFilter, 'session' | 'principal' | 'onBehalfOf' | 'target' | 'protocol' | 'state'> {
  readonly query: string;
  readonly channel?: number | undefined;
  /** The line was on the screen at or after, and before; microseconds since 1970. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface SearchPage {
  readonly hits: readonly SearchHit[];
  /** Those that the hits are of. */
  readonly sessions: readonly SessionRow[];
  /** Missing where there is no more. A page may end before it is full, and even empty, because it took its time. */
  readonly cursor?: SearchCursor;
}

export interface SearchLimits {
  readonly limit: number;
  /** After so long a page ends with what it has. */
  readonly millis: number;
}

/** Blocks that are read from the disk at once: few at first, for a page is often full with the first. */
const FIRST_BATCH = 4;
const LARGEST_BATCH = 32;
/** Characters and stretches of all hits of a page, about: an answer is made in one go, which others wait for. */
const MOST_SHOWN = 256 * 1024;
/** A stretch is told like so many characters. */
const STRETCH_LENGTH = 16;
/** So long, about, is the event loop kept from others: sessions are relayed on it. */
const TURN_MILLIS = 2;

/**
 * Finds lines that were on screens, newest first: by the blocks of about 16 KiB that they are stored in, and within
 * these by when they were first seen. The index names the blocks, and the lines themselves decide.
 */
export async function searchScreens(
  { database, text }: { database: Database; text: ScreenTextReader },
  question: ScreenQuestion,
  { cursor = BEGINNING, limits }: { cursor?: SearchCursor | undefined; limits: SearchLimits },
): Promise<SearchPage> {
  const terms = parseQuery(question.query);
  const sieve = await SessionSieve.open(database, question);
  if (sieve.none) return { hits: [], sessions: [] };
  const page = new Page(limits.limit);
  try {
    return page.end(await fill(page, { sieve, text, terms, question, cursor, givenUp: performance.now() + limits.millis }));
  } catch (thrown) {
    // It is thrown away and made again; what was found before that is as good as ever.
    if (isDamage(thrown)) return page.end(undefined);
    throw thrown;
  }
}

interface Search {
  readonly sieve: SessionSieve;
  readonly text: ScreenTextReader;
  readonly terms: readonly [Term, ...Term[]];
  readonly question: ScreenQuestion;
  readonly cursor: SearchCursor;
  readonly givenUp: number;
}

/** Gives how far it came; undefined at the end. */
async function fill(page: Page, { sieve, text, terms, question, cursor, givenUp }: Search): Promise<SearchCursor | undefined> {
  const finder = await BlockFinder.open(
    text,
    queryTokens(terms),
    { ...question, sessions: sieve.sessions, below: { moment: cursor.moment, tie: cursor.line > 0 ? cursor.tie + 1 : cursor.tie } },
    sieve.sessions && (await text.placesOf(sieve.sessions)),
  );
  // However little time there is, a page ends further on than it began.
  const goOn = (reached = finder.reached): boolean => performance.now() < givenUp || (reached !== undefined && !isFurther(reached, cursor));
  let turnBegun = performance.now();
  for (let size = FIRST_BATCH; goOn(); size = Math.min(LARGEST_BATCH, size * 2)) {
    const places = await finder.next(size, goOn);
    if (places.length === 0) break;
    const rows = await sieve.pass(places.map(({ session }) => session));
    const wanted = places.filter(({ session }) => rows.has(session));
    const packed = await text.packed(wanted);
    for (const place of wanted) {
      if (performance.now() - turnBegun > TURN_MILLIS) {
        await nextTurn();
        turnBegun = performance.now();
      }
      const bytes = packed.get(place.id);
      const block = bytes === undefined ? undefined : open(bytes, terms, text);
      const last = block && page.take({ place, block, session: rows.get(place.session) }, question, lineOf(cursor, place));
      const reached = { moment: place.moment, tie: place.tie, line: last ?? 0 };
      if (last !== undefined || !goOn(reached)) return reached;
    }
  }
  return finder.reached;
}

class Page {
  readonly #hits: SearchHit[] = [];
  readonly #sessions = new Map<string, SessionRow>();
  readonly #limit: number;
  #shown = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The newest lines of the block that are before this one. The last that was taken when the page is full and there may be more. */
  take(
    { place, block, session }: { place: Place; block: OpenBlock; session: SessionRow | undefined },
    { from, to }: ScreenQuestion,
    before: number,
  ): number | undefined {
    if (session === undefined) return undefined;
    for (const matched of block.lines.toReversed()) {
      if (matched.line >= before) continue;
      if (from !== undefined && place.opened + matched.last < from) continue;
      if (to !== undefined && place.opened + matched.first >= to) continue;
      const hit = hitOf(place, block, matched);
      this.#hits.push(hit);
      this.#sessions.set(session.id, session);
      this.#shown += hit.matches.length * STRETCH_LENGTH + [hit.line, ...hit.before, ...hit.after].join('').length;
      if (this.#hits.length >= this.#limit || this.#shown >= MOST_SHOWN) return matched.line;
    }
    return undefined;
  }

  end(cursor: SearchCursor | undefined): SearchPage {
    return { hits: this.#hits, sessions: [...this.#sessions.values()], ...(cursor === undefined ? {} : { cursor }) };
  }
}

/** In the block at which the page before ended, the lines above were given. */
function lineOf(cursor: SearchCursor, place: Place): number {
  return place.moment === cursor.moment && place.tie === cursor.tie ? cursor.line : Number.POSITIVE_INFINITY;
}

function open(packed: Uint8Array, terms: readonly [Term, ...Term[]], text: ScreenTextReader): OpenBlock | undefined {
  try {
    return matchBlock(packed, terms);
  } catch {
    text.reportDamage(); // It is made again; the other blocks are as good as they were.
    return undefined;
  }
}
