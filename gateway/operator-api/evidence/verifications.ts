import type { OperationInput, OperationOutput, Verification } from '../../../contract/operator-api.ts';
import { isoMicros } from '../../base/clock.ts';
import { asSallyportError } from '../../base/errors.ts';
import { formatVerifierKey } from '../../ledger/signed-note.ts';
import type { Asking } from '../operations.ts';
import { AtOnce } from './at-once.ts';
import type { EvidenceDeskParts } from './evidence-parts.ts';

/** One operator leaves room for another. */
const SESSIONS = { together: 3, each: 2 };

/**
 * Verifications of what is recorded, as a thread of their own reads it from the disk. One of everything at a time, which
 * whoever asks meanwhile is shown; what the last one found is kept as long as the gateway runs, and is no evidence.
 */
export class Verifications {
  readonly #parts: EvidenceDeskParts;
  readonly #sessions = new AtOnce(SESSIONS, 'verifications of sessions');
  #last: Verification | undefined;
  #running: Promise<void> | undefined;

  constructor(parts: EvidenceDeskParts) {
    this.#parts = parts;
  }

  /** The one that runs, or the last one that did. */
  get last(): Verification | undefined {
    return this.#last;
  }

  /** Resolves when none runs. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Begins one, unless one runs. Answers how far it is. */
  async begin({ actor }: Asking): Promise<Verification> {
    if (this.#running !== undefined && this.#last !== undefined) return this.#last;
    const verification: Verification = {
      began: this.#now(),
      by: actor.principal,
      ended: null,
      ok: null,
      done: 0,
      total: this.#parts.ledger.head.size,
      sessions: 0,
      size: 0,
      steps: [],
      faults: [],
      faultCount: 0,
    };
    this.#last = verification;
    this.#running = this.#run(verification).finally(() => {
      this.#running = undefined;
    });
    return { ...verification };
  }

  /** Everything that is recorded of it by now is under a checkpoint first. */
  session({ session }: OperationInput<'session.verify'>, { actor, signal }: Asking): Promise<OperationOutput<'session.verify'>> {
    const { run, dataDirectory: directory, ledger, records, verified } = this.#parts;
    return this.#sessions.run(actor.principal, async () => {
      await records.flush();
      await ledger.signed();
      const { endSeq, ...found } = await run('verify-session', { directory, session, key: formatVerifierKey(ledger.key) }, { signal });
      verified.set(session, found.ok, endSeq);
      return { ...found, steps: [...found.steps], faults: [...found.faults], verified: this.#now() };
    });
  }

  /** Never rejects. */
  async #run(verification: Verification): Promise<void> {
    const { run, dataDirectory: directory, ledger, verified, log, stopping } = this.#parts;
    try {
      const found = await run(
        'verify-all',
        { directory, key: formatVerifierKey(ledger.key) },
        { signal: stopping, progress: ({ done, total }) => Object.assign(verification, { done, total: Math.max(done, total) }) },
      );
      const { ok, records, segments, sessions, size, steps, faults, faultCount, failed } = found;
      verified.allUpTo(failed === undefined ? 0 : size, failed ?? []);
      if (!ok)
        log.error({ faults: faultCount, first: faults[0] ?? '' }, 'the verification of what is recorded found that it is not intact');
      const all = records + segments;
      Object.assign(verification, { ok, done: all, total: all, sessions, size, steps, faults, faultCount, ended: this.#now() });
    } catch (thrown) {
      const { code, message } = asSallyportError(thrown);
      if (!stopping.aborted) log.error({ code }, `what is recorded could not be verified: ${message}`);
      const faults = [`The verification could not be done: ${message}`];
      Object.assign(verification, { ok: false, faults, faultCount: 1, ended: this.#now() });
    }
  }

  #now(): string {
    return isoMicros(this.#parts.clock.wallMicros());
  }
}
