import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import type { StoredSession } from '../store/sessions-table.ts';
import { type EraseRequest, readRequest, refused } from './erase-request.ts';
import { erasedRefusals, erasedSession, type Grounds } from './erased-records.ts';
import { heldSessions, holdOnRefusal } from './held-sessions.ts';
import { type ErasurePlan, extend, type IndexRange, planErasure, readRecord } from './plan-erasure.ts';
import { requestSigners } from './request-signers.ts';
import type { Asking, Retention } from './retention.ts';
import { settledBefore } from './retention-terms.ts';

/**
 * Erases what two admins asked for. Everything that could speak against it is looked at before anything is erased.
 * Throws ERASE_REFUSED, SIGNATURE_INVALID or SESSION_HELD. A request that was cut off in the middle may be given again.
 */
export async function carryOutRequest(
  retention: Retention,
  { document, signatures }: OperationInput<'erase.run'>,
  { actor, signal }: Asking,
): Promise<OperationOutput<'erase.run'>> {
  const { database, clock, origin, principals: inForce } = retention.parts;
  const principals = inForce();
  if (principals === undefined) {
    throw new SallyportError('USAGE', 'Who may have something erased stands in the configuration of the gateway, and none is named', {
      remedy: 'add --config FILE',
    });
  }
  const request = readRequest(document, { origin, size: await database.records.count() }, clock.wallMicros());
  const signed = requestSigners(document, signatures, principals);
  const sessions = await sessionsOf(retention, request);
  const refusals = await refusalsOf(retention, request);
  if (sessions.length === 0 && refusals.length === 0 && (await database.erasures.isRequested(request.nonce)))
    throw refused('it was carried out before', 'nothing is left to be done');
  await requireNoHold(
    retention,
    sessions.map(({ id }) => id),
  );
  const plans: ErasurePlan[] = [];
  for (const session of sessions) plans.push(await planErasure(database, session));

  const grounds: Grounds = { basis: 'request', reason: request.basis, actor, request: { document, signatures: signed } };
  const done = { sessions: 0, files: 0, records: 0 };
  for (const plan of plans) {
    if (signal.aborted) throw interrupted();
    await retention.carryOut(async () => {
      await requireNoHold(retention, [plan.session]);
      return erasedSession(plan, grounds);
    });
    done.sessions += 1;
    done.files += plan.files.length;
    done.records += plan.records;
  }
  if (signal.aborted) throw interrupted();
  if (refusals.length > 0) {
    await retention.carryOut(async () => erasedRefusals(await refusalsOf(retention, request), grounds, retention.gateway));
    for (const [first, last] of refusals) done.records += last - first + 1;
  }
  return done;
}

/** The sessions of a request that are still there. */
async function sessionsOf({ parts: { database } }: Retention, { sessions: wanted }: EraseRequest): Promise<StoredSession[]> {
  const sessions: StoredSession[] = [];
  for (const id of wanted) {
    const [session] = await database.sessions.find({ session: id, limit: 1 });
    if (session === undefined) throw refused(`there is no session ${id}`);
    if (session.state === 'live')
      throw refused(`session ${id} is not over yet`, 'wait until it is, or end it; then give the request again');
    if (session.state !== 'erased') sessions.push(session);
  }
  return sessions;
}

/** The refusals of a request that are still there. */
async function refusalsOf({ parts: { clock, database } }: Retention, { records, ledger }: EraseRequest): Promise<IndexRange[]> {
  const holds = await database.holds.inForce();
  const settled = settledBefore(clock.wallMicros());
  const found: IndexRange[] = [];
  let before = -1;
  for (const [first, last] of records) {
    if (first <= before || last < first || last >= ledger.size) throw refused(`[${first},${last}] is no range of records`);
    before = last;
    for (let index = first; index <= last; index += 1) {
      const [row] = await database.records.after(index, 1);
      if (row?.bytes === null) continue;
      if (row === undefined || !(await database.records.isPassing(row.seq, settled)))
        throw refused(`record ${index} is not one that may be erased by itself`);
      const hold = holdOnRefusal(readRecord({ ...row, bytes: row.bytes }), holds);
      if (hold !== undefined) throw held(`record ${index}`, hold.id, hold.reason);
      extend(found, index);
    }
  }
  return found;
}

async function requireNoHold({ parts: { database } }: Retention, sessions: readonly string[]): Promise<void> {
  const found = await heldSessions(database, sessions, await database.holds.inForce());
  for (const [session, hold] of found) throw held(`Session ${session}`, hold.id, hold.reason);
}

function held(what: string, hold: string, reason: string): SallyportError {
  return new SallyportError('SESSION_HELD', `${what} is under the hold ${hold}: ${reason}`, {
    remedy: 'nothing was erased; have the hold cleared first, or prepare a request without it',
  });
}

function interrupted(): SallyportError {
  return new SallyportError('GATEWAY_DRAINING', 'The erasure was interrupted before it was complete', {
    remedy: 'give the same request with its signatures again: it goes on where it stopped',
  });
}
