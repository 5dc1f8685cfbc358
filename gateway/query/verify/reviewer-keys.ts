import { notice, type Place, type Report } from './finding.ts';

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

/** Which keys signed for whom. No record says whose a key is, so one that signs under two names is pointed out. */
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
    const name = `${reviewer} ${key}`;
    const known = this.#keys.get(name);
    if (known !== undefined) {
      known.decisions += 1;
      known.last = time;
      return;
    }
    if (this.#keys.size >= MOST_KEYS) return;
    this.#keys.set(name, { reviewer, key, fingerprint, decisions: 1, first: time, last: time });
    const owner = this.#owners.get(key);
    if (owner === undefined) this.#owners.set(key, reviewer);
    // Somebody may have been renamed. On the same request it is a fault, which is told there.
    else
      this.#report(
        notice(
          'unproven',
          where,
          `The key ${fingerprint} signs for ${reviewer} from here on, and signed for ${owner} before: are they one person?`,
        ),
      );
  }
}
