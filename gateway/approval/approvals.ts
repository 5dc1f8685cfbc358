import type { ApprovalRequest } from '../../contract/approval.ts';
import type { Actor, RecordDraft } from '../../contract/record.ts';
import type { Clock } from '../base/clock.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { ApprovalRule } from './approval-rule.ts';
import { checkDecision, type GivenDecision, notYours, recordOf, stateAfter, type VerifySignature } from './decision.ts';
import { Grants } from './grants.ts';
import { isReviewerOf, type Reviewer, reasonAgainstDeciding } from './may-decide.ts';
import { OpenRequest, type Outcome, type SignedDecision } from './open-request.ts';
import { clockTime, requestOf, ruleOf, unavailable, type Wish, whomOf } from './request.ts';

/** Requests that may be open at once, and wait of one principal: a flood of them must not hide one that matters. */
const MAX_OPEN = 1000;
const MAX_WAITING_PER_PRINCIPAL = 32;
/** The longest that setTimeout can wait. */
const MAX_TIMER_MILLIS = 2 ** 31 - 1;

export type { GivenDecision } from './decision.ts';
export { clockTime, type Wish } from './request.ts';

export interface ApprovalParts {
  readonly clock: Pick<Clock, 'wallMicros'>;
  readonly log: Log;
  /** Of the ledger; part of what is signed, so that a decision for one gateway is none for another. */
  readonly origin: string;
  /** Resolves when the record is durable. */
  readonly append: (draft: RecordDraft) => Promise<unknown>;
  /** Resolves when everything that is recorded by now is covered by a signed checkpoint. */
  readonly sign: () => Promise<unknown>;
  readonly verify: VerifySignature;
  readonly reviewers: () => Iterable<Reviewer>;
  /** One of them. */
  readonly reviewer: (name: string) => Reviewer | undefined;
  /** In force at the moment; undefined for a rule that is not there any more. */
  readonly rule: (name: string) => ApprovalRule | undefined;
}

/** Consent, with the request that it came by; `reviewers` is empty for break-glass and for a grant that was there. */
export interface Consent {
  readonly approval: string;
  readonly reviewers: readonly string[];
}

/**
 * Everything that waits for a human. A request is durable before anybody is shown it, a decision is durable and signed
 * before anybody acts on it, and its use is durable before what was approved begins.
 */
export class Approvals {
  readonly #parts: ApprovalParts;
  readonly #open = new Map<string, OpenRequest>();
  readonly #grants = new Grants();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Of each request that waits: how it is withdrawn, and why. */
  readonly #withdrawals = new Map<string, (why: unknown) => Promise<void>>();
  #closed = false;

  constructor(parts: ApprovalParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    let waiting = 0;
    for (const { state } of this.#open.values()) if (state === 'waiting') waiting += 1;
    return waiting;
  }

  /** Requests that are not over, the oldest first. */
  open(): readonly OpenRequest[] {
    return [...this.#open.values()];
  }

  find(id: string): OpenRequest | undefined {
    return this.#open.get(id);
  }

  /** Whether what asks by a rule is allowed before anybody is asked. */
  allowsAtOnce(rule: string): boolean {
    return this.#parts.rule(rule)?.breakGlass === true;
  }

  /** Break-glass of an earlier life of the gateway that nobody has reviewed yet. */
  restore(request: ApprovalRequest, decisions: readonly SignedDecision[]): void {
    const rule = this.#parts.rule(request.rule) ?? ruleOf(request);
    const open = new OpenRequest(request, rule, undefined);
    for (const decision of decisions) open.decided(decision, 'review');
    this.#open.set(request.id, open);
  }

  /**
   * Obtains consent. Resolves when it is there and its use is durable. Throws APPROVAL_DENIED, APPROVAL_EXPIRED and
   * APPROVAL_UNAVAILABLE; what `signal` aborts is withdrawn. `asked` is called when the request is durable and waits.
   */
  async obtain(wish: Wish, signal: AbortSignal, asked: (request: ApprovalRequest, whom: string) => void): Promise<Consent> {
    const { clock } = this.#parts;
    const rule = this.#parts.rule(wish.rule);
    if (rule === undefined) throw unavailable(`there is no approval rule "${wish.rule}" in the configuration any more`);
    const request = requestOf(wish, rule, clock.wallMicros());
    const covered = wish.eachUse === true ? undefined : this.#grants.find(request.digest, request.session, clock.wallMicros());
    if (covered !== undefined) return this.#use(request, covered, [], wish);
    this.#mustBeAskable(request, rule);
    const open = new OpenRequest(request, rule, wish.actor.authentication?.key);
    // In the list from now on, so that the limits hold for requests whose records are on their way.
    this.#open.set(request.id, open);
    try {
      const recorded = { ...request, facts: { ...request.facts }, policies: [...request.policies] };
      const draft: RecordDraft<'approval.asked'> = {
        ...this.#envelope(request, wish),
        type: 'approval.asked',
        outcome: 'success',
        body: { request: recorded },
      };
      // Whoever knows of it already and decides comes after this.
      await open.inTurn(() => this.#parts.append(draft));
    } catch (error) {
      this.#open.delete(request.id);
      open.ended('withdrawn');
      throw error;
    }
    if (rule.breakGlass) {
      this.#parts.log.warn(
        { approval: request.id, principal: request.principal, rule: rule.name },
        'break-glass: allowed at once, and open until it is reviewed',
      );
      this.#grant(open, clock.wallMicros());
      return this.#use(request, { approval: request.id, askedIn: request.session }, [], wish);
    }
    this.#expireAt(open, wish);
    const withdraw = (): void => void this.#withdraw(open, wish, signal.reason);
    this.#withdrawals.set(request.id, (why) => this.#withdraw(open, wish, why));
    if (signal.aborted || this.#closed) withdraw();
    else {
      signal.addEventListener('abort', withdraw, { once: true });
      asked(request, whomOf(rule));
    }
    const outcome = await open.outcome;
    signal.removeEventListener('abort', withdraw);
    this.#forget(open);
    return this.#consent(outcome, open, wish);
  }

  /**
   * A reviewer's word. Resolves when it is durable and signed. Throws APPROVAL_NOT_FOUND, APPROVAL_OVER,
   * APPROVAL_NOT_YOURS, SIGNATURE_INVALID, REQUEST_INVALID, and LEDGER_FAILED when it could not be recorded: then it
   * was not given.
   */
  async decide(given: GivenDecision, by: Actor): Promise<OpenRequest> {
    const open = this.#open.get(given.approval);
    if (open === undefined)
      throw new SallyportError('APPROVAL_NOT_FOUND', `no request ${given.approval} is open`, {
        remedy: 'it may be over: see sallyport approvals --all',
      });
    await open.inTurn(() => this.#decide(open, given, by));
    return open;
  }

  /** Why a reviewer may not decide a request now; undefined when they may. */
  whyNot(open: OpenRequest, reviewerName: string): string | undefined {
    if (!open.open) return 'it is over';
    const reviewer = this.#parts.reviewer(reviewerName);
    if (reviewer === undefined) return `${reviewerName} is not an active reviewer`;
    return reasonAgainstDeciding(open.request, open.rule, reviewer, open.decisions, this.#requests());
  }

  /** Nothing is granted for a session from here on, not by a decision whose record is on its way either. */
  sessionOver(session: string): void {
    for (const open of this.#open.values()) if (open.request.session === session) open.sessionOver = true;
    this.#grants.sessionOver(session);
  }

  /** Takes no more and withdraws what waits: nobody is kept waiting by a gateway that stops. */
  async close(): Promise<void> {
    this.#closed = true;
    const stopping = new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down');
    await Promise.all([...this.#withdrawals.values()].map((withdraw) => withdraw(stopping)));
  }

  async #decide(open: OpenRequest, given: GivenDecision, by: Actor): Promise<void> {
    const { append, clock, origin, sign, verify } = this.#parts;
    const now = clock.wallMicros();
    const reviewer = this.#parts.reviewer(by.principal);
    if (reviewer === undefined) throw notYours(`${by.principal} is not an active reviewer`);
    const decision = checkDecision(open, given, { reviewer, others: this.#requests(), origin, now, verify });
    const state = stateAfter(open, decision);
    await append(recordOf(open.request, decision, state, by));
    // Whatever comes of signing, it is on record, and what is on record holds.
    const signing = await sign().then(
      () => undefined,
      (error: unknown) => asSallyportError(error, 'LEDGER_FAILED'),
    );
    if (state === 'approved') this.#grant(open, now);
    open.decided(decision, state);
    if (!open.open) this.#forget(open);
    if (signing !== undefined) throw signing;
  }

  #grant({ request, sessionOver }: OpenRequest, now: number): void {
    if (request.grants !== 'session' || !sessionOver) this.#grants.add(request, now);
  }

  async #consent(outcome: Outcome, { request }: OpenRequest, wish: Wish): Promise<Consent> {
    switch (outcome.state) {
      case 'approved':
        return this.#use(
          request,
          { approval: request.id, askedIn: request.session },
          outcome.decisions.map(({ reviewer }) => reviewer),
          wish,
        );
      case 'denied':
        throw new SallyportError('APPROVAL_DENIED', `${outcome.by.reviewer} denied this: ${outcome.by.reason}`);
      case 'expired':
        throw new SallyportError('APPROVAL_EXPIRED', `nobody decided about this before ${clockTime(request.expires)}`, {
          remedy: 'try again when a reviewer is there',
        });
      default:
        throw new SallyportError('APPROVAL_UNAVAILABLE', 'the request was withdrawn');
    }
  }

  /** What was approved begins when this is durable. */
  async #use(
    request: ApprovalRequest,
    { approval, askedIn }: { readonly approval: string; readonly askedIn: string },
    reviewers: readonly string[],
    wish: Wish,
  ): Promise<Consent> {
    const { digest, action, channel } = request;
    await this.#parts.append({
      ...this.#envelope(request, wish),
      type: 'grant.used',
      outcome: 'success',
      body: { approval, askedIn, digest, action, ...(channel === undefined ? {} : { channel }) },
    });
    return { approval, reviewers };
  }

  async #withdraw(open: OpenRequest, wish: Wish, why: unknown): Promise<void> {
    const reason = why instanceof Error ? why.message : 'whoever asked has gone';
    await this.#end(open, 'withdrawn', wish, {
      type: 'approval.withdrawn',
      body: { approval: open.request.id, digest: open.request.digest, reason },
    });
  }

  /** The deadline holds whatever else fails: a record that can't be written leaves nothing allowed. */
  #end(
    open: OpenRequest,
    state: 'expired' | 'withdrawn',
    wish: Wish,
    draft: Pick<RecordDraft<'approval.expired'>, 'type' | 'body'> | Pick<RecordDraft<'approval.withdrawn'>, 'type' | 'body'>,
  ): Promise<void> {
    return open.inTurn(async () => {
      if (open.state !== 'waiting') return;
      try {
        await this.#parts.append({ ...this.#envelope(open.request, wish), outcome: 'denied', ...draft });
      } catch (error) {
        const { code, message } = asSallyportError(error);
        this.#parts.log.error({ approval: open.request.id, code }, `the end of a request for approval could not be recorded: ${message}`);
      }
      open.ended(state);
      this.#forget(open);
    });
  }

  #expireAt(open: OpenRequest, wish: Wish): void {
    const { id, digest, expires } = open.request;
    // The wall clock may jump: the request says when it ends, and the timer only when to look.
    const look = (): void => {
      const left = Date.parse(expires) - this.#parts.clock.wallMicros() / 1000;
      if (left <= 0)
        void this.#end(open, 'expired', wish, { type: 'approval.expired', body: { approval: id, digest, reason: 'deadline' } });
      else this.#timers.set(id, setTimeout(look, Math.min(left + 1, MAX_TIMER_MILLIS)));
    };
    look();
  }

  #forget({ request }: OpenRequest): void {
    clearTimeout(this.#timers.get(request.id));
    this.#timers.delete(request.id);
    this.#withdrawals.delete(request.id);
    this.#open.delete(request.id);
  }

  #mustBeAskable({ principal, onBehalfOf }: ApprovalRequest, rule: ApprovalRule): void {
    if (this.#closed) throw unavailable('the gateway is shutting down');
    let own = 0;
    let same = 0;
    for (const { request } of this.#open.values()) {
      if (request.breakGlass !== rule.breakGlass) continue;
      same += 1;
      if (request.principal === principal) own += 1;
    }
    if (same >= MAX_OPEN) throw unavailable(`${MAX_OPEN} requests are open already`, 'try again when some are decided');
    // Who breaks the glass must not have to wait for reviews of what they did a minute ago.
    if (own >= MAX_WAITING_PER_PRINCIPAL && !rule.breakGlass)
      throw unavailable(`${principal} has ${own} requests waiting already`, 'wait until some are decided');
    let able = 0;
    for (const reviewer of this.#parts.reviewers()) {
      if (reviewer.name !== principal && reviewer.name !== onBehalfOf && reviewer.keys.length > 0 && isReviewerOf(rule, reviewer))
        able += 1;
    }
    if (able < rule.needed)
      throw unavailable(
        `the rule ${rule.name} needs ${rule.needed} reviewers, and ${able} could decide about this`,
        'give more people the operator role reviewer and a key',
      );
  }

  #envelope({ session }: ApprovalRequest, { actor, resource }: Wish) {
    return { actor, target: resource, session };
  }

  *#requests(): Generator<ApprovalRequest> {
    for (const { request, state } of this.#open.values()) if (state === 'waiting') yield request;
  }
}
