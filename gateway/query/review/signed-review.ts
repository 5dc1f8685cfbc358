import type { AuditRecord } from '../../../contract/record.ts';
import { statementText } from '../../../contract/signed-statements.ts';
import { asSallyportError } from '../../base/errors.ts';
import { verifySshSignature } from '../../ledger/ssh-signature.ts';

/** What a reviewer's signature under a session says, and what is wrong with it. */
export interface ReadReview {
  /** The exact text that was to be signed; undefined where it cannot be written in canonical form. */
  readonly text: string | undefined;
  /** In words, to follow "the signature". Undefined when exactly this text was signed with exactly the key of the record. */
  readonly wrong: string | undefined;
}

/** Makes the signed text anew from the record, and checks the signature over it. `origin`: of the ledger. */
export function readReview(origin: string, { actor, session = '', body }: AuditRecord<'session.reviewed'>): ReadReview {
  const { subject, verdict, reason, key, signature } = body;
  let signed: { namespace: string; text: string };
  try {
    signed = statementText({ kind: 'review', origin, review: { session, subject, verdict, reviewer: actor.principal, reason } });
  } catch (thrown) {
    return { text: undefined, wrong: `cannot be checked: ${asSallyportError(thrown).message}` };
  }
  const { namespace, text } = signed;
  try {
    const { line } = verifySshSignature(signature, Buffer.from(text, 'utf8'), namespace);
    return { text, wrong: line === key ? undefined : 'was made with another key than the record names' };
  } catch (thrown) {
    return { text, wrong: `does not verify: ${asSallyportError(thrown).message}` };
  }
}

/** Why somebody may not sign a session off, in words, or undefined. No role overrides it. */
export function conflictWithSession(
  reviewer: string,
  { principal, onBehalfOf }: { readonly principal: string; readonly onBehalfOf: string | null | undefined },
): string | undefined {
  if (reviewer === principal) return `the session is ${principal}'s own`;
  if (reviewer === onBehalfOf) return `in the session ${principal} acted for ${reviewer}`;
  return undefined;
}
