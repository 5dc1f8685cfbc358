import type { OperationName } from '../../../contract/operator-api.ts';
import type { OperatorEvent } from '../../../contract/operator-events.ts';

/** Operations whose answers an event makes old. `everything`: nobody knows what was missed. */
export function changedBy({ event }: OperatorEvent): readonly OperationName[] | 'everything' {
  switch (event) {
    case 'session.opened':
    case 'session.closed':
      return ['session.list', 'session.show', 'session.records', 'gateway.status'];
    case 'session.supervised':
      return ['session.show', 'session.list', 'session.records'];
    case 'session.reviewed':
      return ['review.show', 'session.records', 'session.list'];
    case 'approval.asked':
    case 'approval.changed':
      return ['approval.list', 'approval.show', 'session.show', 'session.list', 'session.records', 'gateway.status'];
    case 'principal.locked':
      return ['lock.list', 'session.list'];
    case 'policy.changed':
    case 'config.changed':
      return ['gateway.status', 'whoami', 'operator.list', 'key.list', 'session.list'];
    case 'missed':
      return 'everything';
  }
}
