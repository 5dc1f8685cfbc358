import type { SessionRow } from '../../../contract/session.ts';
import type { Clock } from '../../base/clock.ts';
import { SallyportError } from '../../base/errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Records } from '../../ledger/records.ts';
import { findSession } from '../../query/find-session.ts';
import { conflictWithSession } from '../../query/review/signed-review.ts';
import type { LoggedIn } from '../authorise.ts';
import type { LogIns } from '../log-ins.ts';
import { Refusal } from '../problem.ts';
import type { RecordingParts } from '../recordings/recording-parts.ts';

export interface ReviewParts extends Pick<RecordingParts, 'reading' | 'running' | 'database' | 'grants'> {
  readonly records: Pick<Records, 'append'>;
  readonly ledger: Pick<Ledger, 'signed' | 'key'>;
  readonly clock: Clock;
  readonly logIns: Pick<LogIns, 'stillGood'>;
}

const GONE = 410;

/** Throws SESSION_NOT_FOUND, with a status of its own for a session that is erased: nothing is left of it to review. */
export async function findReviewed({ reading }: ReviewParts, id: string): Promise<SessionRow> {
  const session = await findSession(await reading(), id);
  if (session.state !== 'erased') return session;
  throw new Refusal(
    GONE,
    new SallyportError('SESSION_NOT_FOUND', `Session ${id} is erased, and nothing is left of it to review`, {
      remedy: 'sallyport show says when, why and by whom',
    }),
  );
}

/** Why somebody may not sign a session off, in words; undefined when they may. */
export function whyNotYours(session: SessionRow, operator: LoggedIn | undefined): string | undefined {
  if (operator === undefined) return 'a person has to log in for it';
  if (!operator.roles.some((role) => role === 'reviewer' || role === 'auditor')) return 'it takes the role reviewer or auditor';
  const conflict = conflictWithSession(operator.name, session);
  if (conflict !== undefined) return `${conflict}, and nobody reviews their own`;
  if (session.state === 'live') return 'it still runs';
  if (operator.keys.length === 0) return `no key of ${operator.name} is known here`;
  return undefined;
}
