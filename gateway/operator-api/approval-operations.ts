import type { Approval, OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { Actor } from '../../contract/record.ts';
import { type LoggedIn, loginRequired } from './authorise.ts';
import type { Performers } from './operations.ts';

/** Requests for approval, and the words of reviewers on them. Throws APPROVAL_NOT_FOUND, APPROVAL_OVER and APPROVAL_NOT_YOURS. */
export interface ApprovalOffice {
  /** `reader` is who asks, for `yours`; undefined on the control socket, where nobody decides. */
  list(input: OperationInput<'approval.list'>, reader: LoggedIn | undefined): Promise<OperationOutput<'approval.list'>>;
  show(input: OperationInput<'approval.show'>, reader: LoggedIn | undefined): Promise<Approval>;
  decide(input: OperationInput<'approval.decide'>, reviewer: LoggedIn, by: Actor): Promise<Approval>;
}

export function approvalOperations(office: ApprovalOffice): Pick<Performers, 'approval.list' | 'approval.show' | 'approval.decide'> {
  return {
    'approval.list': (input, { operator }) => office.list(input, operator),
    'approval.show': (input, { operator }) => office.show(input, operator),
    'approval.decide': async (input, { operator, actor }) => {
      if (operator === undefined) throw loginRequired();
      return office.decide(input, operator, actor);
    },
  };
}
