import { APPROVAL_NAMESPACE } from '../../../contract/approval.ts';
import { REVIEW_NAMESPACE } from '../../../contract/signed-statements.ts';
import type { DisclosedDecision } from '../verify/disclosed-decision.ts';

/*
 * What reviewers signed, as files that stock `ssh-keygen -Y verify` takes: the text, the signature, and who has which
 * key. Written by an export and made again by whoever verifies the bundle.
 */

/** Where they stand, by what they are about. */
export const SIGNED = { approval: 'approvals/', session: 'reviews/' } as const;
const NAMESPACES = { approval: APPROVAL_NAMESPACE, session: REVIEW_NAMESPACE } as const;
export const ALLOWED_SIGNERS = 'keys/reviewers.allowed_signers';

/** Paths below data/, with what stands in them. */
export function decisionFiles({ about, id, number, text, signature }: DisclosedDecision): [path: string, content: string][] {
  const name = `${SIGNED[about]}${id}.${number}`;
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

  take({ about, reviewer, key, good }: DisclosedDecision): void {
    if (good && NAME.test(reviewer)) this.#lines.add(`${reviewer} namespaces="${NAMESPACES[about]}" ${key}\n`);
  }

  get text(): string {
    return [...this.#lines].join('');
  }
}
