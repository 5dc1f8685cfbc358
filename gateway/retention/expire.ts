import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { isoMicros } from '../base/clock.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { RecordRow } from '../store/records-table.ts';
import type { StoredSession } from '../store/sessions-table.ts';
import { erasedRefusals, erasedSession, type Grounds } from './erased-records.ts';
import { heldSessions, holdOnRefusal } from './held-sessions.ts';
import { extend, type IndexRange, planErasure, readRecord } from './plan-erasure.ts';
import type { Asking, Retention } from './retention.ts';
import { type RetentionTerms, settledBefore, shortestTerm, termOf } from './retention-terms.ts';

type Outcome = OperationOutput<'retention.run'>;

const PAGE = 100;
const DAY = 86_400;

/** Erases every session and every refusal whose time is over and that nobody holds. A dry run only says which. */
export async function expire(retention: Retention, dryRun: boolean, asking: Asking): Promise<Outcome> {
  const { clock } = retention.parts;
  const terms = retention.parts.terms();
  if (terms === undefined) {
    throw new SallyportError('USAGE', 'How long recordings are kept stands in the configuration of the gateway, and none is named', {
      remedy: 'add --config FILE',
    });
  }
  const now = clock.wallMicros();
  const outcome: Outcome = { dryRun, expired: [], held: [], records: 0, bytes: 0 };
  for await (const session of sessionsDue(retention, terms, now)) {
    if (asking.signal.aborted) return outcome;
    await expireSession(retention, session, termOf(session.target, terms), outcome, asking);
  }
  await expireRefusals(retention, terms, now, outcome, asking);
  return outcome;
}

/** Sessions whose time is over, those that ended first coming first. */
async function* sessionsDue(retention: Retention, terms: RetentionTerms, now: number): AsyncGenerator<StoredSession> {
  const { database } = retention.parts;
  const latest = before(now, shortestTerm(terms));
  for (let last: { ended: string; seq: number } | undefined; ; ) {
    const page = await database.sessions.endedBefore(latest, last, PAGE);
    for (const session of page) {
      const ended = session.ended ?? '';
      last = { ended, seq: session.seq };
      if (ended < before(now, termOf(session.target, terms))) yield session;
    }
    if (page.length < PAGE) return;
  }
}

async function expireSession(
  retention: Retention,
  session: StoredSession,
  term: number,
  outcome: Outcome,
  { actor }: Asking,
): Promise<void> {
  const { database, log } = retention.parts;
  const { id, started, target, principal } = session;
  const segments = await database.segments.ofSession(id);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const row = { session: id, started, target, principal, bytes };
  const isHeld = async () => (await heldSessions(database, [id], await database.holds.inForce())).has(id);
  let held = await isHeld();
  if (held || outcome.dryRun) {
    if (!held) outcome.bytes += bytes;
    outcome[held ? 'held' : 'expired'].push(row);
    return;
  }
  try {
    const drafts = erasedSession(await planErasure(database, session), groundsOf(term, actor));
    const given = await retention.carryOut(async () => {
      held = await isHeld();
      return held ? [] : drafts;
    });
    outcome[held ? 'held' : 'expired'].push(held ? row : { ...row, bytes: given });
    outcome.bytes += given;
  } catch (thrown) {
    const error = asSallyportError(thrown);
    // A disk that takes no record takes none of the next session either. Everything else is this session's own trouble.
    if (error.code === 'LEDGER_FAILED') throw error;
    log.error({ session: id, code: error.code }, `a session could not be expired: ${error.message}`);
  }
}

async function expireRefusals(
  retention: Retention,
  terms: RetentionTerms,
  now: number,
  outcome: Outcome,
  { actor, signal }: Asking,
): Promise<void> {
  const { database } = retention.parts;
  const latest = before(now, terms.refusals);
  const grounds = groundsOf(terms.refusals, actor);
  for (let after = 0; !signal.aborted; ) {
    const page = await database.records.passing(after, PAGE, settledBefore(now));
    let records = 0;
    const decide = async () => {
      const due = await refusalsDue(retention, page, latest);
      records = due.records;
      return due.records === 0 || outcome.dryRun ? [] : erasedRefusals(due.ranges, grounds, retention.gateway);
    };
    await retention.carryOut(decide);
    outcome.records += records;
    after = page.at(-1)?.seq ?? after;
    // Of records that are in the order of their times, the rest is younger. A clock that was set back only delays some.
    if (page.length < PAGE || (page.at(-1)?.time ?? '') >= latest) return;
    await nextTurn();
  }
}

/** Those of a page that are older than a time and that nobody holds. */
async function refusalsDue({ parts: { database, log } }: Retention, page: readonly RecordRow[], latest: string) {
  const holds = await database.holds.inForce();
  const ranges: IndexRange[] = [];
  let records = 0;
  for (const row of page) {
    if (row.bytes === null || row.time >= latest) continue;
    try {
      if (holdOnRefusal(readRecord({ ...row, bytes: row.bytes }), holds) !== undefined) continue;
    } catch (thrown) {
      const { code, message } = asSallyportError(thrown);
      log.error({ code }, `a record could not be expired: ${message}`);
      continue;
    }
    extend(ranges, row.seq - 1);
    records += 1;
  }
  return { ranges, records };
}

function groundsOf(seconds: number, actor: Grounds['actor']): Grounds {
  return { basis: 'retention', reason: `kept for ${seconds / DAY} days, as configured`, actor };
}

/** The time so many seconds before now, as records write it. */
function before(now: number, seconds: number): string {
  return isoMicros(now - seconds * 1_000_000);
}
