import type { Actor, RecordDraft } from '../../contract/record.ts';
import { type Clock, isoMicros } from '../base/clock.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Records } from '../ledger/records.ts';
import { closedInTime } from './closed-in-time.ts';
import type { LiveSessions } from './live-sessions.ts';

/** A principal who is kept out, with whoever acts for it. `by` is the operator, `since` ISO 8601. */
export interface Lock {
  readonly principal: string;
  readonly reason: string;
  readonly by: string;
  readonly since: string;
}

/** Where locks outlast the gateway: the projection of their records. */
export interface LockStorage {
  inForce(): Promise<readonly Lock[]>;
}

export interface LockParts {
  readonly records: Pick<Records, 'append'>;
  readonly live: LiveSessions;
  readonly clock: Clock;
  readonly log: Log;
  /** How the gateway names itself in records. */
  readonly gatewayName: string;
  /** Told of every change once it is recorded. */
  readonly changed?: (change: { principal: string; locked: boolean; by: string; time: string }) => void;
}

interface Held {
  lock: Lock;
  state: 'being recorded' | 'recorded' | 'not recorded' | 'being lifted';
}

/** Who is locked. In memory, for it is asked at every log-in and every session; the records are the truth. */
export class Locks {
  readonly #parts: LockParts;
  readonly #held = new Map<string, Held>();

  constructor(parts: LockParts, inForce: readonly Lock[] = []) {
    this.#parts = parts;
    for (const lock of inForce) this.#held.set(lock.principal, { lock, state: 'recorded' });
  }

  static async load(storage: LockStorage, parts: LockParts): Promise<Locks> {
    return new Locks(parts, await storage.inForce());
  }

  /** The oldest first. */
  list(): readonly Lock[] {
    return [...this.#held.values()].map(({ lock }) => lock).toSorted((a, b) => (a.since < b.since ? -1 : 1));
  }

  isLocked(principal: string, onBehalfOf?: string): boolean {
    return this.lockOn(principal, onBehalfOf) !== undefined;
  }

  /** The lock that keeps somebody out: their own, or that of the human for whom they act. */
  lockOn(principal: string, onBehalfOf?: string): Lock | undefined {
    const held = this.#held.get(principal) ?? (onBehalfOf === undefined ? undefined : this.#held.get(onBehalfOf));
    return held?.lock;
  }

  /**
   * In force from the call on, so that nobody slips in; then the record is durable; then the sessions end. Resolves when
   * they are closed, with how many they were. Throws CONFLICT, and LEDGER_FAILED when the lock is in force, its sessions are
   * over, and only the record is missing.
   */
  async set({ principal, reason }: { readonly principal: string; readonly reason: string }, by: Actor): Promise<{ sessions: number }> {
    const before = this.#held.get(principal);
    if (before !== undefined && before.state !== 'not recorded') {
      throw new SallyportError('CONFLICT', `${principal} is locked already, by ${before.lock.by}: ${before.lock.reason}`, {
        remedy: 'unlock first to lock for another reason',
      });
    }
    const { clock, live, log } = this.#parts;
    const held: Held = {
      lock: { principal, reason, by: by.principal, since: isoMicros(clock.wallMicros()) },
      state: 'being recorded',
    };
    this.#held.set(principal, held);
    const sessions = live.of(principal);
    let failure: SallyportError | undefined;
    try {
      const since = await this.#record('principal.locked', { principal, reason, sessions: sessions.length }, by);
      held.lock = { ...held.lock, since };
      held.state = 'recorded';
    } catch (thrown) {
      failure = asSallyportError(thrown, 'LEDGER_FAILED');
      held.state = 'not recorded';
      log.error({ principal, code: failure.code }, `a principal is locked, and that could not be recorded: ${failure.message}`);
    }
    for (const session of sessions) session.end(lockedOut(held.lock));
    await closedInTime(sessions, live, `${principal} is locked and its sessions are ended`);
    if (failure !== undefined) {
      throw new SallyportError(
        'LEDGER_FAILED',
        `${principal} is locked and its sessions are ended, but that could not be recorded, and would be forgotten when the gateway stops: ${failure.message}`,
        { cause: failure, remedy: 'see that the disk of the gateway has space, then lock again' },
      );
    }
    log.info({ principal, sessions: sessions.length }, 'a principal is locked');
    return { sessions: sessions.length };
  }

  /** Lifted once that is recorded: until then, and when it can't be, the lock stays. Throws CONFLICT and LEDGER_FAILED. */
  async clear({ principal, reason }: { readonly principal: string; readonly reason: string }, by: Actor): Promise<void> {
    const held = this.#held.get(principal);
    if (held === undefined) throw new SallyportError('CONFLICT', `${principal} is not locked`, { remedy: 'look who is' });
    const { state } = held;
    if (state === 'being recorded' || state === 'being lifted') {
      throw new SallyportError(
        'CONFLICT',
        `${principal} is ${state === 'being lifted' ? 'being unlocked' : 'being locked'} at this moment`,
        {
          remedy: 'look again in a moment',
        },
      );
    }
    held.state = 'being lifted';
    try {
      await this.#record('principal.unlocked', { principal, reason }, by);
    } catch (thrown) {
      held.state = state;
      throw thrown;
    }
    this.#held.delete(principal);
    this.#parts.log.info({ principal }, 'a principal is unlocked');
  }

  async #record(
    type: 'principal.locked' | 'principal.unlocked',
    body: { principal: string; reason: string; sessions?: number },
    actor: Actor,
  ): Promise<string> {
    const { records, gatewayName, changed } = this.#parts;
    const draft = { type, outcome: 'success', actor, target: { name: gatewayName, kind: 'gateway' }, body } as RecordDraft;
    const { time } = (await records.append(draft)).record;
    changed?.({ principal: body.principal, locked: type === 'principal.locked', by: actor.principal, time });
    return time;
  }
}

/** What whoever is locked out is told, and what their sessions end with. */
export function lockedOut({ principal, by, reason }: Lock): SallyportError {
  return new SallyportError('PRINCIPAL_LOCKED', `${principal} was locked by ${by}: ${reason}`, {
    remedy: 'ask them to unlock it',
  });
}
