import { APPROVAL_NAMESPACE } from '../../../contract/approval.ts';
import type { DisclosedDecision } from '../verify/approval-checks.ts';

/*
 * What reviewers signed, as files that stock `ssh-keygen -Y verify` takes: the text, the signature, and who has which
 * key. Written by an export and made again by whoever verifies the bundle.
 */

export const APPROVALS = 'approvals/';
export const ALLOWED_SIGNERS = 'keys/reviewers.allowed_signers';

/** Paths below data/, with what stands in them. */
export function decisionFiles({ approval, number, text, signature }: DisclosedDecision): [path: string, content: string][] {
  const name = `${APPROVALS}${approval}.${number}`;
  return [
    [`${name}.json`, text],
    [`${name}.sig`, signature],
  ];
}

/** As the configuration takes names: nothing in one has a meaning in an `allowed_signers` file (ssh-keygen(1)). */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,127}$/u;

/** Whose signatures are good, each with the keys that made them: one line for each, in the order of the ledger. */
export class AllowedSigners {
  readonly #lines = new Set<string>();

  take({ reviewer, key, good }: DisclosedDecision): void {
    if (good && NAME.test(reviewer)) this.#lines.add(`${reviewer} namespaces="${APPROVAL_NAMESPACE}" ${key}\n`);
  }

  get text(): string {
    return [...this.#lines].join('');
  }
}
