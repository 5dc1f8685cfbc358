import type { OperationName } from '../../../contract/operator-api.ts';
import type { OperatorEvent } from '../../../contract/operator-events.ts';

type Changed = readonly OperationName[] | 'everything';

const session: Changed = ['session.list', 'session.show', 'session.records', 'gateway.status'];
const approval: Changed = ['approval.list', 'approval.show', 'session.list', 'session.show', 'session.records', 'gateway.status'];
/** Roles, tags, reviewers and keys: hardly an answer has nothing of it, and it changes rarely. */
const configuration: Changed = 'everything';

const changes: Readonly<Record<OperatorEvent['event'], Changed>> = {
  'session.opened': session,
  'session.closed': session,
  'session.supervised': ['session.list', 'session.show', 'session.records'],
  'session.reviewed': ['review.show', 'session.records', 'session.list'],
  'approval.asked': approval,
  'approval.changed': approval,
  'principal.locked': ['lock.list', 'session.list'],
  'policy.changed': configuration,
  'config.changed': configuration,
  missed: 'everything',
};

/** Operations whose answers an event makes old. `everything`: nobody knows what was missed. */
export function changedBy({ event }: OperatorEvent): Changed {
  return changes[event];
}
