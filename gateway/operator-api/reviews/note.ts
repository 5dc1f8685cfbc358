import type { ReviewNote } from '../../../contract/operations/reviews.ts';
import type { OperationInput } from '../../../contract/operator-api.ts';
import { SallyportError } from '../../base/errors.ts';
import { uuidV7 } from '../../base/ids.ts';
import { MOST_WORDS, readSessionReview } from '../../query/review/read-session-review.ts';
import type { Asking } from '../operations.ts';
import { targetOf } from '../view-operations.ts';
import { recordedLength } from './recorded-length.ts';
import { findReviewed, type ReviewParts } from './review-parts.ts';

/** The clock of a running channel goes on while a note is on its way. */
const LEEWAY_NANOS = 1_000_000_000;
/** So that there is room for sign-offs among what is read of a session. */
const MOST_NOTES = MOST_WORDS / 2;
/** Of one operator: nobody takes the room of the others. */
const MOST_NOTES_OF_ONE = MOST_NOTES / 5;

/** Answered when it is durable. */
export async function writeNote(
  { session, channel, at, text }: OperationInput<'review.note'>,
  { actor }: Asking,
  parts: ReviewParts,
): Promise<ReviewNote> {
  await findReviewed(parts, session);
  const length = await recordedLength(parts, session, channel);
  if (at > length + LEEWAY_NANOS)
    throw new SallyportError('REQUEST_INVALID', `at: channel ${channel} of the session has ${length} ns, and not ${at}`);
  const { notes } = await readSessionReview(await parts.reading(), session, new Map());
  if (notes.length >= MOST_NOTES)
    throw new SallyportError('CONFLICT', `there are ${MOST_NOTES} notes on this session already`, {
      remedy: 'say the rest with a sign-off',
    });
  if (notes.filter(({ actor: by }) => by.principal === actor.principal).length >= MOST_NOTES_OF_ONE)
    throw new SallyportError('CONFLICT', `there are ${MOST_NOTES_OF_ONE} notes of ${actor.principal} on this session already`, {
      remedy: 'say the rest with a sign-off',
    });
  const target = await targetOf(parts.database, session);
  const note = uuidV7(parts.clock.wallMicros());
  const body = { note, channel, at: Math.min(at, length), text };
  const { record } = await parts.records.append({ type: 'review.noted', outcome: 'success', actor, target, session, body });
  return { ...body, by: actor.principal, time: record.time };
}
