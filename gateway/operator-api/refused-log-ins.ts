import type { Clock } from '../base/clock.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Records } from '../ledger/records.ts';
import { Refusal } from './problem.ts';

/** Locks a source out that failed too often (identity/attempt-limiter.ts). Milliseconds of a clock that never goes back. */
export interface Limiter {
  allows(source: string, nowMs: number): boolean;
  failed(source: string, nowMs: number): boolean;
  succeeded(source: string): void;
}

export interface RefusedLogInsParts {
  /** Of log-ins, and of tokens that nobody has: a program with an old token does not keep people from logging in. */
  readonly limiters: { readonly logIns: Limiter; readonly tokens: Limiter };
  readonly records: Pick<Records, 'append'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly gatewayName: string;
}

export interface RefusedLogIn {
  readonly method: string;
  /** Whom somebody said to be. */
  readonly user: string;
  readonly key?: string;
  /** For the record; never told to whoever tried. */
  readonly reason: string;
}

/** Records refusals, as far as a source may go on trying: so an attacker can neither guess on nor fill the ledger. */
export class RefusedLogIns {
  readonly #parts: RefusedLogInsParts;

  constructor(parts: RefusedLogInsParts) {
    this.#parts = parts;
  }

  /** Throws LOGIN_REFUSED when this source is locked out. */
  requireAllowed(source: string): void {
    if (!this.allows(source)) throw lockedOut();
  }

  allows(source: string): boolean {
    return this.#parts.limiters.logIns.allows(hostOf(source), this.#now());
  }

  /** A log-in failed. Resolves when that is recorded. */
  async logIn(source: string, refused: RefusedLogIn): Promise<void> {
    this.#count('logIns', source);
    await this.#record(source, refused);
  }

  succeeded(source: string): void {
    this.#parts.limiters.logIns.succeeded(hostOf(source));
  }

  /** A token was shown that is not good. Throws LOGIN_REFUSED when that was too often. */
  async token(source: string): Promise<void> {
    if (!this.#parts.limiters.tokens.allows(hostOf(source), this.#now())) throw lockedOut();
    this.#count('tokens', source);
    await this.#record(source, { method: 'operator-token', user: '', reason: 'no log-in or token in force is this one' });
  }

  #count(which: 'logIns' | 'tokens', source: string): void {
    if (this.#parts.limiters[which].failed(hostOf(source), this.#now()))
      this.#parts.log.warn({ source }, 'a source is locked out of the operator API, because it failed too often');
  }

  async #record(source: string, { method, user, key, reason }: RefusedLogIn): Promise<void> {
    const { records, gatewayName, log } = this.#parts;
    try {
      await records.append({
        type: 'auth.refused',
        outcome: 'denied',
        actor: { principal: 'unknown', kind: 'unknown', source },
        target: { name: gatewayName, kind: 'gateway' },
        body: { protocol: 'https', method, user, reason, ...(key === undefined ? {} : { key }) },
      });
    } catch (thrown) {
      // It is refused all the same.
      log.error({ source, reason }, `a refused log-in could not be recorded: ${asSallyportError(thrown).message}`);
    }
  }

  #now(): number {
    return this.#parts.clock.monotonicNanos() / 1e6;
  }
}

function lockedOut(): Refusal {
  return new Refusal(
    429,
    new SallyportError('LOGIN_REFUSED', 'there were too many attempts from this address', { remedy: 'wait for a minute and try again' }),
  );
}

function hostOf(source: string): string {
  return source.slice(0, source.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}
