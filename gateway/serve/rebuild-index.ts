import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import type { Indexer } from '../indexing/indexer.ts';
import type { Asking } from '../operator-api/operations.ts';
import type { Database } from '../store/database.ts';

/** One request does not take much longer than this and one session: who asks goes on with its cursor. */
const REQUEST_MILLIS = 5000;
/** Behind every channel of a session. */
const LAST_CHANNEL = Number.MAX_SAFE_INTEGER;

type Outcome = OperationOutput<'index.rebuild'>;

/** Makes anew what recordings are replayed and searched by: of one session, or of all behind a cursor, oldest first. */
export async function rebuildIndex(
  { database, indexer }: { readonly database: Database; readonly indexer: Indexer },
  { session, cursor }: OperationInput<'index.rebuild'>,
  { signal }: Pick<Asking, 'signal'>,
): Promise<Outcome> {
  const outcome: Outcome = { sessions: 0, segments: 0, bytes: 0 };
  if (session !== undefined) {
    await rebuildSession({ database, indexer }, session, outcome, signal);
    if (outcome.sessions === 0)
      throw new SallyportError('SESSION_NOT_FOUND', `There is no session ${session} with a sealed segment, which is what is indexed`, {
        remedy: 'of one that runs the first is sealed within a minute; sallyport sessions lists them',
      });
    return outcome;
  }
  const begun = performance.now();
  for (let last = cursor; ; ) {
    const [next] = await database.segments.channels(last === undefined ? undefined : { session: last, channel: LAST_CHANNEL }, 1);
    if (next === undefined) return outcome;
    await rebuildSession({ database, indexer }, next.session, outcome, signal);
    last = next.session;
    if (performance.now() - begun > REQUEST_MILLIS) return { ...outcome, cursor: last };
  }
}

async function rebuildSession(
  { database, indexer }: { readonly database: Database; readonly indexer: Indexer },
  session: string,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<void> {
  const segments = await database.segments.ofSession(session);
  if (segments.length === 0) return;
  await indexer.rebuild(session, new Set(segments.map(({ channel }) => channel)), signal);
  outcome.sessions += 1;
  outcome.segments += segments.length;
  outcome.bytes += segments.reduce((sum, { bytes }) => sum + bytes, 0);
}
