import type { AuditRecord } from '../../../contract/record.ts';
import { fault, notice, type Report } from './finding.ts';
import type { FollowedApproval } from './followed-approval.ts';

/** Of one action in one channel: how often it was asked for, let through by policy, and let through by a grant. */
interface Standing {
  asked: number;
  allowed: number;
  granted: number;
  finished: number;
}

interface SessionActions {
  actions: Map<string, Standing>;
  /** A grant for its connection was used. */
  connected: boolean;
}

/** Sessions and actions that are followed at one time. A gateway that serves more at once asks for fewer approvals. */
const MOST_FOLLOWED = 50_000;

/**
 * Whether what needed somebody's consent was done with a grant only: an action that finished, and a session that opened,
 * although policy said `ask`. Memory: what was asked for in the sessions that are open at a point of the ledger.
 */
export class AskedActions {
  readonly #report: Report;
  readonly #sessions = new Map<string, SessionActions>();
  #followed = 0;
  #passedOver = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** A grant is used in a session. `approved` is what was approved, where it is known. */
  granted({ session, body }: AuditRecord<'grant.used'>, approved: Pick<FollowedApproval, 'facts' | 'request'> | undefined): void {
    const actions = this.#of(session);
    if (actions === undefined) return;
    if (body.action === 'connect') {
      actions.connected = true;
      return;
    }
    const channel = body.channel ?? approved?.request.channel;
    this.#count(actions, keyOf(channel, body.action, approved?.facts ?? '*'), 'granted');
  }

  opened(index: number, { session, body }: AuditRecord<'session.open'>): void {
    const actions = session === undefined ? undefined : this.#sessions.get(session);
    if (body.decision.verdict !== 'ask' || actions?.connected === true) return;
    if (actions === undefined && this.#passedOver > 0) this.#passedOver += 1;
    else
      this.#report(
        fault(
          'inconsistent',
          { index, ...(session === undefined ? {} : { session }) },
          'The session was opened although policy asks for an approval of the connection, and no grant was used for it',
        ),
      );
  }

  decided({ session, body }: AuditRecord<'action.decided'>): void {
    const { verdict } = body.decision;
    // What is never asked for needs no following.
    const actions = verdict === 'ask' ? this.#of(session) : session === undefined ? undefined : this.#sessions.get(session);
    if (actions === undefined || verdict === 'deny') return;
    const key = keyOf(body.channel, body.action, body.digest);
    if (verdict === 'ask') this.#count(actions, key, 'asked');
    else if (actions.actions.has(key)) this.#count(actions, key, 'allowed');
  }

  finished(index: number, { session, outcome, body }: AuditRecord<'action.finished'>): void {
    // What was refused has an end as well, and did not happen.
    if (outcome !== 'success' && body.exit === undefined) return;
    const actions = session === undefined ? undefined : this.#sessions.get(session)?.actions;
    const standing = actions?.get(keyOf(body.channel, body.action, body.digest));
    if (actions === undefined || standing === undefined || standing.asked === 0) return;
    standing.finished += 1;
    const elsewhere = actions.get(keyOf(body.channel, body.action, '*'))?.granted ?? 0;
    if (standing.finished <= standing.allowed + standing.granted + elsewhere) return;
    this.#report(
      fault(
        'inconsistent',
        { index, ...(session === undefined ? {} : { session }), channel: body.channel },
        `The action ${body.action} was carried out although policy asks for an approval, and no grant was used for it`,
      ),
    );
  }

  /** The session is over: nothing is carried out in it any more. */
  forget(session: string | undefined): void {
    const actions = session === undefined ? undefined : this.#sessions.get(session);
    if (session === undefined || actions === undefined) return;
    this.#followed -= actions.actions.size + 1;
    this.#sessions.delete(session);
  }

  finish(): void {
    if (this.#passedOver === 0) return;
    const words = `${this.#passedOver} actions that need an approval were not compared with their grants: more were open at one time than are followed`;
    this.#report(notice('unproven', {}, words));
  }

  #of(session: string | undefined): SessionActions | undefined {
    if (session === undefined) return undefined;
    let actions = this.#sessions.get(session);
    if (actions === undefined) {
      this.#makeRoom();
      actions = { actions: new Map(), connected: false };
      this.#sessions.set(session, actions);
      this.#followed += 1;
    }
    return actions;
  }

  /** The oldest goes first: most of all those that were never opened, of whose end there is no record. */
  #makeRoom(): void {
    if (this.#followed < MOST_FOLLOWED) return;
    for (const session of this.#sessions.keys()) {
      this.forget(session);
      this.#passedOver += 1;
      return;
    }
  }

  #count({ actions }: SessionActions, key: string, what: keyof Standing): void {
    let standing = actions.get(key);
    if (standing === undefined) {
      if (this.#followed >= MOST_FOLLOWED) {
        this.#passedOver += 1;
        return;
      }
      standing = { asked: 0, allowed: 0, granted: 0, finished: 0 };
      actions.set(key, standing);
      this.#followed += 1;
    }
    standing[what] += 1;
  }
}

function keyOf(channel: number | undefined, action: string, facts: string): string {
  return `${channel ?? '-'} ${action} ${facts}`;
}
