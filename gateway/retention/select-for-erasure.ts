import { SallyportError } from '../base/errors.ts';
import type { Database } from '../store/database.ts';
import type { SessionFilter } from '../store/session-filter.ts';
import type { StoredSession } from '../store/sessions-table.ts';
import { heldSessions, holdOnRefusal } from './held-sessions.ts';
import { extend, type IndexRange, readRecord } from './plan-erasure.ts';
import { settledBefore } from './retention-terms.ts';

/** What a request to erase is about: sessions by name, or all that meet a filter. */
export interface ErasureQuestion {
  readonly sessions: readonly string[];
  readonly filter?: SessionFilter | undefined;
}

export interface ErasureSelection {
  readonly sessions: readonly string[];
  /** Of ledger indexes: refusals of the principal. */
  readonly records: readonly IndexRange[];
  readonly refusals: number;
}

const PAGE = 200;

/**
 * Finds what belongs to a request. A principal's sessions are also those that agents had on that human's behalf, and the
 * refusals of either belong to it. Throws ERASE_REFUSED for what runs, and SESSION_HELD for what is held, by now.
 * `now` is wall clock microseconds.
 */
export async function selectForErasure(database: Database, question: ErasureQuestion, now: number): Promise<ErasureSelection> {
  const found = new Map<string, StoredSession>();
  for (const id of question.sessions) for (const session of await database.sessions.find({ session: id, limit: 1 })) found.set(id, session);
  for (const filter of filtersOf(question.filter)) {
    for (let before: number | undefined; ; ) {
      const page = await database.sessions.find({ ...filter, ...(before === undefined ? {} : { before }), limit: PAGE });
      for (const session of page) {
        before = session.seq;
        found.set(session.id, session);
      }
      if (page.length < PAGE) break;
    }
  }
  const sessions = [...found.values()].filter(({ state }) => state !== 'erased');
  const live = sessions.find(({ state }) => state === 'live');
  if (live !== undefined)
    throw new SallyportError('ERASE_REFUSED', `Session ${live.id} is not over yet`, { remedy: 'wait until it is, or end it' });
  const ids = sessions.map(({ id }) => id);
  const holds = await database.holds.inForce();
  const [held] = await heldSessions(database, ids, holds);
  if (held !== undefined) throw heldError(`Session ${held[0]}`, held[1]);
  const { records, refusals } = await refusalsOf(database, question.filter, holds, settledBefore(now));
  return { sessions: ids, records, refusals };
}

function filtersOf(filter: SessionFilter | undefined): SessionFilter[] {
  if (filter === undefined) return [];
  const { principal, ...rest } = filter;
  return principal === undefined ? [filter] : [filter, { ...rest, onBehalfOf: principal }];
}

async function refusalsOf(
  database: Database,
  filter: SessionFilter | undefined,
  holds: Awaited<ReturnType<Database['holds']['inForce']>>,
  settled: string,
): Promise<{ records: IndexRange[]; refusals: number }> {
  const records: IndexRange[] = [];
  let refusals = 0;
  const name = filter?.principal;
  if (filter === undefined || name === undefined) return { records, refusals };
  for (let after = 0; ; ) {
    const page = await database.records.passing(after, PAGE, settled);
    for (const row of page) {
      after = row.seq;
      if (row.bytes === null || row.time < (filter.from ?? '') || (filter.to !== undefined && row.time >= filter.to)) continue;
      const record = readRecord({ ...row, bytes: row.bytes });
      const { principal, onBehalfOf } = record.actor;
      const user = record.type === 'auth.refused' ? record.body.user : undefined;
      if (principal !== name && onBehalfOf !== name && user !== name) continue;
      const hold = holdOnRefusal(record, holds);
      if (hold !== undefined) throw heldError(`The refusal in record ${row.seq - 1}`, hold);
      extend(records, row.seq - 1);
      refusals += 1;
    }
    if (page.length < PAGE) return { records, refusals };
  }
}

function heldError(what: string, hold: { id: string; reason: string }): SallyportError {
  return new SallyportError('SESSION_HELD', `${what} is under the hold ${hold.id}: ${hold.reason}`, {
    remedy: 'have the hold cleared first, or ask for less',
  });
}
