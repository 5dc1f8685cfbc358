import type { ApprovalDecision, ApprovalRequest, ApprovalState } from '../../contract/approval.ts';
import type { ApprovalRule } from './approval-rule.ts';

/** A decision with the signature that makes it the reviewer's own. */
export interface SignedDecision extends ApprovalDecision {
  /** ISO 8601 UTC with microseconds. */
  readonly time: string;
  readonly key: string;
  readonly signature: string;
}

/** How a request ended, for whoever waits for it. */
export type Outcome =
  | { readonly state: 'approved'; readonly decisions: readonly SignedDecision[] }
  | { readonly state: 'denied'; readonly by: SignedDecision }
  | { readonly state: 'expired' }
  | { readonly state: 'withdrawn' };

/**
 * A request that is not over. Whatever happens to it happens one after the other: each step sees what the one before it
 * made durable, so two reviewers in the same moment, or a reviewer and the deadline, have one outcome.
 */
export class OpenRequest {
  readonly request: ApprovalRequest;
  readonly rule: ApprovalRule;
  /** SHA256 fingerprint of the key that the principal logged in with. */
  readonly principalKey: string | undefined;
  readonly outcome: Promise<Outcome>;
  readonly decisions: SignedDecision[] = [];
  /** The session that asked has ended meanwhile. */
  sessionOver = false;
  #state: ApprovalState;
  #last: Promise<unknown> = Promise.resolve();
  #resolve: ((outcome: Outcome) => void) | undefined;

  constructor(request: ApprovalRequest, rule: ApprovalRule, principalKey: string | undefined) {
    this.request = request;
    this.rule = rule;
    this.principalKey = principalKey;
    this.#state = request.breakGlass ? 'review' : 'waiting';
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get state(): ApprovalState {
    return this.#state;
  }

  get open(): boolean {
    return this.#state === 'waiting' || this.#state === 'review';
  }

  /** Runs a step when those before it are done, however they ended. */
  inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** A decision that is durable; `state` is what the request is after it. */
  decided(decision: SignedDecision, state: ApprovalState): void {
    this.decisions.push(decision);
    this.#state = state;
    if (state === 'approved') this.#resolve?.({ state, decisions: this.decisions });
    else if (state === 'denied') this.#resolve?.({ state, by: decision });
  }

  /** Over without a decision. */
  ended(state: 'expired' | 'withdrawn'): void {
    this.#state = state;
    this.#resolve?.({ state });
  }
}
