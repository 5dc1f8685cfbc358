import type { Locks } from '../session/locks.ts';
import type { Performers } from './operations.ts';

/** `logInsChanged`: whoever is locked has no log-in any more, whether or not all of their sessions are over. */
export function lockOperations(locks: Locks, logInsChanged: () => void): Pick<Performers, 'lock.list' | 'lock.set' | 'lock.clear'> {
  return {
    'lock.list': async () => ({ locks: locks.list().map((lock) => ({ ...lock })) }),
    'lock.set': async (input, { actor }) => {
      const done = locks.set(input, actor);
      logInsChanged();
      return done;
    },
    'lock.clear': async (input, { actor }) => {
      await locks.clear(input, actor);
      return {};
    },
  };
}
