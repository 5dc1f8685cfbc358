import { findSession } from '../query/find-session.ts';
import { bytesInWords } from './bytes-in-words.ts';
import { type DataOptions, withData } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { ProgressBar } from './progress-bar.ts';
import { withGateway } from './with-gateway.ts';

export interface ReindexOptions extends DataOptions {
  json?: boolean;
}

/** Recordings themselves are only read. */
export async function reindex(session: string | undefined, options: ReindexOptions): Promise<number> {
  const { id, total } = await withData(options, async (database) => ({
    id: session === undefined ? undefined : (await findSession(database, session)).id,
    total: session === undefined ? await database.sessions.count({}) : 1,
  }));
  const bar = new ProgressBar();
  const done = { sessions: 0, segments: 0, bytes: 0 };
  try {
    for (let cursor: string | undefined; ; ) {
      const { cursor: next, ...part } = await withGateway(options, 'index.rebuild', {
        ...(id === undefined ? {} : { session: id }),
        ...(cursor === undefined ? {} : { cursor }),
      });
      done.sessions += part.sessions;
      done.segments += part.segments;
      done.bytes += part.bytes;
      bar.show(done.sessions / Math.max(1, total), `${done.sessions} of ${total} sessions, ${bytesInWords(done.bytes)}`);
      if (next === undefined) break;
      cursor = next;
    }
  } finally {
    bar.clear();
  }
  if (options.json === true) await print(jsonLine(done));
  else {
    const sessions = `${done.sessions} ${done.sessions === 1 ? 'session' : 'sessions'}`;
    await print(
      `${sessions} indexed anew: ${done.segments} ${done.segments === 1 ? 'segment' : 'segments'}, ${bytesInWords(done.bytes)}\n`,
    );
  }
  return 0;
}
