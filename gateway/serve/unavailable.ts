import { SallyportError } from '../base/errors.ts';
import type { ApprovalOffice } from '../operator-api/approval-operations.ts';
import type { Locks } from '../operator-api/lock-operations.ts';
import type { Supervision } from '../operator-api/supervision-operations.ts';
import type { CredentialOperations } from './performers.ts';

/*
 * What a gateway answers that is built without a part: plainly, and as the table says.
 */

const missing = (what: string): Promise<never> =>
  Promise.reject(new SallyportError('NOT_FOUND', `this gateway has no ${what}`, { remedy: 'use a version that has it' }));

export const withoutSupervision: Supervision = {
  state: () => undefined,
  message: () => missing('supervision'),
  pause: () => missing('supervision'),
  resume: () => missing('supervision'),
  step: () => missing('supervision'),
  terminate: () => missing('supervision'),
};

export const withoutApprovals: ApprovalOffice & { readonly waiting: number } = {
  waiting: 0,
  list: async () => ({ approvals: [] }),
  show: () => missing('approvals'),
  decide: () => missing('approvals'),
};

export const withoutLocks: Locks = {
  isLocked: () => false,
  list: async () => ({ locks: [] }),
  set: () => missing('locks'),
  clear: () => missing('locks'),
};

export const withoutCredentials: CredentialOperations = {
  'credential.issue': () => missing('certificate authority'),
  'credential.revoke': () => missing('certificate authority'),
  'credential.authority': () => missing('certificate authority'),
};
