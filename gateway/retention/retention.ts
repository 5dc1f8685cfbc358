import { setTimeout as delay } from 'node:timers/promises';
import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { Actor, RecordDraft, Resource } from '../../contract/record.ts';
import type { Clock } from '../base/clock.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import { uuidV7 } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Principal } from '../identity/principal.ts';
import type { Records, StoredRecord } from '../ledger/records.ts';
import type { Database } from '../store/database.ts';
import type { ErasureRow } from '../store/erasures-table.ts';
import { filterOfScope } from '../store/session-filter.ts';
import { carryOut } from './carry-out.ts';
import { carryOutRequest } from './carry-out-request.ts';
import { expire } from './expire.ts';
import type { RetentionTerms } from './retention-terms.ts';
import { Turns } from './turns.ts';

/** What was made of recordings so that they can be replayed and searched: it goes with them. */
export interface MadeOfRecordings {
  /** Deletes the files that were made of this session, whose erasure is on record. No more are made. */
  forget(session: string): Promise<void>;
  /** Takes these sessions out of what holds many. Throws ERASE_INCOMPLETE where something of them is left; then it is to be done again. */
  settle(sessions: readonly string[]): Promise<void>;
}

export interface RetentionParts {
  readonly database: Database;
  readonly records: Pick<Records, 'appendTogether' | 'gateway'>;
  readonly made: MadeOfRecordings;
  readonly clock: Clock;
  readonly log: Log;
  readonly gatewayName: string;
  /** Of the ledger, which a request to erase has to name. */
  readonly origin: string;
  /** In force at the moment of the call; undefined where a command was told of a data directory alone. */
  readonly terms: () => RetentionTerms | undefined;
  readonly principals: () => ReadonlyMap<string, Principal> | undefined;
  /** Gives back the space that is kept for when there is no other. */
  readonly releaseReserve: () => void;
}

/** Who asks, and until when. */
export interface Asking {
  readonly actor: Actor;
  readonly signal: AbortSignal;
}

/** Erasures on their way at once: each may leave older versions of pages in the database's log until it is emptied. */
const UNSETTLED = 200;
const PAGE = 100;
const SETTLE_ATTEMPTS = 40;
const SETTLE_AGAIN_MILLIS = 100;

/**
 * Holds, expiry and erasure of one data directory. One run or request at a time; a hold need not wait for it, and counts
 * from its record on: the decision to erase a session and the record of that are one step, between two of which a hold
 * may come, never within. What an `erased` record says is carried out after that is durable; whatever the process
 * is interrupted in is found and finished by the next run.
 */
export class Retention {
  readonly parts: RetentionParts;
  readonly #operations = new Turns();
  readonly #decisions = new Turns();
  #unsettled: { seq: number; session: string | null }[] = [];

  constructor(parts: RetentionParts) {
    this.parts = parts;
  }

  setHold({ scope, reason }: OperationInput<'hold.set'>, { actor }: Asking): Promise<OperationOutput<'hold.set'>> {
    return this.#decisions.alone(async () => {
      const { database, clock } = this.parts;
      const hold = uuidV7(clock.wallMicros());
      await this.append({ type: 'hold.set', outcome: 'success', actor, target: this.gateway, body: { hold, scope, reason } });
      return { hold, sessions: await database.sessions.count(filterOfScope(scope)) };
    });
  }

  clearHold({ hold, reason }: OperationInput<'hold.clear'>, { actor }: Asking): Promise<OperationOutput<'hold.clear'>> {
    return this.#decisions.alone(async () => {
      const inForce = await this.parts.database.holds.inForce();
      if (!inForce.some(({ id }) => id === hold)) {
        throw new SallyportError('HOLD_NOT_FOUND', `There is no hold ${hold} in force`, { remedy: 'sallyport hold list shows them' });
      }
      await this.append({ type: 'hold.cleared', outcome: 'success', actor, target: this.gateway, body: { hold, reason } });
      return {};
    });
  }

  run(
    input: OperationInput<'retention.run'>,
    asking: Asking,
    trigger: 'daily' | 'command' = 'command',
  ): Promise<OperationOutput<'retention.run'>> {
    return this.#operations.alone(async () => {
      if (!input.dryRun) await this.#finish(asking.signal);
      const done = await expire(this, input.dryRun, asking);
      // What was cut off is on record as far as it came, and is no run of its own: the next one is due at once.
      if (input.dryRun || asking.signal.aborted) return done;
      await this.append({
        type: 'retention.run',
        outcome: 'success',
        actor: asking.actor,
        target: this.gateway,
        body: { trigger, expired: done.expired.length, held: done.held.length, records: done.records, bytes: done.bytes },
      });
      await this.#settlePatiently();
      return done;
    });
  }

  erase(input: OperationInput<'erase.run'>, asking: Asking): Promise<OperationOutput<'erase.run'>> {
    return this.#operations.alone(async () => {
      const done = await carryOutRequest(this, input, asking);
      if (!(await this.#settlePatiently())) throw stillInLog();
      return done;
    });
  }

  /** Carries out what is on record and not done, as after a crash. */
  finish(signal: AbortSignal): Promise<void> {
    return this.#operations.alone(() => this.#finish(signal));
  }

  /** Resolves when nothing is at work. */
  async idle(): Promise<void> {
    await this.#operations.idle();
    await this.#decisions.idle();
  }

  get gateway(): Resource {
    return { name: this.parts.gatewayName, kind: 'gateway' };
  }

  /** Records, with the reserve released when the disk has no other space for them. */
  async append(...drafts: readonly RecordDraft[]): Promise<StoredRecord[]> {
    const { records, log, releaseReserve } = this.parts;
    try {
      return await records.appendTogether(drafts);
    } catch (thrown) {
      if (!isForWantOfSpace(thrown)) throw thrown;
      const { message } = asSallyportError(thrown);
      log.warn({ type: drafts[0]?.type }, `the reserve is released, because a record could not be written: ${message}`);
      releaseReserve();
      return records.appendTogether(drafts);
    }
  }

  /**
   * Makes the promise durable, then keeps it. `decide` says what is to be erased, nothing where a hold stands on it; no hold
   * is set or cleared until that is recorded. Returns the bytes of the files that were deleted.
   */
  async carryOut(decide: () => Promise<readonly RecordDraft<'erased'>[]>): Promise<number> {
    const stored = await this.#decisions.alone(async () => {
      const drafts = await decide();
      return drafts.length === 0 ? [] : this.append(...drafts);
    });
    let bytes = 0;
    for (const { index, record } of stored) {
      bytes += await this.#carryOut({ seq: index + 1, session: record.session ?? null });
    }
    if (this.#unsettled.length >= UNSETTLED) await this.#settle();
    return bytes;
  }

  async #finish(signal: AbortSignal): Promise<void> {
    const { database, log } = this.parts;
    for (let after = 0; !signal.aborted; ) {
      const page = await database.erasures.unfinished(after, PAGE);
      for (const erasure of page) {
        after = erasure.seq;
        if (signal.aborted) return;
        try {
          await this.#carryOut(erasure);
        } catch (thrown) {
          const { code, message } = asSallyportError(thrown);
          log.error({ session: erasure.session, code }, `an erasure that is on record could not be finished: ${message}`);
        }
      }
      if (page.length < PAGE) break;
    }
    await this.#settlePatiently();
  }

  async #carryOut({ seq, session }: Pick<ErasureRow, 'seq' | 'session'>): Promise<number> {
    const { database, clock } = this.parts;
    try {
      const bytes = await carryOut(this.parts, { seq, session }, clock.wallMicros());
      this.#unsettled.push({ seq, session });
      return bytes;
    } catch (thrown) {
      // It is done again; what is erased of it already does not stay in the log of the database until then.
      await database.settleErasures();
      throw thrown;
    }
  }

  async #settlePatiently(): Promise<boolean> {
    if (this.#unsettled.length === 0) return true;
    if (!(await this.#settleMade())) {
      await this.parts.database.settleErasures();
      return false;
    }
    for (let attempt = 0; attempt < SETTLE_ATTEMPTS; attempt += 1) {
      if (await this.#settle()) return true;
      await delay(SETTLE_AGAIN_MILLIS);
    }
    this.parts.log.warn(
      { erasures: this.#unsettled.length },
      'erased bytes still stand in the log of the database, because somebody reads an older state of it; the next run tries again',
    );
    return false;
  }

  async #settle(): Promise<boolean> {
    const { database } = this.parts;
    const settled = this.#unsettled;
    const madeIsGone = await this.#settleMade();
    // Neither waits for the other: what was made of recordings is never a reason to keep evidence.
    if (!(await database.settleErasures()) || !madeIsGone) return false;
    await database.erasures.finish(settled.map(({ seq }) => seq));
    this.#unsettled = [];
    return true;
  }

  /** Once for each session. */
  async #settleMade(): Promise<boolean> {
    const { made, log } = this.parts;
    const sessions = this.#unsettled.flatMap(({ session }) => (session === null ? [] : [session]));
    if (sessions.length === 0) return true;
    try {
      await made.settle(sessions);
    } catch (thrown) {
      const { code, message } = asSallyportError(thrown);
      log.error(
        { code, sessions: sessions.length },
        `the screen text of erased sessions is not gone yet, the next run tries again: ${message}`,
      );
      return false;
    }
    this.#unsettled = this.#unsettled.map(({ seq }) => ({ seq, session: null }));
    return true;
  }
}

/** Only a disk that is full is a reason to touch the reserve: giving it back ends the sessions that run. */
function isForWantOfSpace(thrown: unknown): boolean {
  const cause = thrown instanceof SallyportError && thrown.code === 'LEDGER_FAILED' ? thrown.cause : undefined;
  return cause instanceof Error && 'code' in cause && (cause.code === 'SQLITE_FULL' || cause.code === 'SQLITE_IOERR');
}

function stillInLog(): SallyportError {
  return new SallyportError(
    'ERASE_INCOMPLETE',
    'Everything is erased, but older versions of it still stand in the log of the database, because a program has been reading it all the while',
    { remedy: 'end that program; the next run of the retention, or start of the gateway, takes them out' },
  );
}
