import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { readScreenQuestion } from '../query/search/screen-question.ts';
import { readCursor, writeCursor } from '../query/search/search-cursor.ts';
import { searchScreens } from '../query/search/search-screens.ts';
import { unindexedSegments } from '../query/search/unindexed.ts';
import type { Database } from '../store/database.ts';
import type { ScreenTextReader } from '../store/screen-text-reader.ts';
import type { Performers } from './operations.ts';
import { recordSearch, type SearchRecording } from './record-search.ts';
import { Turnstile } from './turnstile.ts';

export interface SearchParts extends SearchRecording {
  readonly reading: () => Promise<Database>;
  readonly screenText: { reader(): Promise<ScreenTextReader> };
}

/** How long one page looks for more before it answers with what it has. */
const PAGE_MILLIS = 40;
/** Searches at once: each takes a thread for its reading, and parts of milliseconds of the event loop for its looking. */
const AT_ONCE = 2;

export function searchOperations(parts: SearchParts): Pick<Performers, 'search.content'> {
  const turnstile = new Turnstile(AT_ONCE);
  return {
    'search.content': async (input, { actor }) => {
      const found = await turnstile.pass(() => search(input, parts), actor.principal);
      const { cursor: _, limit: __, ...asked } = input;
      // As with lists of sessions, each page is a record: a cursor proves no search before.
      await recordSearch(asked, found.hits.length, actor, parts);
      return found;
    },
  };
}

async function search(
  { cursor, limit, ...words }: OperationInput<'search.content'>,
  { reading, screenText }: SearchParts,
): Promise<OperationOutput<'search.content'>> {
  if (words.channel !== undefined && words.session === undefined)
    throw new SallyportError('REQUEST_INVALID', 'channel: it is the number of a channel of a session, and no session is named');
  const database = await reading();
  const question = readScreenQuestion(words);
  const text = await screenText.reader();
  const begin = cursor === undefined ? undefined : readCursor(cursor);
  const limits = { limit, millis: PAGE_MILLIS };
  const page = await searchScreens({ database, text }, question, { cursor: begin, limits });
  const tells = begin === undefined || text.isDamaged;
  const unindexed = tells ? { unindexed: await unindexedSegments(database, text) } : {};
  return {
    hits: page.hits.map((hit) => ({
      ...hit,
      matches: hit.matches.map(([from, to]): [number, number] => [from, to]),
      before: [...hit.before],
      after: [...hit.after],
    })),
    sessions: [...page.sessions],
    ...unindexed,
    ...(page.cursor === undefined ? {} : { cursor: writeCursor(page.cursor) }),
  };
}
