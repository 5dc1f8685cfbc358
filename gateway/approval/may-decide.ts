import type { ApprovalRequest } from '../../contract/approval.ts';
import type { ApprovalRule } from './approval-rule.ts';

/** A human as far as deciding is concerned, by the configuration in force. */
export interface Reviewer {
  readonly name: string;
  readonly groups: readonly string[];
  /** Whether they have the operator role `reviewer`, and are neither disabled nor locked. */
  readonly active: boolean;
  /** Keys whose signatures count as theirs, as lines of an `authorized_keys` file without a comment. */
  readonly keys: readonly string[];
}

/** Whose word counts for a rule at all. */
export function isReviewerOf({ reviewers }: Pick<ApprovalRule, 'reviewers'>, { name, groups, active }: Reviewer): boolean {
  if (!active) return false;
  if (reviewers.names.length + reviewers.groups.length === 0) return true;
  return reviewers.names.includes(name) || groups.some((group) => reviewers.groups.includes(group));
}

/**
 * Why somebody may not decide a request, in words; undefined when they may. No role changes any of it. `open` are the
 * requests that nobody has decided yet: who waits for others by the same rule is not asked to let somebody else through.
 */
export function reasonAgainstDeciding(
  request: ApprovalRequest,
  rule: ApprovalRule,
  reviewer: Reviewer,
  decided: readonly { readonly reviewer: string }[],
  open: Iterable<ApprovalRequest>,
): string | undefined {
  const { name } = reviewer;
  if (!reviewer.active) return `${name} is not an active reviewer`;
  if (name === request.principal) return 'nobody decides about what they asked for themselves';
  if (name === request.onBehalfOf) return `${request.principal} acts for ${name}, and nobody decides about their own agents`;
  if (!isReviewerOf(rule, reviewer)) return `${name} is not among the reviewers of the rule ${rule.name}`;
  if (decided.some((decision) => decision.reviewer === name)) return `${name} has decided already, and others are needed`;
  for (const other of open) {
    if (other.rule === request.rule && other.id !== request.id && (other.principal === name || other.onBehalfOf === name))
      return `${name} has an open request by the same rule (${other.id})`;
  }
  return undefined;
}
