import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { findChannels } from '../query/find-channels.ts';
import { findSession } from '../query/find-session.ts';
import type { Performers } from './operations.ts';
import { recordSearch, type SearchRecording } from './record-search.ts';
import { type Listing, listSessions } from './session-list.ts';
import { summarise } from './session-summaries.ts';
import { Turnstile } from './turnstile.ts';

export interface SessionReading extends SearchRecording, Listing {}

/** Lists in which words are looked for, at once: the others have to be quick beside them. */
const LOOKING_AT_ONCE = 1;

export function sessionOperations(parts: SessionReading): Pick<Performers, 'session.list' | 'session.show'> {
  const looking = new Turnstile(LOOKING_AT_ONCE);
  return {
    'session.list': async (input, { actor }) => {
      const list = () => listSessions(input, parts);
      const found = await (input.text === undefined ? list() : looking.pass(list, actor.principal));
      // Whoever looks for words in what others did is on record before they see what was found. So is every page: a cursor is
      // any session's id, which proves no search before.
      const { cursor: _, limit: __, offset: ___, upTo: ____, detailed: _____, ...query } = input;
      if (query.text !== undefined) await recordSearch(query, found.sessions.length, actor, parts);
      return found;
    },
    'session.show': (input) => showSession(input, parts),
  };
}

async function showSession(
  { session: id }: OperationInput<'session.show'>,
  parts: SessionReading,
): Promise<OperationOutput<'session.show'>> {
  const database = await parts.reading();
  const { seq: _, ...session } = await findSession(database, id);
  const channels = await findChannels(database, session);
  const overview = await database.overviews.one(session.id);
  if (overview === undefined) throw new TypeError(`session ${session.id} is in one list and not in the other`);
  const [summary] = await summarise([overview], parts);
  if (summary === undefined) throw new TypeError(`session ${session.id} has no summary`);
  return {
    session,
    summary,
    channels: channels.map((row) => ({ ...row, exit: row.exit === null ? null : given(row.exit) })),
    live: parts.liveState(session.id) ?? null,
  };
}

/** Only the members that have a value. */
function given<T extends object>(words: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
