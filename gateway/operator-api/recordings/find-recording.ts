import type { ChannelRow } from '../../../contract/session.ts';
import { SallyportError } from '../../base/errors.ts';
import { findChannelNumbered } from '../../query/find-channels.ts';
import { findSession } from '../../query/find-session.ts';
import type { Database } from '../../store/database.ts';
import { Refusal } from '../problem.ts';

const GONE = 410;

/** Throws SESSION_NOT_FOUND, with a status of its own for a session that is erased, or CHANNEL_NOT_FOUND. */
export async function findRecording(database: Database, session: string, channel: number): Promise<ChannelRow> {
  const row = await findSession(database, session);
  if (row.state === 'erased') throw erased(session);
  const found = await findChannelNumbered(database, row, channel);
  if (found !== undefined) return found;
  throw new SallyportError('CHANNEL_NOT_FOUND', `Session ${session} has no channel ${channel}`, {
    remedy: `GET /api/sessions/${session} lists its channels`,
  });
}

/** Why a segment is not to be had. */
export async function whyNoSegment(database: Database, session: string, channel: number, segment: number): Promise<SallyportError> {
  await findRecording(database, session, channel);
  return new SallyportError('NOT_FOUND', `the recording of channel ${channel} of session ${session} has no segment ${segment}`);
}

function erased(session: string): SallyportError {
  return new Refusal(
    GONE,
    new SallyportError('SESSION_NOT_FOUND', `Session ${session} is erased`, {
      remedy: 'sallyport show says when, why and by whom',
    }),
  );
}
