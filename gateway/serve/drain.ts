import { setTimeout as delay } from 'node:timers/promises';
import { SallyportError } from '../base/errors.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { LiveSessions } from '../session/live-sessions.ts';

/** Seconds that running sessions are given at a shutdown before they are ended. */
const DRAIN_SECONDS = 5;
/** Seconds that their ends may take to be recorded after that. */
const CLOSE_SECONDS = 10;

/** Fail closed: what can't be recorded any more ends. */
export function endSessionsOnTrouble(recorder: Recorder, live: LiveSessions): void {
  recorder.onFailure((session, _channel, error) => live.find(session)?.end(error));
  recorder.onSpace((space) => {
    if (space === 'critical')
      live.endAll(new SallyportError('DISK_LOW', 'the disk of the gateway is almost full', { remedy: 'free space in its data directory' }));
  });
}

/** Takes no more sessions, and gives those there are a moment to end before they are ended. */
export async function drain(live: LiveSessions): Promise<void> {
  const empty = live.drain();
  const endOthers = setTimeout(
    () => live.endAll(new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down', { remedy: 'connect again in a moment' })),
    DRAIN_SECONDS * 1000,
  );
  // A full disk must not keep the gateway from stopping: recovery closes at the next start what is not closed by then.
  const patience = new AbortController();
  await Promise.race([empty, delay((DRAIN_SECONDS + CLOSE_SECONDS) * 1000, undefined, { signal: patience.signal }).catch(() => undefined)]);
  patience.abort();
  clearTimeout(endOthers);
}
