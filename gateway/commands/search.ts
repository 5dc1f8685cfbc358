import type { SessionRow } from '../../contract/session.ts';
import { findChannel } from '../query/find-channels.ts';
import { findSession } from '../query/find-session.ts';
import type { SearchHit } from '../query/search/hit.ts';
import { readScreenQuestion, type ScreenWords } from '../query/search/screen-question.ts';
import type { SearchCursor } from '../query/search/search-cursor.ts';
import { type ScreenQuestion, type SearchPage, searchScreens } from '../query/search/search-screens.ts';
import { unindexedSegments } from '../query/search/unindexed.ts';
import type { SessionWords } from '../query/session-question.ts';
import type { Database } from '../store/database.ts';
import { ScreenTextReader } from '../store/screen-text-reader.ts';
import { type DataOptions, withData } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { recordAccess } from './record-viewing.ts';
import { closing, dataWords, HitList } from './search-output.ts';

export interface SearchOptions extends DataOptions, Omit<SessionWords, 'text'> {
  session?: string;
  limit?: number;
  json?: boolean;
}

/** What a person sees without --limit. Programs get everything: they can't notice that something is missing. */
const SHOWN = 50;
/** Hits that are held, recorded and printed at once. */
const PAGE = 500;
const NOTHING: SearchPage = { hits: [], sessions: [] };

/** Exit code 1 when nothing is found. */
export async function search(query: readonly string[], options: SearchOptions): Promise<number> {
  const { data: _, config: __, session, limit: most, json = false, ...filter } = options;
  const words = { ...filter, query: query.join(' ') };
  readScreenQuestion(words); // What cannot be asked is refused before anything is opened.
  const limit = most ?? (json ? Number.POSITIVE_INFINITY : SHOWN);
  const list = new HitList(process.stdout.isTTY === true && !process.env.NO_COLOR);
  let cursor: SearchCursor | undefined;
  let found = 0;
  let first: SearchHit | undefined;
  let notice = '';
  do {
    const which = { cursor, limit: Math.min(PAGE, limit - found) };
    const searched = await withData(options, (database) => searchOnce(database, words, session, which));
    const { page, asked, older } = searched;
    await recordAccess(options, 'search.recorded', { query: asked, results: page.hits.length }, older);
    await print(json ? page.hits.map((hit) => jsonLine(withSession(hit, page.sessions))).join('') : list.text(page));
    if (cursor === undefined || searched.damaged) notice = noticeOf(searched);
    first ??= page.hits[0];
    found += page.hits.length;
    cursor = page.cursor;
  } while (cursor !== undefined && found < limit);
  if (!json) process.stderr.write(closing({ found, more: cursor !== undefined, first }, dataWords(options)));
  process.stderr.write(notice);
  return found > 0 ? 0 : 1;
}

interface Searched {
  readonly page: SearchPage;
  readonly unindexed: number;
  /** Sessions among those that were asked about, of which the last part is only in a journal. */
  readonly live: number;
  readonly damaged: boolean;
  readonly older: boolean;
  /** As the record has it. */
  readonly asked: Record<string, string | number>;
}

async function searchOnce(
  database: Database,
  words: ScreenWords,
  session: string | undefined,
  { cursor, limit }: { cursor: SearchCursor | undefined; limit: number },
): Promise<Searched> {
  const asked = { ...words, ...(await placeOf(database, session)) };
  const question = readScreenQuestion(asked);
  const text = await ScreenTextReader.open(database.directory);
  const said = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)) as Searched['asked'];
  const result = { older: database.isOlder, asked: said };
  try {
    const limits = { limit, millis: Number.POSITIVE_INFINITY };
    const page = text === undefined ? NOTHING : await searchScreens({ database, text }, question, { cursor, limits });
    const live = await liveSessions(database, question);
    return { ...result, page, live, unindexed: await unindexedSegments(database, text), damaged: text?.isDamaged === true };
  } finally {
    await text?.close();
  }
}

/** `SESSION` or `SESSION/CHANNEL`. */
async function placeOf(database: Database, name: string | undefined): Promise<{ session?: string; channel?: number }> {
  if (name === undefined) return {};
  if (!name.includes('/')) return { session: (await findSession(database, name)).id };
  const { session, channel } = await findChannel(database, name);
  return { session: session.id, channel: channel.channel };
}

async function liveSessions(
  database: Database,
  { principal, onBehalfOf, target, protocol, session, state }: ScreenQuestion,
): Promise<number> {
  if (state !== undefined && state !== 'live') return 0;
  const among = { principal, onBehalfOf, target, protocol, session, state: 'live' };
  return database.sessions.count(Object.fromEntries(Object.entries(among).filter(([, value]) => value !== undefined)));
}

function withSession(hit: SearchHit, sessions: readonly SessionRow[]) {
  const row = sessions.find(({ id }) => id === hit.session);
  return { ...hit, principal: row?.principal, onBehalfOf: row?.onBehalfOf, target: row?.target, protocol: row?.protocol };
}

function noticeOf({ unindexed, live, damaged }: Searched): string {
  const make = 'sallyport reindex makes it, and so does a gateway that runs, in time';
  if (damaged) return `The index of screen text is damaged, so not everything was searched; ${make}\n`;
  const sealed = unindexed === 1 ? 'One segment of the recordings is' : `${unindexed} segments of the recordings are`;
  const running = live === 1 ? 'One session is running' : `${live} sessions are running`;
  return [
    ...(unindexed === 0
      ? []
      : [`${sealed} not in the index of screen text, and ${unindexed === 1 ? 'was' : 'were'} not searched; ${make}\n`]),
    ...(live === 0 ? [] : [`${running}: what was on the screen in the last minute or so is searched when it is sealed\n`]),
  ].join('');
}
