import type { ActionRequest, Decision, PrincipalFacts, TargetFacts } from '../../contract/policy.ts';
import type { PolicyInForce, TargetRules } from './allow-list.ts';

/** What policy reads of a principal. */
export type Applicant = Pick<PrincipalFacts, 'name' | 'groups'>;

/**
 * Whether an action may be done. Pure: the same request and policy give the same decision. What no rule allows is
 * denied, and so is what is not understood.
 */
export function decide(request: ActionRequest, policy: PolicyInForce): Decision {
  const { principal, target, action, facts } = request;
  const rules = policy.targets.get(target.name);
  if (rules === undefined) return deny(policy, 'targets', `no target is named ${target.name}`);
  const allowRule = `targets.${rules.name}.allow`;
  const grounds = groundsFor(principal, rules);
  if (grounds === undefined) return deny(policy, allowRule, `${allowRule} names neither ${principal.name} nor a group of it`);
  const allowed: Decision = {
    verdict: 'allow',
    policies: [allowRule],
    policySet: policy.policySet,
    reason: `${allowRule} names ${grounds}`,
  };
  switch (action) {
    case 'connect':
    case 'ssh:shell':
    case 'ssh:exec':
    case 'ssh:subsystem':
    case 'ssh:read-file':
    case 'ssh:write-file':
      return allowed;
    case 'ssh:forward':
      return decideForwarding(
        directions.find((known) => known === facts.direction),
        rules,
        policy,
      );
    case 'ssh:agent-forward':
      return decideForwarding('agent', rules, policy);
    case 'ssh:input':
      return deny(policy, allowRule, 'what is typed is not decided by rules');
    default:
      return deny(policy, allowRule, `no rule speaks of the action ${String(action satisfies never)}`);
  }
}

/** The targets that a principal may connect to, by name: what a menu or a list shows. Others do not exist for it. */
export function visibleTargets(principal: Applicant, policy: PolicyInForce): readonly TargetFacts[] {
  return [...policy.targets.values()]
    .filter((rules) => groundsFor(principal, rules) !== undefined)
    .map(({ name, kind, tags }) => ({ name, kind, tags }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const directions = ['local', 'remote'] as const;
const wordsFor = { local: 'local forwarding', remote: 'remote forwarding', agent: 'agent forwarding' } as const;

function decideForwarding(what: keyof typeof wordsFor | undefined, rules: TargetRules, policy: PolicyInForce): Decision {
  const rule = `targets.${rules.name}.forwarding`;
  if (what === undefined) return deny(policy, rule, 'the direction of the forwarding is not known');
  if (!rules.forwarding.includes(what)) return deny(policy, rule, `${rule} does not allow ${wordsFor[what]}`);
  const policies = [`targets.${rules.name}.allow`, rule];
  return { verdict: 'allow', policies, policySet: policy.policySet, reason: `${rule} allows ${wordsFor[what]}` };
}

/** Which entry of `allow` lets somebody in, in words. */
function groundsFor(principal: Applicant, rules: TargetRules): string | undefined {
  for (const entry of rules.allow) {
    if (typeof entry === 'string') {
      if (entry === principal.name) return entry;
    } else if (principal.groups.includes(entry.group)) {
      return `the group ${entry.group}`;
    }
  }
  return undefined;
}

function deny(policy: PolicyInForce, rule: string, reason: string): Decision {
  return { verdict: 'deny', policies: [rule], policySet: policy.policySet, reason };
}
