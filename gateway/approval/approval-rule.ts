/** One entry of the configuration's `approvals`: who decides, how many of them, by when, and for how long it holds. */
export interface ApprovalRule {
  readonly name: string;
  /** Humans with the operator role `reviewer` who are named here, or in one of these groups. */
  readonly reviewers: { readonly groups: readonly string[]; readonly names: readonly string[] };
  /** So many different reviewers have to approve; one who denies is enough. */
  readonly needed: number;
  /** Seconds; what is not decided by then is denied. */
  readonly withinSeconds: number;
  /** Whether a reviewer has to give a reason for approving too. For denying one is always needed. */
  readonly reasonRequired: boolean;
  /** What an approval is good for: one use, the session that asked, or so many seconds for the same principal and action. */
  readonly grants: 'once' | 'session' | number;
  /** Allowed at once and marked; `needed` and `withinSeconds` are those of the review afterwards, which stays open. */
  readonly breakGlass: boolean;
}
