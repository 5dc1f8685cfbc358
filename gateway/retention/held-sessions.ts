import type { AuditRecord, SessionScope } from '../../contract/record.ts';
import type { Database } from '../store/database.ts';
import type { HoldRow } from '../store/holds-table.ts';
import { filterOfScope } from '../store/session-filter.ts';

/** Which of these sessions are held, each with the first hold that stands on it. */
export async function heldSessions(
  database: Database,
  sessions: readonly string[],
  holds: readonly HoldRow[],
): Promise<Map<string, HoldRow>> {
  const held = new Map<string, HoldRow>();
  for (const hold of holds) {
    const among = sessions.filter((session) => !held.has(session));
    if (among.length === 0) break;
    const found = await database.sessions.find({ ...filterOfScope(hold.scope), among, limit: among.length });
    for (const { id } of found) held.set(id, hold);
  }
  return held;
}

/** The hold that stands on a record without a session. A scope that says something of sessions alone is not about those. */
export function holdOnRefusal(record: AuditRecord, holds: readonly HoldRow[]): HoldRow | undefined {
  return holds.find(({ scope }) => isInScope(scope, record));
}

function isInScope(scope: SessionScope, record: AuditRecord): boolean {
  if (scope.session !== undefined || scope.state !== undefined) return false;
  const { actor, target, body, time } = record;
  // A reviewer's word is about somebody else, whom this record does not name: it stays as long as anybody's might.
  const aboutOthers = record.type === 'approval.decided' || record.type === 'review.signed';
  const people: readonly (string | undefined)[] = record.type === 'auth.refused' ? [actor.principal, record.body.user] : [actor.principal];
  const targets = record.type === 'session.refused' ? [target.name, record.body.requested] : [target.name];
  const protocol = 'protocol' in body ? body.protocol : undefined;
  const text = scope.text?.toLowerCase();
  return (
    (scope.principal === undefined || aboutOthers || people.includes(scope.principal)) &&
    (scope.onBehalfOf === undefined || aboutOthers || actor.onBehalfOf === scope.onBehalfOf) &&
    (scope.target === undefined || targets.includes(scope.target)) &&
    (scope.protocol === undefined || protocol === scope.protocol) &&
    (scope.from === undefined || time >= scope.from) &&
    (scope.to === undefined || time < scope.to) &&
    (text === undefined ||
      aboutOthers ||
      [...people, actor.onBehalfOf, ...targets].some((name) => name?.toLowerCase().includes(text) === true))
  );
}
