import type { ApprovalRequest } from '../../contract/approval.ts';

/** Grants that are kept. Beyond this the oldest is forgotten: what it was for is asked again. */
const MAX_GRANTS = 10_000;

interface Grant {
  readonly approval: string;
  readonly askedIn: string;
  readonly session: string | undefined;
  /** Wall clock in microseconds. */
  readonly until: number;
}

/**
 * Approvals that are good for more than one use. What one is good for is exactly what was asked: its digest binds
 * principal, target, action, arguments and policy. They end with the gateway.
 */
export class Grants {
  readonly #grants = new Map<string, Grant>();

  /** Keeps what an approval gives beyond its first use. `now` is the wall clock in microseconds. */
  add({ id, digest, session, grants }: ApprovalRequest, now: number): void {
    if (grants === 'once') return;
    const grant: Grant =
      grants === 'session'
        ? { approval: id, askedIn: session, session, until: Number.POSITIVE_INFINITY }
        : { approval: id, askedIn: session, session: undefined, until: now + grants * 1e6 };
    const key = keyOf(digest, grant.session);
    this.#grants.delete(key);
    this.#grants.set(key, grant);
    const [oldest] = this.#grants.keys();
    if (this.#grants.size > MAX_GRANTS && oldest !== undefined) this.#grants.delete(oldest);
  }

  /** The approval that already covers this, if one does. */
  find(digest: string, session: string, now: number): Pick<Grant, 'approval' | 'askedIn'> | undefined {
    for (const key of [keyOf(digest, session), keyOf(digest, undefined)]) {
      const grant = this.#grants.get(key);
      if (grant === undefined) continue;
      if (grant.until > now) return grant;
      this.#grants.delete(key);
    }
    return undefined;
  }

  sessionOver(session: string): void {
    for (const [key, grant] of this.#grants) if (grant.session === session) this.#grants.delete(key);
  }
}

function keyOf(digest: string, session: string | undefined): string {
  return session === undefined ? digest : `${digest} ${session}`;
}
