import type { Lock, LockStorage } from '../session/locks.ts';
import type { Connection } from './connection.ts';
import { member, type Projection } from './projection.ts';

export const locksProjection: Projection = {
  'principal.locked': `
    INSERT INTO locks (principal, seq, time, locked_by, reason)
    VALUES (${member('body.principal')}, new.seq, new.time, ${member('actor.principal')}, ${member('body.reason')})
    ON CONFLICT DO NOTHING;`,
  'principal.unlocked': `
    DELETE FROM locks WHERE principal = ${member('body.principal')};`,
};

/** The principals that are locked at the moment. For the gateway's database: those of older versions have no such table. */
export class LocksTable implements LockStorage {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The oldest first. */
  inForce(): Promise<Lock[]> {
    return this.#connection.all<Lock>('SELECT principal, reason, locked_by AS "by", time AS since FROM locks ORDER BY seq');
  }
}
