import type { ActionRequest, Circumstances, Decision, PrincipalFacts, TargetFacts } from '../../contract/policy.ts';

/** What decides. Never changes: a reload makes another one. */
export interface Policy {
  /** By which a record names it: a SHA-256 in hexadecimal. */
  readonly policySet: string;
  readonly source: 'allow-lists' | 'cedar';
  /** What an auditor reads of it: `policySet` is the SHA-256 of this in UTF-8. */
  readonly text: string;
  /** The same request gives the same decision. What no rule allows is denied, and so is what is not understood. */
  decide(request: ActionRequest): Decision;
  /**
   * The targets that somebody may connect to, or may ask to, by name: what a menu or a list shows. Others do not exist
   * for them. Takes its time in pieces, so that a large configuration holds nobody up.
   */
  visibleTargets(principal: PrincipalFacts, circumstances: Circumstances): Promise<readonly TargetFacts[]>;
}
