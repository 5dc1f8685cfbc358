import { z } from 'zod';
import { APPROVAL_NAMESPACE, decisionText } from './approval.ts';
import { canonicalText } from './canonical.ts';
import { LOGIN_NAMESPACE, loginChallengeSchema } from './login-challenge.ts';
import { approvalRequestSchema } from './record.ts';

/**
 * What an operator's key signs (SSHSIG), from its parts to the exact text. Whoever holds a key makes the text itself from
 * the parts, so that nobody can have something else signed. Each kind has a namespace of its own (OpenSSH, PROTOCOL.sshsig).
 */

export const REVIEW_NAMESPACE = 'sallyport-review';
export const KEY_NAMESPACE = 'sallyport-key';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const reviewVerdicts = ['fine', 'concern'] as const;
export type ReviewVerdict = (typeof reviewVerdicts)[number];

/** That somebody has reviewed a session, and what they make of it. */
export const reviewStatementSchema = z.strictObject({
  session: z.string(),
  /** SHA-256 of `reviewSubject`: what there was to review. */
  subject: sha256,
  verdict: z.enum(reviewVerdicts),
  reviewer: z.string(),
  reason: z.string(),
});
export type ReviewStatement = z.infer<typeof reviewStatementSchema>;

export const signedStatementSchema = z.discriminatedUnion('kind', [
  /** A reviewer's word on a request for approval. */
  z.strictObject({
    kind: z.literal('approval'),
    origin: z.string(),
    request: approvalRequestSchema,
    decision: z.strictObject({ verdict: z.enum(['approve', 'deny']), reviewer: z.string(), reason: z.string() }),
  }),
  z.strictObject({ kind: z.literal('review'), origin: z.string(), review: reviewStatementSchema }),
  /** That this key is used by this operator: the proof that whoever registers a key holds it. `login`: of `whoami`; it is good once. */
  z.strictObject({ kind: z.literal('key'), origin: z.string(), operator: z.string(), key: z.string(), login: z.string() }),
]);
export type SignedStatement = z.infer<typeof signedStatementSchema>;

/** The challenge of a log-in, exactly as the gateway made it: canonical JSON of a `LoginChallenge`. */
export interface LoginStatement {
  readonly kind: 'login';
  readonly challenge: string;
}

/** Throws a TypeError for what is no challenge. */
export function loginText({ challenge }: LoginStatement): { namespace: string; text: string } {
  const read = loginChallengeSchema.safeParse(parsed(challenge));
  if (!read.success || canonicalText(read.data) !== challenge) throw new TypeError('this is no challenge of a log-in');
  return { namespace: LOGIN_NAMESPACE, text: challenge };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Namespace and exact text of a statement. `origin` is the ledger's. */
export function statementText(statement: SignedStatement): { namespace: string; text: string } {
  if (statement.kind === 'approval') {
    const { channel, onBehalfOf, justification, ...request } = statement.request;
    const { address, ...target } = request.target;
    const whole = {
      ...request,
      target: { ...target, ...(address === undefined ? {} : { address }) },
      ...(channel === undefined ? {} : { channel }),
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
      ...(justification === undefined ? {} : { justification }),
    };
    return { namespace: APPROVAL_NAMESPACE, text: decisionText(statement.origin, whole, statement.decision) };
  }
  if (statement.kind === 'review') {
    const { origin, review } = statement;
    return { namespace: REVIEW_NAMESPACE, text: canonicalText({ type: 'sallyport session review', version: 1, origin, review }) };
  }
  const { origin, operator, key, login } = statement;
  return { namespace: KEY_NAMESPACE, text: canonicalText({ type: 'sallyport signing key', version: 1, origin, operator, key, login }) };
}

/** The text whose SHA-256 is the subject of a review: every sealed segment, in the order of channels and segments. */
export function reviewSubject(session: string, segments: readonly { channel: number; segment: number; sha256: string }[]): string {
  const sealed = segments.map(({ channel, segment, sha256: digest }) => ({ channel, segment, sha256: digest }));
  return canonicalText({ session, segments: sealed });
}
