import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { findSession } from '../query/find-session.ts';
import { readSessionQuestion, type SessionWords } from '../query/session-question.ts';
import type { Database } from '../store/database.ts';
import type { OverviewFilter, SessionOverview } from '../store/session-overview.ts';
import { type Summarising, summarise } from './session-summaries.ts';
import type { LiveState } from './supervision-operations.ts';

export interface Listing extends Summarising {
  /** How a session stands that runs now. */
  readonly liveState: (session: string) => LiveState | undefined;
}

/** Sessions whose records are read in one step when words are looked for. Others of the database wait for so long. */
const LOOKED_THROUGH = 2000;
/** Milliseconds after which a page ends, however few it has. */
const LONGEST = 2000;

interface Page {
  readonly overviews: readonly SessionOverview[];
  readonly total: number | undefined;
  readonly cursor: string | undefined;
}

interface Wanted {
  readonly limit: number;
  readonly offset: number;
  /** How many there are in all. */
  readonly total: boolean;
}

/** The cursor is the id of the last session that was told, or looked at. */
export async function listSessions(input: OperationInput<'session.list'>, parts: Listing): Promise<OperationOutput<'session.list'>> {
  const { cursor, limit, offset, upTo, detailed, flag, review, tag, ...words } = input;
  const database = await parts.reading();
  const filter: OverviewFilter = {
    ...readSessionQuestion(given(words)),
    ...(flag === undefined ? {} : { flag }),
    ...(review === undefined ? {} : { review }),
    ...(tag === undefined ? {} : { targets: tagged(tag, parts.targets()) }),
    ...(upTo === undefined ? {} : { upTo: (await findSession(database, upTo)).seq }),
    ...(cursor === undefined ? {} : { before: await placeOf(cursor, database) }),
  };
  const wanted = { limit, offset, total: detailed && cursor === undefined && offset === 0 };
  const page = await (filter.text === undefined ? readPage : lookForWords)(database, filter, wanted);
  const summaries = detailed ? await summarise(page.overviews, parts) : [];
  return {
    sessions: page.overviews.map(({ row }, index) => {
      const summary = summaries[index];
      return { ...row, ...(summary === undefined ? {} : { summary, live: parts.liveState(row.id) ?? null }) };
    }),
    ...(page.total === undefined ? {} : { total: page.total }),
    ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
  };
}

async function readPage(database: Database, filter: OverviewFilter, { limit, offset, total }: Wanted): Promise<Page> {
  // One more says whether there is more.
  const found = await database.overviews.find(filter, limit + 1, offset);
  const overviews = found.slice(0, limit);
  return {
    overviews,
    total: total ? await database.overviews.count(filter) : undefined,
    cursor: found.length > limit ? overviews.at(-1)?.row.id : undefined,
  };
}

/** Commands stand in records alone, so all of those are read; step by step, so that others are answered in between. */
async function lookForWords(database: Database, filter: OverviewFilter, { limit, offset, total }: Wanted): Promise<Page> {
  const until = performance.now() + LONGEST;
  const found: number[] = [];
  let before = filter.before;
  let more = true;
  while (more && (total || found.length <= offset + limit) && performance.now() < until) {
    const step = await database.overviews.lookThrough({ ...filter, ...(before === undefined ? {} : { before }) }, LOOKED_THROUGH);
    for (const seq of step.found) found.push(seq);
    before = step.reached ?? before;
    more = step.more;
  }
  const overviews = await database.overviews.at(found.slice(offset, offset + limit));
  const reached = more && before !== undefined ? (await database.overviews.at([before]))[0]?.row.id : undefined;
  return {
    overviews,
    total: total && !more ? found.length : undefined,
    cursor: found.length > offset + limit ? overviews.at(-1)?.row.id : reached,
  };
}

/** Names of the targets that have the tag. */
function tagged(tag: string, targets: ReturnType<Summarising['targets']>): string[] {
  const [, key = '', value = ''] = /^([^=]+)=(.*)$/s.exec(tag) ?? [];
  if (key === '') throw new SallyportError('REQUEST_INVALID', 'tag: write it as KEY=VALUE, for example env=production');
  return [...targets].filter(([, { tags }]) => Object.hasOwn(tags, key) && tags[key] === value).map(([name]) => name);
}

async function placeOf(cursor: string, database: Database): Promise<number> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(cursor))
    throw new SallyportError('REQUEST_INVALID', 'cursor: it is not one that a page before ended with');
  return (await findSession(database, cursor)).seq;
}

/** Only the words that were said. */
function given(words: { [K in keyof SessionWords]?: SessionWords[K] | undefined }): SessionWords {
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined));
}
