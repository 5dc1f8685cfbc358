import { LONGEST_GRANT_SECONDS, LONGEST_WAIT_SECONDS } from '../../../contract/approval.ts';
import type { AuditRecord } from '../../../contract/record.ts';
import { AskedActions } from './asked-actions.ts';
import type { DisclosedDecision } from './disclosed-decision.ts';
import { fault, notice, type Place, type Report } from './finding.ts';
import { become, decisionFaults, type FollowedApproval, followed, isUndecided, usedAgain, useFaults } from './followed-approval.ts';
import type { ReviewerKeys } from './reviewer-keys.ts';
import { boundDigest, type ReadDecision, readDecision, type SignedRecord } from './signed-decision.ts';

/** What is left of one that nothing more is expected of, for whoever comes too late or a second time. */
interface EndedApproval {
  state: FollowedApproval['state'];
  /** Of the record that ended it. */
  index: number;
  /** It is good for one use, which was made. */
  usedUp: boolean;
  digest: string;
}

/** A hundred bytes or two of each. */
const MOST_ENDED = 100_000;
/** As many as a gateway keeps grants for. Of what is approved a kilobyte is kept, and of what waits, which is less, all of it. */
const MOST_OPEN = 12_000;
/** From the question to the last use of its grant, and a moment for writing them down. */
const LONGEST_COVERED_MILLIS = (LONGEST_WAIT_SECONDS + LONGEST_GRANT_SECONDS + 60) * 1000;

/**
 * Every request for approval through the ledger: what was asked, who signed what about it and with which key, and which
 * grants were used. Holds the requests that something can still happen to, and few of those before.
 */
export class ApprovalChecks {
  readonly #report: Report;
  /** The ledger's, which is part of what reviewers sign. */
  #origin: string | undefined;
  readonly #part: boolean;
  readonly #open = new Map<string, FollowedApproval>();
  readonly #ended = new Map<string, EndedApproval>();
  readonly #ofSession = new Map<string, Set<string>>();
  /** Of each session with requests that are erased: the time of the last of those. */
  readonly #erasedIn = new Map<string, string>();
  readonly #keys: ReviewerKeys;
  readonly #actions: AskedActions;
  #forgotten = 0;
  #unchecked = 0;
  asked = 0;
  decided = 0;
  decisions: DisclosedDecision[] = [];

  constructor(report: Report, { origin, part, keys }: { origin: string | undefined; part: boolean; keys: ReviewerKeys }) {
    this.#report = report;
    this.#origin = origin;
    this.#part = part;
    this.#keys = keys;
    this.#actions = new AskedActions(report);
  }

  take(index: number, record: AuditRecord): void {
    switch (record.type) {
      case 'ledger.created':
        this.#origin ??= record.body.origin;
        break;
      case 'approval.asked':
        this.#ask(index, record);
        break;
      case 'approval.decided':
      case 'review.signed':
        this.#decide(index, record);
        break;
      case 'approval.expired':
      case 'approval.withdrawn':
        this.#end(index, record);
        break;
      case 'grant.used':
        this.#use(index, record);
        break;
      case 'session.open':
        this.#actions.opened(index, record);
        break;
      case 'action.decided':
        this.#actions.decided(record);
        break;
      case 'action.finished':
        this.#actions.finished(index, record);
        break;
      case 'session.close':
      case 'session.recovered':
        this.#closeSession(record.session);
        break;
      default:
        break;
    }
  }

  /** The request that stood at this place is erased with its session; what refers to it cannot be compared any more. */
  erasedRequest(session: string, time: string): void {
    if (this.#erasedIn.size < MOST_ENDED || this.#erasedIn.has(session)) this.#erasedIn.set(session, time);
  }

  finish(): void {
    for (const approval of this.#open.values()) {
      const { request, index, state, reviewers } = approval;
      if (state !== 'review') continue;
      const words = `${request.principal} used emergency access (${request.action} at ${request.target.name}), and ${reviewers.size === 0 ? 'nobody has' : `${reviewers.size} of ${request.needed} have`} reviewed it so far`;
      this.#report(notice('unreviewed', whereOf(index, request.session), words));
    }
    this.#actions.finish();
    if (this.#unchecked > 0)
      this.#report(
        notice(
          'unproven',
          {},
          `${this.#unchecked} signatures of reviewers were not checked: nothing here says what the ledger is called, which is part of what they signed`,
        ),
      );
  }

  #ask(index: number, record: AuditRecord<'approval.asked'>): void {
    const { request } = record.body;
    const where = whereOf(index, record.session);
    this.asked += 1;
    if (this.#open.has(request.id) || this.#ended.has(request.id)) {
      this.#report(fault('inconsistent', where, `The approval ${request.id} is asked for a second time`));
      return;
    }
    if (boundDigest(request) !== request.digest)
      this.#report(fault('inconsistent', where, 'The digest of the request is not that of what it asks for'));
    if (record.actor.principal !== request.principal || record.actor.onBehalfOf !== request.onBehalfOf)
      this.#report(fault('inconsistent', where, `The request is recorded as of ${record.actor.principal}, and says ${request.principal}`));
    if (record.session !== request.session)
      this.#report(fault('inconsistent', where, 'The request names another session than the one that it is recorded in'));
    if (this.#open.size >= MOST_OPEN) this.#forget(this.#open);
    this.#open.set(request.id, followed(index, record));
    const own = this.#ofSession.get(request.session) ?? new Set<string>();
    this.#ofSession.set(request.session, own.add(request.id));
  }

  #decide(index: number, record: SignedRecord): void {
    const { body, session, actor, time } = record;
    const where = whereOf(index, session);
    const approval = this.#open.get(body.approval);
    this.decided += 1;
    if (approval === undefined || !isUndecided(approval)) {
      const over = approval === undefined ? this.#ended.get(body.approval) : { state: approval.state, index: approval.stateIndex };
      if (over === undefined) this.#stray(where, 'A decision', body.approval, session);
      else
        this.#report(
          fault(
            'inconsistent',
            where,
            `The decision of ${actor.principal} came after the end: the request was ${over.state} by record ${over.index}`,
          ),
        );
      return;
    }
    let read: ReadDecision | undefined;
    if (this.#origin === undefined) this.#unchecked += 1;
    else {
      read = readDecision(this.#origin, approval.request, record);
      if (read.wrong === undefined) this.#keys.take(actor.principal, read, time, where);
      else
        this.#report(
          fault('forged', where, `The decision (${body.verdict}) is recorded as of ${actor.principal}, and the signature ${read.wrong}`),
        );
    }
    for (const words of decisionFaults(approval, index, record, read)) this.#report(fault('inconsistent', where, words));
    if (this.#part && read?.text !== undefined) {
      const { text, key, wrong } = read;
      const { approval: id, signature } = body;
      this.decisions.push({
        index,
        about: 'approval',
        id,
        number: approval.decisions,
        text,
        signature,
        reviewer: actor.principal,
        key,
        good: wrong === undefined,
      });
    }
    if (approval.state === 'denied' || approval.state === 'reviewed') this.#retire(approval);
  }

  #end(index: number, { type, body, session }: AuditRecord<'approval.expired'> | AuditRecord<'approval.withdrawn'>): void {
    const where = whereOf(index, session);
    const approval = this.#open.get(body.approval);
    const ended = this.#ended.get(body.approval);
    if (approval === undefined && ended === undefined) {
      this.#stray(where, `A record ${type}`, body.approval, session);
      return;
    }
    if (body.digest !== (approval?.request.digest ?? ended?.digest))
      this.#report(fault('inconsistent', where, 'It names another digest than the request had'));
    if (approval !== undefined) {
      become(approval, type === 'approval.expired' ? 'expired' : 'withdrawn', index);
      this.#retire(approval);
    } else if (ended !== undefined && ended.state !== 'approved')
      this.#report(fault('inconsistent', where, `The request was ${ended.state} already, by record ${ended.index}`));
  }

  #use(index: number, record: AuditRecord<'grant.used'>): void {
    const { body, session, time } = record;
    const where = whereOf(index, session);
    const approval = this.#open.get(body.approval);
    this.#actions.granted(record, approval);
    if (approval === undefined) {
      const ended = this.#ended.get(body.approval);
      if (ended === undefined) this.#stray(where, 'A use', body.approval, body.askedIn, body.askedIn === session ? undefined : time);
      else
        this.#report(
          fault(
            'inconsistent',
            where,
            ended.usedUp
              ? usedAgain(ended.index)
              : `The grant is used although the request was ${ended.state} and over (record ${ended.index})`,
          ),
        );
      return;
    }
    for (const words of useFaults(approval, index, record)) this.#report(fault('inconsistent', where, words));
    if (approval.state === 'approved' && approval.request.grants === 'once') this.#retire(approval);
  }

  /** What was approved for this session is over with it. What waits has an end of its own, and emergency access a review. */
  #closeSession(session: string | undefined): void {
    this.#actions.forget(session);
    const own = session === undefined ? undefined : this.#ofSession.get(session);
    for (const id of own ?? []) {
      const approval = this.#open.get(id);
      if (approval?.state === 'approved' && typeof approval.request.grants !== 'number') this.#retire(approval);
    }
  }

  #retire({ request, state, stateIndex, uses, lastUse }: FollowedApproval): void {
    const { id, session, digest, grants } = request;
    this.#open.delete(id);
    const own = this.#ofSession.get(session);
    own?.delete(id);
    if (own?.size === 0) this.#ofSession.delete(session);
    const usedUp = grants === 'once' && uses > 0;
    this.#ended.set(id, { state, index: usedUp ? lastUse : stateIndex, usedUp, digest });
    if (this.#ended.size > MOST_ENDED) this.#forget(this.#ended);
  }

  #forget(approvals: Map<string, unknown>): void {
    for (const oldest of approvals.keys()) {
      approvals.delete(oldest);
      this.#forgotten += 1;
      return;
    }
  }

  /** `asking`: the session that the request must have been of. `used`: when its grant was, by another session. */
  #stray(where: Place, what: string, approval: string, asking: string | undefined, used?: string): void {
    if (this.#mayBeErased(asking, used))
      this.#report(notice('unproven', where, `${what} is of the approval ${approval}, whose request was erased with its session`));
    else if (this.#part && asking !== where.session)
      this.#report(
        notice('unproven', where, `${what} is of the approval ${approval}, which was asked for in a session that is not in this bundle`),
      );
    else if (this.#forgotten > 0)
      this.#report(notice('unproven', where, `${what} is of the approval ${approval}, which ended too long before it to be compared`));
    else this.#report(fault('missing', where, `${what} is of the approval ${approval}, and no record says that it was asked for`));
  }

  /** A request of this session was erased, and not so long before that its grant could not be used any more. */
  #mayBeErased(asking: string | undefined, used: string | undefined): boolean {
    if (this.#erasedIn.size >= MOST_ENDED) return true;
    const asked = asking === undefined ? undefined : this.#erasedIn.get(asking);
    return asked !== undefined && (used === undefined || Date.parse(used) - Date.parse(asked) <= LONGEST_COVERED_MILLIS);
  }
}

function whereOf(index: number, session: string | undefined): Place {
  return { index, ...(session === undefined ? {} : { session }) };
}
