import { canonicalRules, policyOf, type RuledTarget } from './allow-list.ts';
import { decide, visibleTargets } from './decide.ts';
import type { Policy } from './policy.ts';

/** The policy that the targets' own `allow` and `forwarding` lists make, for configurations without a policy file. */
export function allowListPolicy(targets: Iterable<RuledTarget>): Policy {
  const inForce = policyOf(targets);
  return Object.freeze({
    policySet: inForce.policySet,
    source: 'allow-lists' as const,
    text: canonicalRules(inForce.targets),
    decide: (request) => decide(request, inForce),
    visibleTargets: (principal) => Promise.resolve(visibleTargets(principal, inForce)),
  } satisfies Policy);
}
