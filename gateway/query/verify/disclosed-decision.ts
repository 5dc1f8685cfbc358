import type { AuditRecord } from '../../../contract/record.ts';
import type { ReadReview } from '../review/signed-review.ts';

/** What a reviewer signed, as a bundle has it in files of its own. */
export interface DisclosedDecision {
  index: number;
  about: 'approval' | 'session';
  /** Of the request, or the session. */
  id: string;
  /** From 1, in the order of what was signed about the same. */
  number: number;
  text: string;
  signature: string;
  reviewer: string;
  key: string;
  /** The signature is that of the key, over the text. */
  good: boolean;
}

/** Numbers the sign-offs of each session, in the order of the ledger. */
export class DisclosedSignOffs {
  readonly #numbers = new Map<string, number>();

  /** Undefined where the text cannot be written, which is told where the sign-off is checked. */
  take(
    index: number,
    { actor, session, body }: AuditRecord<'session.reviewed'>,
    { text, wrong }: ReadReview,
  ): DisclosedDecision | undefined {
    if (session === undefined) return undefined;
    const number = (this.#numbers.get(session) ?? 0) + 1;
    this.#numbers.set(session, number);
    if (text === undefined) return undefined;
    const { key, signature } = body;
    return { index, about: 'session', id: session, number, text, signature, reviewer: actor.principal, key, good: wrong === undefined };
  }
}
