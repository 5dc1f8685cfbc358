import { fault, type Place, type Report } from './finding.ts';

/** A key that a reviewer signed decisions with, so that somebody can compare it with the reviewer's own. */
export interface ReviewerKey {
  reviewer: string;
  /** As a line of an `authorized_keys` or `allowed_signers` file has it, and as OpenSSH prints it. */
  key: string;
  fingerprint: string;
  decisions: number;
  first: string;
  last: string;
}

/** Reviewers and their keys are a few; who makes up more is told of by other faults. */
const MOST_KEYS = 2000;

/** Which keys signed for whom. No record says whose a key is: a key that signs for two people is at least one too many. */
export class ReviewerKeys {
  readonly #report: Report;
  readonly #keys = new Map<string, ReviewerKey>();
  readonly #owners = new Map<string, string>();

  constructor(report: Report) {
    this.#report = report;
  }

  get all(): ReviewerKey[] {
    return [...this.#keys.values()];
  }

  take(reviewer: string, { key, fingerprint }: { key: string; fingerprint: string }, time: string, where: Place): void {
    const owner = this.#owners.get(key);
    if (owner !== undefined && owner !== reviewer)
      this.#report(
        fault(
          'inconsistent',
          where,
          `The key ${fingerprint} signed for ${reviewer}, and before that for ${owner}: one key does not stand for two people`,
        ),
      );
    const name = `${reviewer} ${key}`;
    const known = this.#keys.get(name);
    if (known !== undefined) {
      known.decisions += 1;
      known.last = time;
    } else if (this.#keys.size < MOST_KEYS) {
      this.#keys.set(name, { reviewer, key, fingerprint, decisions: 1, first: time, last: time });
      if (owner === undefined) this.#owners.set(key, reviewer);
    }
  }
}
