import { SallyportError } from '../base/errors.ts';
import type { LiveSessions } from './live-sessions.ts';
import type { Session } from './session.ts';

/** Seconds that the ends of sessions may take to be recorded: reaching a target is not broken off, and a disk may be slow. */
const CLOSE_SECONDS = 30;

/**
 * Resolves when sessions that have been ended are over: both legs closed, and their end on record. Throws RECORDING_FAILED
 * when that takes too long; `what` then says what has been done all the same.
 */
export async function closedInTime(sessions: readonly Session[], live: LiveSessions, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), CLOSE_SECONDS * 1000);
  });
  const closed = Promise.all(sessions.map((session) => live.whenClosed(session)));
  const outcome = await Promise.race([closed, patience]);
  clearTimeout(timer);
  if (outcome !== 'late') return;
  throw new SallyportError('RECORDING_FAILED', `${what}, but not all of it is recorded after ${CLOSE_SECONDS} s`, {
    remedy: 'see that the disk of the gateway has space; the log of the gateway says more',
  });
}
