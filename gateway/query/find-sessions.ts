import type { SessionRow } from '../../contract/session.ts';
import type { Database } from '../store/database.ts';
import type { SessionFilter } from '../store/session-filter.ts';

/** What is asked of the list of sessions. `before` is the cursor: the `seq` of the last session already seen. */
export type SessionQuestion = SessionFilter;

const PAGE = 500;

/** Sessions newest first, in pages, at most `limit`. A session that opens meanwhile is not among them. */
export async function* findSessions(database: Database, question: SessionQuestion, limit: number): AsyncGenerator<SessionRow> {
  let before = question.before;
  let left = limit;
  while (left > 0) {
    const size = Math.min(PAGE, left);
    const page = await database.sessions.find({ ...question, ...(before === undefined ? {} : { before }), limit: size });
    for (const { seq, ...row } of page) {
      before = seq;
      yield row;
    }
    if (page.length < size) return;
    left -= page.length;
  }
}
