import { createHash } from 'node:crypto';
import { APPROVAL_NAMESPACE, type ApprovalRequest, boundText, decisionText } from '../../../contract/approval.ts';
import type { AuditRecord, RecordBody } from '../../../contract/record.ts';
import { asSallyportError } from '../../base/errors.ts';
import { verifySshSignature } from '../../ledger/ssh-signature.ts';

/** A request as a record has it: the same members, checked by the record's schema. */
export type RecordedRequest = RecordBody<'approval.asked'>['request'];
/** A record in which a reviewer's signature stands. */
export type SignedRecord = AuditRecord<'approval.decided'> | AuditRecord<'review.signed'>;

/** What a reviewer's signature says, and what is wrong with it. */
export interface ReadDecision {
  /** The exact text that was to be signed; undefined where the request cannot be written in canonical form. */
  text: string | undefined;
  /** The key as a line, and its fingerprint as OpenSSH prints it. Of what the record says where the signature is not good. */
  key: string;
  fingerprint: string;
  /** In words, to follow "the signature". Undefined when exactly this text was signed with exactly this key. */
  wrong: string | undefined;
}

/** Makes the signed text anew from the request and the record, and checks the signature over it. */
export function readDecision(origin: string, request: RecordedRequest, { actor, body }: SignedRecord): ReadDecision {
  const key = lineOf(body.key);
  const decision = { key, fingerprint: fingerprintOf(key) };
  let text: string;
  try {
    text = decisionText(origin, asRequest(request), { verdict: body.verdict, reviewer: actor.principal, reason: body.reason });
  } catch (thrown) {
    return { ...decision, text: undefined, wrong: `cannot be checked: ${asSallyportError(thrown).message}` };
  }
  try {
    const signer = verifySshSignature(body.signature, Buffer.from(text, 'utf8'), APPROVAL_NAMESPACE);
    const wrong = signer.line === key ? undefined : 'was made with another key than the record names';
    return { ...decision, text, wrong };
  } catch (thrown) {
    return { ...decision, text, wrong: `does not verify: ${asSallyportError(thrown).message}` };
  }
}

/** SHA-256 of what an approval is bound to; undefined where it cannot be written in canonical form. */
export function boundDigest(request: RecordedRequest): string | undefined {
  try {
    return createHash('sha256')
      .update(boundText(asRequest(request)), 'utf8')
      .digest('hex');
  } catch {
    return undefined;
  }
}

/** Why this reviewer may not decide on this request, in words, or undefined. No role overrides it. */
export function conflictOfInterest(request: RecordedRequest, { actor }: SignedRecord): string | undefined {
  if (actor.principal === request.principal) return `${actor.principal} decided on their own request`;
  if (actor.principal === request.onBehalfOf) return `${actor.principal} decided on a request of ${request.principal}, who acts for them`;
  if (actor.onBehalfOf !== undefined && actor.onBehalfOf === (request.onBehalfOf ?? request.principal))
    return `${actor.principal} acts for ${actor.onBehalfOf}, for whom the request was made as well`;
  if (actor.kind !== 'human') return `${actor.principal} decided, who is no human`;
  return undefined;
}

/** `SHA256:` and base64 without padding, of the key in a line. */
export function fingerprintOf(line: string): string {
  const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Type and key, without a comment. */
export function lineOf(key: string): string {
  return key.trim().split(/\s+/, 2).join(' ');
}

/** Members that a record does not have are missing and not undefined, which is the same in canonical form. */
function asRequest(request: RecordedRequest): ApprovalRequest {
  return request as ApprovalRequest;
}
