import type { OperationName } from '../../../contract/operator-api.ts';
import type { OperatorEvent } from '../../../contract/operator-events.ts';

type Changed = readonly OperationName[] | 'everything';

const session: Changed = ['session.list', 'session.show', 'session.records', 'gateway.status'];
const approval: Changed = ['approval.list', 'approval.show', 'session.list', 'session.show', 'session.records', 'gateway.status'];
const configuration: Changed = ['gateway.status', 'whoami', 'operator.list', 'key.list', 'session.list'];

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
