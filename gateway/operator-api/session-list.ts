import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { findSession } from '../query/find-session.ts';
import { readSessionQuestion, type SessionWords } from '../query/session-question.ts';
import type { Database } from '../store/database.ts';
import type { OverviewFilter } from '../store/session-overview.ts';
import { type Summarising, summarise } from './session-summaries.ts';
import type { LiveState } from './supervision-operations.ts';

export interface Listing extends Summarising {
  /** How a session stands that runs now. */
  readonly liveState: (session: string) => LiveState | undefined;
}

/** The cursor is the id of the last session that was told. */
export async function listSessions(input: OperationInput<'session.list'>, parts: Listing): Promise<OperationOutput<'session.list'>> {
  const { cursor, limit, offset, upTo, detailed, flag, review, tag, ...words } = input;
  const database = await parts.reading();
  const filter: OverviewFilter = {
    ...readSessionQuestion(given(words)),
    ...(review === undefined ? {} : { review }),
    ...(tag === undefined ? {} : { targets: tagged(tag, parts.targets()) }),
    ...(upTo === undefined ? {} : { upTo: (await findSession(database, upTo)).seq }),
  };
  // Nothing in a list says that something is hidden; see session-summaries.ts.
  if (flag === 'hidden') return { sessions: [], ...(detailed ? { total: 0 } : {}) };
  if (flag !== undefined) filter.flag = flag;
  // One more says whether there is more.
  const found = await database.overviews.find({ ...filter, ...(await before(cursor, database)) }, limit + 1, offset);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const summaries = detailed ? await summarise(page, parts) : [];
  return {
    sessions: page.map(({ row }, index) => {
      const summary = summaries[index];
      return { ...row, ...(summary === undefined ? {} : { summary, live: parts.liveState(row.id) ?? null }) };
    }),
    ...(detailed && cursor === undefined && offset === 0 ? { total: await database.overviews.count(filter) } : {}),
    ...(found.length > limit && last !== undefined ? { cursor: last.row.id } : {}),
  };
}

/** Names of the targets that have the tag. */
function tagged(tag: string, targets: ReturnType<Summarising['targets']>): string[] {
  const [, key = '', value = ''] = /^([^=]+)=(.*)$/s.exec(tag) ?? [];
  if (key === '') throw new SallyportError('REQUEST_INVALID', 'tag: write it as KEY=VALUE, for example env=production');
  return [...targets].filter(([, { tags }]) => Object.hasOwn(tags, key) && tags[key] === value).map(([name]) => name);
}

async function before(cursor: string | undefined, database: Database): Promise<{ before?: number }> {
  if (cursor === undefined) return {};
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(cursor))
    throw new SallyportError('REQUEST_INVALID', 'cursor: it is not one that a page before ended with');
  return { before: (await findSession(database, cursor)).seq };
}

/** Only the words that were said. */
function given(words: { [K in keyof SessionWords]?: SessionWords[K] | undefined }): SessionWords {
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined));
}
