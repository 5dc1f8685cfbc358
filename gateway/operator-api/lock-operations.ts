import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { Actor } from '../../contract/record.ts';
import type { Performers } from './operations.ts';

/** Principals who are kept out until they are unlocked. */
export interface Locks {
  isLocked(principal: string): boolean;
  list(): Promise<OperationOutput<'lock.list'>>;
  set(input: OperationInput<'lock.set'>, by: Actor): Promise<OperationOutput<'lock.set'>>;
  clear(input: OperationInput<'lock.clear'>, by: Actor): Promise<void>;
}

/** `changed`: somebody who is locked has no log-in any more. */
export function lockOperations(locks: Locks, changed: () => void): Pick<Performers, 'lock.list' | 'lock.set' | 'lock.clear'> {
  return {
    'lock.list': () => locks.list(),
    'lock.set': async (input, { actor }) => {
      const done = await locks.set(input, actor);
      changed();
      return done;
    },
    'lock.clear': async (input, { actor }) => {
      await locks.clear(input, actor);
      return {};
    },
  };
}
