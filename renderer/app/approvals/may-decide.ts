import type { ApprovalVerdict } from '../../../contract/approval.ts';
import type { Approval } from '../../../contract/operator-api.ts';
import { shownText } from './check-request.ts';

interface Intent {
  readonly verdict: ApprovalVerdict;
  readonly reason: string;
  /** What the reviewer has been shown, by `shownText`. */
  readonly shown: string;
  /** Wall clock, milliseconds. */
  readonly now: number;
}

/** Why a decision would not count, in words, before anything is signed; undefined when it may be signed. */
export function reasonAgainstSigning(approval: Approval, { verdict, reason, shown, now }: Intent): string | undefined {
  const { request, state, yours } = approval;
  if (state !== 'waiting' && state !== 'review') return `It is ${state} already.`;
  if (!yours.may) return `It is not yours to decide: ${yours.why ?? 'the gateway says so'}.`;
  if (state === 'waiting' && Date.parse(request.expires) <= now) return 'Its time is over.';
  if (shownText(approval) !== shown) return 'It has changed since it was shown to you. Read it again.';
  if (needsReason(approval, verdict) && reason.trim() === '') return 'Say why: it stands in the record.';
  return undefined;
}

export function needsReason({ request: { reasonRequired } }: Pick<Approval, 'request'>, verdict: ApprovalVerdict): boolean {
  return reasonRequired || verdict === 'deny';
}
