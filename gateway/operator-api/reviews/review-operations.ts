import type { Performers } from '../operations.ts';
import { Pace } from '../pace.ts';
import { Turnstile } from '../turnstile.ts';
import { writeNote } from './note.ts';
import type { ReviewParts } from './review-parts.ts';
import { showReview } from './show-review.ts';
import { signOff } from './sign-off.ts';
import { ViewReports } from './view-reports.ts';

/** Read at once: what they read is parsed on the event loop, which sessions are relayed on. */
const AT_ONCE = 2;
const NOTES = { burst: 30, perMinute: 20 };

/** How sessions are reviewed: notes, sign-offs, and what was shown to whom. */
export function reviewOperations(parts: ReviewParts): Pick<Performers, 'review.show' | 'review.note' | 'review.sign' | 'view.recorded'> {
  const reports = new ViewReports(parts);
  const reading = new Turnstile(AT_ONCE);
  // One after the other: of two that say the same, the second is told so.
  const signing = new Turnstile(1);
  const pace = new Pace(NOTES);
  return {
    'review.show': ({ session }, asking) => reading.pass(() => showReview(session, asking, parts), asking.actor.principal),
    'review.note': (input, asking) => {
      pace.take(asking.actor.principal, 'notes');
      return reading.pass(() => writeNote(input, asking, parts), asking.actor.principal);
    },
    'review.sign': (input, asking) => signing.pass(() => signOff(input, asking, parts), asking.actor.principal),
    'view.recorded': (input, asking) => reports.take(input, asking),
  };
}
