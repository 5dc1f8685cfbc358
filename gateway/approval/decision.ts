import {
  APPROVAL_NAMESPACE,
  type ApprovalDecision,
  type ApprovalRequest,
  type ApprovalState,
  decisionText,
} from '../../contract/approval.ts';
import type { Actor, RecordDraft, Resource } from '../../contract/record.ts';
import { isoMicros } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import { type Reviewer, reasonAgainstDeciding } from './may-decide.ts';
import type { OpenRequest, SignedDecision } from './open-request.ts';

/** The key that signed the text, as a line without a comment, and its SHA256 fingerprint. Throws SIGNATURE_INVALID. */
export type VerifySignature = (
  signature: string,
  text: string,
  namespace: string,
) => { readonly line: string; readonly fingerprint: string };

/** A reviewer's word as it arrives. */
export interface GivenDecision extends Pick<ApprovalDecision, 'verdict' | 'reason'> {
  readonly approval: string;
  readonly digest: string;
  readonly key: string;
  readonly signature: string;
}

interface Surroundings {
  readonly reviewer: Reviewer;
  /** Requests that wait. */
  readonly others: Iterable<ApprovalRequest>;
  readonly origin: string;
  /** Wall clock in microseconds. */
  readonly now: number;
  readonly verify: VerifySignature;
}

/** A word that counts. Throws APPROVAL_OVER, APPROVAL_NOT_YOURS, REQUEST_INVALID or SIGNATURE_INVALID for any other. */
export function checkDecision(
  open: OpenRequest,
  given: GivenDecision,
  { reviewer, others, origin, now, verify }: Surroundings,
): SignedDecision {
  const { request, rule } = open;
  const { verdict } = given;
  if (!open.open) throw over(`it was ${open.state} meanwhile`);
  if (open.state === 'waiting' && isoMicros(now) >= request.expires) throw over('its time is over');
  if (given.digest !== request.digest) throw over('what was signed is not what is asked for');
  const against = reasonAgainstDeciding(request, rule, reviewer, open.decisions, others);
  if (against !== undefined) throw notYours(against);
  const reason = given.reason.trim();
  if (reason === '' && (request.reasonRequired || verdict === 'deny')) {
    const needs = verdict === 'deny' ? 'denying needs a reason' : `the rule ${rule.name} asks for a reason`;
    throw new SallyportError('REQUEST_INVALID', needs, { remedy: 'say why with --reason' });
  }
  const { name } = reviewer;
  const signer = verify(given.signature, decisionText(origin, request, { verdict, reviewer: name, reason }), APPROVAL_NAMESPACE);
  if (signer.line !== lineOf(given.key)) throw notYours('the signature was not made with the key that is said to have made it');
  if (!reviewer.keys.includes(signer.line)) throw notYours(`the key that signed is none of ${name}`);
  if (signer.fingerprint === open.principalKey) throw notYours('the key that signed is the one that the request came with');
  if (open.decisions.some(({ key }) => key === signer.line)) throw notYours('this key has decided already, and another reviewer is needed');
  return { verdict, reviewer: name, reason, time: isoMicros(now), key: signer.line, signature: given.signature };
}

export type StateAfter = ApprovalState & ('waiting' | 'approved' | 'denied' | 'review' | 'reviewed');

/** What a request is once a decision is added. One who denies is enough; of break-glass everybody is heard. */
export function stateAfter({ state, decisions, request }: OpenRequest, { verdict }: SignedDecision): StateAfter {
  const enough = decisions.length + 1 >= request.needed;
  if (state === 'review') return enough ? 'reviewed' : 'review';
  if (verdict === 'deny') return 'denied';
  return enough ? 'approved' : 'waiting';
}

export function recordOf(request: ApprovalRequest, decision: SignedDecision, state: StateAfter, by: Actor): RecordDraft {
  const { verdict, reason, key, signature } = decision;
  const { name, kind, address } = request.target;
  const signed = { approval: request.id, digest: request.digest, verdict, reason, key, signature };
  const envelope = {
    outcome: verdict === 'approve' ? ('success' as const) : ('denied' as const),
    actor: by,
    target: { name, kind, ...(address === undefined ? {} : { address }) } as Resource,
    session: request.session,
  };
  if (state === 'review' || state === 'reviewed') return { ...envelope, type: 'review.signed', body: signed };
  return { ...envelope, type: 'approval.decided', body: { ...signed, state } };
}

function lineOf(key: string): string {
  return key
    .trim()
    .split(/[ \t]+/)
    .slice(0, 2)
    .join(' ');
}

function over(why: string): SallyportError {
  return new SallyportError('APPROVAL_OVER', `this request cannot be decided any more: ${why}`, {
    remedy: 'look at it again: sallyport approvals',
  });
}

export function notYours(why: string): SallyportError {
  return new SallyportError('APPROVAL_NOT_YOURS', `this is not yours to decide: ${why}`, { remedy: 'have another reviewer decide' });
}
