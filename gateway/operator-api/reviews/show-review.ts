import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ReviewNote, SignOff } from '../../../contract/operations/reviews.ts';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import type { AuditRecord } from '../../../contract/record.ts';
import { readSessionReview, watchedNanos } from '../../query/review/read-session-review.ts';
import { type RecordedPart, readRecordedPart } from '../../query/review/recorded-part.ts';
import { readReview } from '../../query/review/signed-review.ts';
import { fingerprintOf } from '../../query/verify/signed-decision.ts';
import type { Asking } from '../operations.ts';
import { findReviewed, type ReviewParts, whyNotYours } from './review-parts.ts';

const IN_ONE_TURN = 4;

export async function showReview(id: string, { operator }: Asking, parts: ReviewParts): Promise<OperationOutput<'review.show'>> {
  const session = await findReviewed(parts, id);
  const database = await parts.reading();
  const recorded = await readRecordedPart(database, session.id);
  const durations = session.state === 'live' ? await withRunning(recorded, session.id, parts) : recorded.durations;
  const { notes, signOffs, watched } = await readSessionReview(database, session.id, durations);
  const origin = parts.ledger.key.name;
  const why = whyNotYours(session, operator);
  return {
    notes: notes.map(noteOf),
    signOffs: await signOffsOf(signOffs, recorded.subject, origin),
    watched: [...watched].map(([name, channels]) => ({
      operator: name,
      nanos: watchedNanos(channels),
      channels: [...channels]
        .toSorted(([a], [b]) => a - b)
        .map(([channel, { all }]) => ({ channel, stretches: all.map(([from, to]): [number, number] => [from, to]) })),
    })),
    nanos: totalNanos(durations),
    subject: recorded.subject,
    origin,
    yours: { may: why === undefined, ...(why === undefined ? {} : { why }) },
  };
}

/** Each is verified anew; a few milliseconds of that, and then it is somebody else's turn. */
async function signOffsOf(records: readonly AuditRecord<'session.reviewed'>[], subject: string, origin: string): Promise<SignOff[]> {
  const signOffs: SignOff[] = [];
  for (const record of records) {
    signOffs.push(signOffOf(record, subject, origin));
    if (signOffs.length % IN_ONE_TURN === 0) await nextTurn();
  }
  return signOffs;
}

export function totalNanos(durations: ReadonlyMap<number, number>): number {
  let nanos = 0;
  for (const duration of durations.values()) nanos += duration;
  return nanos;
}

export function noteOf({ actor, time, body }: AuditRecord<'review.noted'>): ReviewNote {
  const { note, channel, at, text } = body;
  return { note, channel, at, text, by: actor.principal, time };
}

/** `subject`: of what is recorded of the session now. */
export function signOffOf(record: AuditRecord<'session.reviewed'>, subject: string, origin: string): SignOff {
  const { actor, time, body } = record;
  const { wrong } = readReview(origin, record);
  return {
    reviewer: actor.principal,
    verdict: body.verdict,
    reason: body.reason,
    time,
    key: fingerprintOf(body.key),
    signature: wrong !== undefined ? 'bad' : body.subject === subject ? 'good' : 'superseded',
    watched: { ...body.watched },
  };
}

/** What is being recorded counts as far as it is recorded. */
async function withRunning(
  { durations }: RecordedPart,
  session: string,
  { reading, running }: ReviewParts,
): Promise<ReadonlyMap<number, number>> {
  const all = new Map(durations);
  for (const { channel, closed } of await (await reading()).channels.ofSession(session))
    if (closed === null) all.set(channel, Math.max(all.get(channel) ?? 0, running(session, channel)?.now ?? 0));
  return all;
}
