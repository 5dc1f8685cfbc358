import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { SessionRow } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';
import { findChannels } from '../query/find-channels.ts';
import { findSession } from '../query/find-session.ts';
import { findSessions, type SessionQuestion } from '../query/find-sessions.ts';
import { readSessionQuestion } from '../query/session-question.ts';
import type { Database } from '../store/database.ts';
import type { Performers } from './operations.ts';
import { recordSearch, type SearchRecording } from './record-search.ts';
import type { LiveState } from './supervision-operations.ts';

export interface SessionReading extends SearchRecording {
  /** A connection of its own: what somebody searches for does not keep records waiting. */
  readonly reading: () => Promise<Database>;
  /** How a session stands that runs now. */
  readonly liveState: (session: string) => LiveState | undefined;
}

export function sessionOperations(parts: SessionReading): Pick<Performers, 'session.list' | 'session.show'> {
  return {
    'session.list': async (input, { actor }) => {
      const found = await listSessions(input, parts);
      // Whoever looks for words in what others did is on record before they see what was found. So is every page: a cursor is
      // any session's id, which proves no search before.
      const { cursor: _, limit: __, ...query } = input;
      if (query.text !== undefined) await recordSearch(query, found.sessions.length, actor, parts);
      return found;
    },
    'session.show': (input) => showSession(input, parts),
  };
}

/** The cursor is the id of the last session that was told. */
async function listSessions(
  { cursor, limit, ...words }: OperationInput<'session.list'>,
  { reading }: SessionReading,
): Promise<OperationOutput<'session.list'>> {
  const database = await reading();
  const question: SessionQuestion = { ...readSessionQuestion(given(words)), ...(await before(cursor, database)) };
  const sessions: SessionRow[] = [];
  // One more says whether there is more.
  for await (const row of findSessions(database, question, limit + 1)) sessions.push(row);
  const page = sessions.slice(0, limit);
  const last = page.at(-1);
  return { sessions: page, ...(sessions.length > limit && last !== undefined ? { cursor: last.id } : {}) };
}

async function showSession(
  { session: id }: OperationInput<'session.show'>,
  { reading, liveState }: SessionReading,
): Promise<OperationOutput<'session.show'>> {
  const database = await reading();
  const { seq: _, ...session } = await findSession(database, id);
  const channels = await findChannels(database, session);
  return {
    session,
    channels: channels.map((row) => ({ ...row, exit: row.exit === null ? null : given(row.exit) })),
    live: liveState(session.id) ?? null,
  };
}

async function before(cursor: string | undefined, database: Database): Promise<{ before?: number }> {
  if (cursor === undefined) return {};
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(cursor))
    throw new SallyportError('REQUEST_INVALID', 'cursor: it is not one that a page before ended with');
  return { before: (await findSession(database, cursor)).seq };
}

/** Only the members that have a value. */
function given<T extends object>(words: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
