import { SallyportError } from '../base/errors.ts';
import type { Locks } from '../operator-api/lock-operations.ts';
import type { CredentialOperations } from './performers.ts';

/*
 * What a gateway answers that is built without a part: plainly, and as the table says.
 */

const missing = (what: string): Promise<never> =>
  Promise.reject(new SallyportError('NOT_FOUND', `this gateway has no ${what}`, { remedy: 'use a version that has it' }));

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
