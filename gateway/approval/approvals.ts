import { createHash } from 'node:crypto';
import {
  APPROVAL_NAMESPACE,
  type ApprovalDecision,
  type ApprovalRequest,
  type ApprovalState,
  boundText,
  decisionText,
  MAX_REQUEST_BYTES,
} from '../../contract/approval.ts';
import { canonicalText } from '../../contract/canonical.ts';
import type { Actor, RecordDraft, Resource } from '../../contract/record.ts';
import { type Clock, isoMicros } from '../base/clock.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import { uuidV7 } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { ApprovalRule } from './approval-rule.ts';
import { Grants } from './grants.ts';
import { isReviewerOf, type Reviewer, reasonAgainstDeciding } from './may-decide.ts';
import { OpenRequest, type Outcome, type SignedDecision } from './open-request.ts';

/** Requests that may be open at once, and wait of one principal: a flood of them must not hide one that matters. */
const MAX_OPEN = 1000;
const MAX_WAITING_PER_PRINCIPAL = 32;
/** The longest that setTimeout can wait. */
const MAX_TIMER_MILLIS = 2 ** 31 - 1;

export interface ApprovalParts {
  readonly clock: Pick<Clock, 'wallMicros'>;
  readonly log: Log;
  /** Of the ledger; part of what is signed, so that a decision for one gateway is none for another. */
  readonly origin: string;
  /** Resolves when the record is durable. */
  readonly append: (draft: RecordDraft) => Promise<unknown>;
  /** Resolves when everything that is recorded by now is covered by a signed checkpoint. */
  readonly sign: () => Promise<unknown>;
  /** The key that signed the text, as a line without a comment, and its SHA256 fingerprint. Throws SIGNATURE_INVALID. */
  readonly verify: (signature: string, text: string, namespace: string) => { readonly line: string; readonly fingerprint: string };
  readonly reviewers: () => Iterable<Reviewer>;
  /** In force at the moment; undefined for a rule that is not there any more. */
  readonly rule: (name: string) => ApprovalRule | undefined;
}

/** What somebody wants to do and may not without consent. */
export interface Wish
  extends Pick<
    ApprovalRequest,
    'principal' | 'kind' | 'onBehalfOf' | 'source' | 'target' | 'session' | 'channel' | 'action' | 'facts' | 'policies' | 'policySet'
  > {
  readonly rule: string;
  readonly justification?: string;
  readonly actor: Actor;
  readonly resource: Resource;
}

/** Consent, with the request that it came by; `reviewers` is empty for break-glass and for a grant that was there. */
export interface Consent {
  readonly approval: string;
  readonly reviewers: readonly string[];
}

/** A reviewer's word as it arrives. */
export interface GivenDecision extends Pick<ApprovalDecision, 'verdict' | 'reason'> {
  readonly approval: string;
  readonly digest: string;
  readonly key: string;
  readonly signature: string;
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
    const request = this.#requestOf(wish, rule);
    const covered = this.#grants.find(request.digest, request.session, clock.wallMicros());
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
      this.#grants.add(request, clock.wallMicros());
      return this.#use(request, request.id, [], wish);
    }
    this.#expireAt(open, wish);
    const withdraw = (): void => void this.#withdraw(open, wish, signal.reason);
    if (signal.aborted) withdraw();
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
    const reviewer = this.#reviewer(reviewerName);
    if (reviewer === undefined) return `${reviewerName} is not an active reviewer`;
    return reasonAgainstDeciding(open.request, open.rule, reviewer, open.decisions, this.#requests());
  }

  sessionOver(session: string): void {
    this.#grants.sessionOver(session);
  }

  /** No timer runs on. What waits is closed by the end of its session. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #decide(open: OpenRequest, given: GivenDecision, by: Actor): Promise<void> {
    const { request, rule } = open;
    const now = this.#parts.clock.wallMicros();
    if (!open.open) throw over(`it was ${wordFor(open.state)} meanwhile`);
    if (open.state === 'waiting' && isoMicros(now) >= request.expires) throw over('its time is over');
    if (given.digest !== request.digest) throw over('what was signed is not what is asked for');
    const reviewer = this.#reviewer(by.principal);
    if (reviewer === undefined) throw notYours(`${by.principal} is not an active reviewer`);
    const against = reasonAgainstDeciding(request, rule, reviewer, open.decisions, this.#requests());
    if (against !== undefined) throw notYours(against);
    const reason = given.reason.trim();
    if (reason === '' && (request.reasonRequired || given.verdict === 'deny'))
      throw new SallyportError(
        'REQUEST_INVALID',
        given.verdict === 'deny' ? 'denying needs a reason' : `the rule ${rule.name} asks for a reason`,
        { remedy: 'say why with --reason' },
      );
    const text = decisionText(this.#parts.origin, request, { verdict: given.verdict, reviewer: by.principal, reason });
    const signer = this.#parts.verify(given.signature, text, APPROVAL_NAMESPACE);
    if (signer.line !== lineOf(given.key)) throw notYours('the signature was not made with the key that is said to have made it');
    if (!reviewer.keys.includes(signer.line)) throw notYours(`the key that signed is none of ${by.principal}`);
    if (signer.fingerprint === open.principalKey) throw notYours('the key that signed is the one that the request came with');
    if (open.decisions.some(({ key }) => key === signer.line))
      throw notYours('this key has decided already, and another reviewer is needed');
    const decision: SignedDecision = {
      verdict: given.verdict,
      reviewer: by.principal,
      reason,
      time: isoMicros(now),
      key: signer.line,
      signature: given.signature,
    };
    const state = stateAfter(open, decision);
    const signed = {
      approval: request.id,
      digest: request.digest,
      verdict: given.verdict,
      reason,
      key: signer.line,
      signature: given.signature,
    };
    const envelope = {
      outcome: given.verdict === 'approve' ? ('success' as const) : ('denied' as const),
      actor: by,
      target: {
        name: request.target.name,
        kind: request.target.kind,
        ...(request.target.address === undefined ? {} : { address: request.target.address }),
      } as Resource,
      session: request.session,
    };
    await this.#parts.append(
      state === 'review' || state === 'reviewed'
        ? { ...envelope, type: 'review.signed', body: signed }
        : { ...envelope, type: 'approval.decided', body: { ...signed, state } },
    );
    await this.#parts.sign();
    if (state === 'approved') this.#grants.add(request, now);
    open.decided(decision, state);
    if (!open.open) this.#forget(open);
  }

  async #consent(outcome: Outcome, { request }: OpenRequest, wish: Wish): Promise<Consent> {
    switch (outcome.state) {
      case 'approved':
        return this.#use(
          request,
          request.id,
          outcome.decisions.map(({ reviewer }) => reviewer),
          wish,
        );
      case 'denied':
        throw new SallyportError('APPROVAL_DENIED', `${outcome.by.reviewer} denied this: ${outcome.by.reason}`);
      case 'expired':
        throw new SallyportError('APPROVAL_EXPIRED', `nobody decided about this before ${clockTime(request.expires)}`, {
          remedy: 'try again when a reviewer is there',
        });
      case 'withdrawn':
        throw new SallyportError('APPROVAL_UNAVAILABLE', 'the request was withdrawn');
    }
  }

  /** What was approved begins when this is durable. */
  async #use(request: ApprovalRequest, approval: string, reviewers: readonly string[], wish: Wish): Promise<Consent> {
    const { digest, action, channel } = request;
    await this.#parts.append({
      ...this.#envelope(request, wish),
      type: 'grant.used',
      outcome: 'success',
      body: { approval, digest, action, ...(channel === undefined ? {} : { channel }) },
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
        await this.#parts.append({ ...this.#envelope(open.request, wish), outcome: 'denied', ...draft } as RecordDraft);
      } catch (error) {
        const { code, message } = asSallyportError(error);
        this.#parts.log.error({ approval: open.request.id, code }, `the end of a request for approval could not be recorded: ${message}`);
      }
      open.ended(state);
      this.#forget(open);
    });
  }

  #expireAt(open: OpenRequest, wish: Wish): void {
    if (this.#closed) return;
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
    this.#open.delete(request.id);
  }

  #requestOf(wish: Wish, rule: ApprovalRule): ApprovalRequest {
    const now = this.#parts.clock.wallMicros();
    const { principal, kind, onBehalfOf, source, target, session, channel, action, facts, policies, policySet, justification } = wish;
    const bound = { principal, ...(onBehalfOf === undefined ? {} : { onBehalfOf }), target, action, facts, policySet, rule: rule.name };
    let request: ApprovalRequest;
    try {
      request = {
        id: uuidV7(now),
        ...bound,
        digest: createHash('sha256').update(boundText(bound)).digest('hex'),
        kind,
        source,
        session,
        ...(channel === undefined ? {} : { channel }),
        policies,
        asked: isoMicros(now),
        expires: isoMicros(now + rule.withinSeconds * 1e6),
        needed: rule.needed,
        reasonRequired: rule.reasonRequired,
        grants: rule.grants,
        breakGlass: rule.breakGlass,
        ...(justification === undefined ? {} : { justification }),
      };
      if (Buffer.byteLength(canonicalText(request)) <= MAX_REQUEST_BYTES) return request;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw unavailable(`this cannot be shown to a reviewer: ${error.message}`);
    }
    throw unavailable(
      `this is longer than the ${MAX_REQUEST_BYTES} bytes that can be shown to a reviewer`,
      'make it shorter, for example by putting it into a file first',
    );
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

  #reviewer(name: string): Reviewer | undefined {
    for (const reviewer of this.#parts.reviewers()) if (reviewer.name === name) return reviewer;
    return undefined;
  }

  *#requests(): Generator<ApprovalRequest> {
    for (const { request, state } of this.#open.values()) if (state === 'waiting') yield request;
  }
}

function stateAfter(
  { state, decisions, request }: OpenRequest,
  { verdict }: SignedDecision,
): ApprovalState & ('waiting' | 'approved' | 'denied' | 'review' | 'reviewed') {
  const enough = decisions.length + 1 >= request.needed;
  if (state === 'review') return enough ? 'reviewed' : 'review';
  if (verdict === 'deny') return 'denied';
  return enough ? 'approved' : 'waiting';
}

/** Of a rule that is not in the configuration any more: whoever is an active reviewer may still close what it left open. */
function ruleOf({ rule, needed, reasonRequired, grants, breakGlass }: ApprovalRequest): ApprovalRule {
  return { name: rule, reviewers: { groups: [], names: [] }, needed, withinSeconds: 0, reasonRequired, grants, breakGlass };
}

/** For the person who waits: whose consent it takes. */
function whomOf({ reviewers, needed }: ApprovalRule): string {
  const named = [...reviewers.names, ...reviewers.groups.map((group) => `the group ${group}`)];
  const whom = named.length === 0 ? 'a reviewer' : named.join(' or ');
  return needed === 1 ? whom : `${needed} of ${whom}`;
}

function lineOf(key: string): string {
  return key
    .trim()
    .split(/[ \t]+/)
    .slice(0, 2)
    .join(' ');
}

function wordFor(state: ApprovalState): string {
  return state === 'waiting' || state === 'review' ? 'open' : state;
}

/** `12:34:56 UTC` of an ISO 8601 time. */
export function clockTime(time: string): string {
  return `${time.slice(11, 19)} UTC`;
}

function unavailable(what: string, remedy?: string): SallyportError {
  return new SallyportError(
    'APPROVAL_UNAVAILABLE',
    `an approval is needed and cannot be asked for: ${what}`,
    remedy === undefined ? {} : { remedy },
  );
}

function over(why: string): SallyportError {
  return new SallyportError('APPROVAL_OVER', `this request cannot be decided any more: ${why}`, {
    remedy: 'look at it again: sallyport approvals',
  });
}

function notYours(why: string): SallyportError {
  return new SallyportError('APPROVAL_NOT_YOURS', `this is not yours to decide: ${why}`, { remedy: 'have another reviewer decide' });
}
