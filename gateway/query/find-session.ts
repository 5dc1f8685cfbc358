import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { Database } from '../store/database.ts';
import type { StoredSession } from '../store/sessions-table.ts';

const NAMED_CANDIDATES = 5;

/** The session with this id, or the one whose id begins so. Throws SESSION_NOT_FOUND or SESSION_AMBIGUOUS. */
export async function findSession(database: Database, idOrPrefix: string): Promise<StoredSession> {
  const prefix = idOrPrefix.toLowerCase();
  const found = /^[0-9a-f][0-9a-f-]{0,35}$/.test(prefix) ? await database.sessions.byPrefix(prefix, NAMED_CANDIDATES + 1) : [];
  const [first] = found;
  if (first === undefined) {
    throw new SallyportError('SESSION_NOT_FOUND', `There is no session ${printable(idOrPrefix)} in ${database.directory}`, {
      remedy: 'sallyport sessions lists them',
    });
  }
  if (found.length > 1) {
    const candidates = found.slice(0, NAMED_CANDIDATES).map((session) => session.id);
    throw new SallyportError(
      'SESSION_AMBIGUOUS',
      `Several sessions begin with ${prefix}: ${candidates.join(', ')}${found.length > NAMED_CANDIDATES ? ', …' : ''}`,
      {
        remedy: 'give more of the id',
      },
    );
  }
  return first;
}
