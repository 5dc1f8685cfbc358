import { SallyportError } from '../base/errors.ts';
import type { Session } from './session.ts';

export interface SessionLimits {
  sessions: number;
  sessionsPerPrincipal: number;
}

/** Who is connected right now. Admission, and the end of one session or of all of them. */
export class LiveSessions {
  readonly #sessions = new Map<string, Session>();
  readonly #perPrincipal = new Map<string, number>();
  readonly #limits: () => SessionLimits;
  /** Over, but their recordings are not sealed yet. */
  readonly #closing = new Set<Session>();
  readonly #whenClosed = new Map<Session, Array<() => void>>();
  #draining = false;
  #whenEmpty: Array<() => void> = [];

  constructor(limits: () => SessionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Whether nobody is admitted any more. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Throws when the session may not begin; after it, `leave` has to follow. */
  enter(session: Session): void {
    const { sessions, sessionsPerPrincipal } = this.#limits();
    const { principal } = session.actor;
    if (this.#draining) {
      throw new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down', { remedy: 'try again in a moment' });
    }
    if (this.#sessions.size >= sessions) {
      throw new SallyportError('TOO_MANY_SESSIONS', `the gateway already has ${sessions} sessions`, {
        remedy: 'try again when one has ended, or raise limits.sessions',
      });
    }
    const own = this.#perPrincipal.get(principal) ?? 0;
    if (own >= sessionsPerPrincipal) {
      throw new SallyportError('TOO_MANY_SESSIONS', `${principal} already has ${own} sessions`, {
        remedy: 'end one of them, or raise limits.sessions-per-principal',
      });
    }
    this.#sessions.set(session.id, session);
    this.#perPrincipal.set(principal, own + 1);
  }

  /** The session is over and makes room; `closed` follows when its end is recorded. */
  leave(session: Session): void {
    if (!this.#sessions.delete(session.id)) return;
    this.#closing.add(session);
    const { principal } = session.actor;
    const own = (this.#perPrincipal.get(principal) ?? 1) - 1;
    if (own === 0) this.#perPrincipal.delete(principal);
    else this.#perPrincipal.set(principal, own);
  }

  closed(session: Session): void {
    this.#closing.delete(session);
    for (const resolve of this.#whenClosed.get(session) ?? []) resolve();
    this.#whenClosed.delete(session);
    if (this.#sessions.size + this.#closing.size > 0) return;
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resolve of waiting) resolve();
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** The sessions of a principal, and of agents that act for it. */
  of(principal: string): readonly Session[] {
    return [...this.#sessions.values()].filter(({ actor }) => actor.principal === principal || actor.onBehalfOf === principal);
  }

  /** Resolves when a session is over: both legs closed, its recordings sealed, its end recorded; at once for one that is not here. */
  whenClosed(session: Session): Promise<void> {
    if (!this.#sessions.has(session.id) && !this.#closing.has(session)) return Promise.resolve();
    return new Promise((resolve) => this.#whenClosed.set(session, [...(this.#whenClosed.get(session) ?? []), resolve]));
  }

  /** Ends every session for the same reason, oldest first. Their recordings are sealed by the sessions themselves. */
  endAll(reason: SallyportError): void {
    for (const session of [...this.#sessions.values()]) session.end(reason);
  }

  /** Admits nobody from now on and resolves when the last session has ended and is recorded as ended. */
  drain(): Promise<void> {
    this.#draining = true;
    if (this.#sessions.size + this.#closing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }
}
