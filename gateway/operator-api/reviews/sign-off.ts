import type { SignOff } from '../../../contract/operations/reviews.ts';
import type { OperationInput } from '../../../contract/operator-api.ts';
import type { AuditRecord, RecordBody } from '../../../contract/record.ts';
import { statementText } from '../../../contract/signed-statements.ts';
import { SallyportError } from '../../base/errors.ts';
import { verifySshSignature } from '../../ledger/ssh-signature.ts';
import { MOST_WORDS, readSessionReview, watchedNanos } from '../../query/review/read-session-review.ts';
import { readRecordedPart } from '../../query/review/recorded-part.ts';
import { lineOf } from '../../query/verify/signed-decision.ts';
import { type LoggedIn, loginRequired } from '../authorise.ts';
import type { Asking } from '../operations.ts';
import { targetOf } from '../view-operations.ts';
import { findReviewed, type ReviewParts, whyNotYours } from './review-parts.ts';
import { signOffOf, totalNanos } from './show-review.ts';

/** Of one session. More than a few is somebody who fills the ledger. */
const MOST_SIGN_OFFS = MOST_WORDS / 10;
/** Of one reviewer: else one of them could keep the others from saying anything. */
const MOST_SIGN_OFFS_OF_ONE = MOST_SIGN_OFFS / 10;

/**
 * A reviewer's word on a session that is over, durable and under a signed checkpoint when it is answered. Throws
 * SESSION_NOT_FOUND, REVIEW_NOT_YOURS, CONFLICT for another state of the session than the one that was signed, and
 * SIGNATURE_INVALID.
 */
export async function signOff(input: OperationInput<'review.sign'>, { actor, operator }: Asking, parts: ReviewParts): Promise<SignOff> {
  if (operator === undefined) throw loginRequired();
  const { session: id, subject, verdict, reason, signature } = input;
  const session = await findReviewed(parts, id);
  if (session.state === 'live')
    throw new SallyportError('CONFLICT', 'the session still runs, and is signed off when it is over', {
      remedy: 'put notes on it until then: review.note',
    });
  const against = whyNotYours(session, operator);
  if (against !== undefined) throw notYours(against);
  const database = await parts.reading();
  const recorded = await readRecordedPart(database, id);
  if (recorded.subject !== subject)
    throw new SallyportError('CONFLICT', 'what was signed is not what is recorded of the session now', {
      remedy: 'look at the session again, and sign what there is',
    });
  const key = requireKey(input, operator, parts);
  const { signOffs, watched } = await readSessionReview(database, id, recorded.durations);
  requireNew({ subject, verdict, reason }, operator.name, signOffs);
  const nanos = { nanos: watchedNanos(watched.get(operator.name)), of: totalNanos(recorded.durations) };
  const target = await targetOf(parts.database, id);
  // As it is now: whoever waited for their turn may have lost the log-in, a role or the key meanwhile.
  const still = parts.logIns.stillGood(operator.token);
  if (still === undefined) throw loginRequired();
  const since = whyNotYours(session, still);
  if (since !== undefined) throw notYours(since);
  requireOwn(key, still);
  const body = { subject, verdict, reason, watched: nanos, key, signature };
  const { record } = await parts.records.append({
    type: 'session.reviewed',
    outcome: 'success',
    actor,
    target,
    session: id,
    body,
  });
  await parts.ledger.signed();
  return signOffOf(record as AuditRecord<'session.reviewed'>, subject, parts.ledger.key.name);
}

/** The key that made the signature, as a line: one that is known to be of this operator. */
function requireKey(
  { session, subject, verdict, reason, key, signature }: OperationInput<'review.sign'>,
  operator: LoggedIn,
  parts: ReviewParts,
): string {
  const review = { session, subject, verdict, reviewer: operator.name, reason };
  const { namespace, text } = statementText({ kind: 'review', origin: parts.ledger.key.name, review });
  const { line } = verifySshSignature(signature, Buffer.from(text, 'utf8'), namespace);
  if (line !== lineOf(key)) throw notYours('the signature was not made with the key that is said to have made it');
  requireOwn(line, operator);
  return line;
}

function requireOwn(line: string, { name, keys }: LoggedIn): void {
  if (!keys.some((own) => own.line === line)) throw notYours(`the key that signed is none of ${name}`);
}

/** A signature has no time in it: one that is sent again later would undo what its signer has said since. */
function requireNew(
  said: Pick<RecordBody<'session.reviewed'>, 'subject' | 'verdict' | 'reason'>,
  reviewer: string,
  signOffs: readonly AuditRecord<'session.reviewed'>[],
): void {
  const again = signOffs.some(
    ({ actor, body }) =>
      actor.principal === reviewer && body.subject === said.subject && body.verdict === said.verdict && body.reason === said.reason,
  );
  if (again)
    throw new SallyportError('CONFLICT', `${reviewer} has signed the session off with exactly these words already`, {
      remedy: 'whoever thinks differently by now, and then the same again, says why in other words',
    });
  const own = signOffs.filter(({ actor }) => actor.principal === reviewer).length;
  if (own >= MOST_SIGN_OFFS_OF_ONE)
    throw new SallyportError('CONFLICT', `${reviewer} has signed the session off ${own} times already, and more is not taken`, {
      remedy: 'have another reviewer look at it',
    });
  if (signOffs.length >= MOST_SIGN_OFFS)
    throw new SallyportError('CONFLICT', `the session has been signed off ${signOffs.length} times already, and more is not taken`);
}

function notYours(why: string): SallyportError {
  return new SallyportError('REVIEW_NOT_YOURS', `this session is not yours to sign off: ${why}`, { remedy: 'have another reviewer do it' });
}
