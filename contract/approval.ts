import { canonicalText } from './canonical.ts';
import type { Action } from './policy.ts';

/**
 * Approvals: what a reviewer is shown, what a signature covers, and how a request goes on. The reviewer's own program
 * makes the signed text from what it shows, so a gateway cannot show one thing and have another signed.
 */

/** The namespace of decisions (OpenSSH, PROTOCOL.sshsig), so that a signature made for something else is none. */
export const APPROVAL_NAMESPACE = 'sallyport-approval';

/** Bytes of canonical JSON that a request may have; what is larger could not be shown to a reviewer, and is not asked for. */
export const MAX_REQUEST_BYTES = 24 * 1024;

/** The longest that a request can wait. */
export const LONGEST_WAIT_SECONDS = 7 * 86_400;
/** The longest that a grant can be good for, from its approval. */
export const LONGEST_GRANT_SECONDS = 86_400;

/** What is asked for, exactly. What an approval is bound to is the digest of this without id, session, channel and times. */
export interface ApprovalRequest {
  /** UUIDv7. */
  id: string;
  /** The rule of the configuration by which it is asked. */
  rule: string;
  /** SHA-256 of `boundText`, in hexadecimal. */
  digest: string;
  principal: string;
  kind: 'human' | 'agent';
  onBehalfOf?: string;
  /** `address:port` of the client. */
  source: string;
  target: { name: string; kind: string; address?: string | undefined };
  session: string;
  /** Missing when the connection itself is asked for. */
  channel?: number;
  action: Action;
  /** The exact arguments: command, path, address. Strings, booleans, integers, and lists and objects of them. */
  facts: Readonly<Record<string, unknown>>;
  policies: readonly string[];
  policySet: string;
  /** ISO 8601 UTC with microseconds. */
  asked: string;
  expires: string;
  needed: number;
  reasonRequired: boolean;
  /** `once`: one use. `session`: as often as wanted in this session. A number: for so many seconds from the approval. */
  grants: 'once' | 'session' | number;
  /** Allowed already, and waiting for its review. */
  breakGlass: boolean;
  /** What the client says why, if it says so. */
  justification?: string;
}

export const approvalStates = ['waiting', 'approved', 'denied', 'expired', 'withdrawn', 'review', 'reviewed'] as const;
/** `review`: break-glass, not looked at yet; `reviewed`: looked at. All but `waiting` and `review` are final. */
export type ApprovalState = (typeof approvalStates)[number];

export type ApprovalVerdict = 'approve' | 'deny';

/** What a reviewer says of a request. Of break-glass, `approve` finds it justified and `deny` objects. */
export interface ApprovalDecision {
  verdict: ApprovalVerdict;
  reviewer: string;
  reason: string;
}

/** The text whose SHA-256 is a request's digest: who, for whom, where, what exactly, by which policy. */
export function boundText(
  request: Pick<ApprovalRequest, 'principal' | 'onBehalfOf' | 'target' | 'action' | 'facts' | 'policySet' | 'rule'>,
): string {
  const { principal, onBehalfOf, target, action, facts, policySet, rule } = request;
  return canonicalText({ principal, onBehalfOf, target, action, facts, policySet, rule });
}

/** The exact text that a reviewer signs (SSHSIG, namespace `sallyport-approval`). `origin` is the ledger's. */
export function decisionText(origin: string, request: ApprovalRequest, decision: ApprovalDecision): string {
  return canonicalText({ type: 'sallyport approval decision', version: 1, origin, request, decision });
}
