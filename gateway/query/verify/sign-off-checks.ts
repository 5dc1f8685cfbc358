import type { AuditRecord } from '../../../contract/record.ts';
import { ReviewSubject } from '../review/recorded-part.ts';
import { conflictWithSession, readReview } from '../review/signed-review.ts';
import { type DisclosedDecision, DisclosedSignOffs } from './disclosed-decision.ts';
import { fault, notice, type Report } from './finding.ts';
import type { ReviewerKeys } from './reviewer-keys.ts';
import { fingerprintOf } from './signed-decision.ts';

interface Seal {
  channel: number;
  segment: number;
  sha256: string;
}

interface Running {
  principal: string;
  onBehalfOf: string | undefined;
  /** The last seal of each segment, by channel and number. */
  seals: Map<string, Seal>;
}

interface Ended {
  principal: string;
  onBehalfOf: string | undefined;
  /** Undefined where something was sealed after the session's end. */
  subject: string | undefined;
  /** What was said of it, once it is: nobody says the same twice. */
  said?: Set<string>;
}

/** Sessions that are over and may still be signed off: two hundred bytes or three of each. */
const MOST_ENDED = 100_000;

/**
 * Every sign-off in the ledger: whether its signature is good, over what was sealed of the session, and by somebody whose
 * session it is not. Holds the sessions that run, and a digest of each that is over.
 */
export class SignOffChecks {
  readonly #report: Report;
  /** The ledger's, which is part of what reviewers sign. */
  #origin: string | undefined;
  readonly #keys: ReviewerKeys;
  readonly #running = new Map<string, Running>();
  readonly #ended = new Map<string, Ended>();
  readonly #erased = new Set<string>();
  #forgotten = 0;
  readonly #disclosed: DisclosedSignOffs | undefined;
  #unchecked = 0;
  signOffs = 0;
  /** Of a bundle: what stands in files of its own. */
  decisions: DisclosedDecision[] = [];

  constructor(report: Report, { origin, part, keys }: { origin: string | undefined; part: boolean; keys: ReviewerKeys }) {
    this.#report = report;
    this.#origin = origin;
    this.#keys = keys;
    this.#disclosed = part ? new DisclosedSignOffs() : undefined;
  }

  take(index: number, record: AuditRecord): void {
    const { session } = record;
    if (record.type === 'ledger.created') this.#origin ??= record.body.origin;
    if (session === undefined) return;
    switch (record.type) {
      case 'session.open':
        this.#running.set(session, { principal: record.actor.principal, onBehalfOf: record.actor.onBehalfOf, seals: new Map() });
        break;
      case 'segment.sealed':
        this.#seal(session, record.body);
        break;
      case 'session.close':
      case 'session.recovered':
        this.#end(session);
        break;
      case 'erased':
        this.#running.delete(session);
        this.#ended.delete(session);
        if (this.#erased.size < MOST_ENDED) this.#erased.add(session);
        break;
      case 'session.reviewed':
        this.#check(index, session, record);
        break;
      default:
        break;
    }
  }

  finish(): void {
    if (this.#unchecked === 0) return;
    const words = `${this.#unchecked} signatures under sessions were not checked: nothing here says what the ledger is called, which is part of what was signed`;
    this.#report(notice('unproven', {}, words));
  }

  #seal(session: string, { channel, segment, sha256 }: Seal): void {
    this.#running.get(session)?.seals.set(`${channel}/${segment}`, { channel, segment, sha256 });
    const ended = this.#ended.get(session);
    if (ended !== undefined) ended.subject = undefined;
  }

  #end(session: string): void {
    const running = this.#running.get(session);
    if (running === undefined) return;
    const { principal, onBehalfOf, seals } = running;
    const subject = new ReviewSubject(session);
    for (const seal of [...seals.values()].sort((a, b) => a.channel - b.channel || a.segment - b.segment)) subject.add(seal);
    this.#running.delete(session);
    this.#ended.set(session, { principal, onBehalfOf, subject: subject.digest() });
    if (this.#ended.size <= MOST_ENDED) return;
    const [oldest] = this.#ended.keys();
    if (oldest !== undefined) this.#ended.delete(oldest);
    this.#forgotten += 1;
  }

  #check(index: number, session: string, record: AuditRecord<'session.reviewed'>): void {
    const { actor, body, time } = record;
    const { principal } = actor;
    const where = { index, session };
    this.signOffs += 1;
    const read = this.#origin === undefined ? undefined : readReview(this.#origin, record);
    const wrong = read?.wrong;
    const disclosed = read && this.#disclosed?.take(index, record, read);
    if (disclosed !== undefined) this.decisions.push(disclosed);
    if (this.#origin === undefined) this.#unchecked += 1;
    else {
      if (wrong === undefined) this.#keys.take(principal, { key: body.key, fingerprint: fingerprintOf(body.key) }, time, where);
      else
        this.#report(fault('forged', where, `The sign-off (${body.verdict}) is recorded as of ${principal}, and the signature ${wrong}`));
    }
    if (actor.kind !== 'human') this.#report(fault('inconsistent', where, `${principal} signed the session off, who is no human`));
    if (body.watched.nanos > body.watched.of)
      this.#report(fault('inconsistent', where, `${principal} is said to have watched more of the session than there is`));
    const ended = this.#ended.get(session);
    if (ended === undefined) this.#reportUnknown(index, session, principal);
    else this.#compare(index, session, record, ended, wrong === undefined);
  }

  #compare(index: number, session: string, { actor, body }: AuditRecord<'session.reviewed'>, ended: Ended, genuine: boolean): void {
    const { principal } = actor;
    const where = { index, session };
    const conflict = conflictWithSession(principal, ended);
    if (conflict !== undefined)
      this.#report(fault('inconsistent', where, `${principal} signed it off, and ${conflict}: nobody reviews their own access`));
    if (ended.subject === undefined)
      this.#report(notice('unproven', where, 'What was sealed by then is not known: something was sealed after the end of the session'));
    else if (ended.subject !== body.subject)
      this.#report(
        fault('inconsistent', where, `The sign-off of ${principal} is of another recording than the records of the session seal`),
      );
    // What somebody else made up in their name is no word of theirs.
    if (!genuine) return;
    const words = JSON.stringify([principal, body.subject, body.verdict, body.reason]);
    ended.said ??= new Set();
    if (ended.said.has(words))
      this.#report(
        fault('inconsistent', where, `The sign-off of ${principal} stands in an earlier record already: it was put there again`),
      );
    ended.said.add(words);
  }

  #reportUnknown(index: number, session: string, principal: string): void {
    const where = { index, session };
    const what = `${principal} signed off a session`;
    if (this.#running.has(session)) this.#report(fault('inconsistent', where, `${what} that was not over`));
    else if (this.#erased.has(session)) this.#report(notice('unproven', where, `${what} that is erased`));
    else if (this.#forgotten > 0)
      this.#report(notice('unproven', where, `${what} that ended too long before for the sign-off to be compared with it`));
    else this.#report(fault('missing', where, `${what} of which no record says that it was opened`));
  }
}
