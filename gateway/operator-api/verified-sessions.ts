/** Sessions that are remembered one by one. */
const MOST_KNOWN = 10_000;

interface Outcome {
  readonly fine: boolean;
  /** Place of the last record of the session that was looked at, from 1. */
  readonly endSeq: number;
}

/**
 * What verifications said of sessions since this gateway runs. It is no evidence: whoever wants some verifies anew. Kept in
 * memory, so that nobody who edits files makes a session look verified.
 */
export class VerifiedSessions {
  readonly #outcomes = new Map<string, Outcome>();
  #upTo = 0;

  /** One session was verified, up to the record at `endSeq`. */
  set(session: string, fine: boolean, endSeq: number): void {
    this.#outcomes.delete(session);
    this.#outcomes.set(session, { fine, endSeq });
    if (this.#outcomes.size > MOST_KNOWN) this.#forgetOne();
  }

  /** The whole ledger was verified up to a size, with no fault but in these sessions. What was said of sessions before is over. */
  allUpTo(size: number, failed: readonly string[] = []): void {
    this.#outcomes.clear();
    this.#upTo = failed.length > MOST_KNOWN ? 0 : size;
    for (const session of failed.slice(0, MOST_KNOWN)) this.#outcomes.set(session, { fine: false, endSeq: size });
  }

  /** `endSeq`: of the record that ended it. Undefined where nobody looked at all of it. */
  of(session: string, endSeq: number): 'verified' | 'failed' | undefined {
    const known = this.#outcomes.get(session);
    if (known?.fine === false) return 'failed';
    return (known !== undefined && known.endSeq >= endSeq) || endSeq <= this.#upTo ? 'verified' : undefined;
  }

  /** A fault is never forgotten in favour of "all others are fine". */
  #forgetOne(): void {
    for (const [session, { fine }] of this.#outcomes) {
      if (!fine) continue;
      this.#outcomes.delete(session);
      return;
    }
    const [oldest] = this.#outcomes.keys();
    if (oldest !== undefined) this.#outcomes.delete(oldest);
    this.#upTo = 0;
  }
}
