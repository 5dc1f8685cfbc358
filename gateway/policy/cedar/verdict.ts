import type { ActionRequest, Decision } from '../../../contract/policy.ts';
import type { CedarPolicy } from './read-policies.ts';

/** What Cedar said: the policies that fit, and those that could not be evaluated, each in the order of the file. */
export interface Evaluated {
  readonly forbids: readonly CedarPolicy[];
  readonly permits: readonly CedarPolicy[];
  readonly failed: readonly { readonly policy: CedarPolicy; readonly error: string }[];
}

/**
 * The verdict. A forbid wins, and one that could not be evaluated might have been one. A permit without `@approval`
 * allows; if every one that fits has it, it is asked for. Nothing that fits: denied.
 */
export function verdictOf(evaluated: Evaluated, asked: Asked, breakGlass: ReadonlySet<string>): Omit<Decision, 'policySet' | 'understood'> {
  const { forbids, permits, failed } = evaluated;
  const what = `${asked.action} on ${asked.target}`;
  const broken = failed.find(({ policy }) => policy.effect === 'forbid');
  const [forbid] = forbids;
  if (forbid !== undefined) {
    const names = forbids.map(({ id }) => id);
    return {
      verdict: 'deny',
      policies: names,
      reason: `${what} is forbidden by ${listed(names)}${forbid.reason === undefined ? '' : `: ${forbid.reason}`}`,
    };
  }
  if (broken !== undefined) {
    const { policy, error } = broken;
    return {
      verdict: 'deny',
      policies: [policy.id],
      reason: `the policy ${quoted(policy.id)}, which may forbid ${what}, could not be evaluated: ${error}`,
    };
  }
  const open = permits.filter(({ approval }) => approval === undefined);
  if (open.length > 0) {
    const names = open.map(({ id }) => id);
    return { verdict: 'allow', policies: names, reason: `${what} is permitted by ${listed(names)}` };
  }
  const asks = permits.find(({ approval }) => !breakGlass.has(approval ?? '')) ?? permits[0];
  if (asks?.approval !== undefined) {
    const names = permits.filter(({ approval }) => approval === asks.approval).map(({ id }) => id);
    return {
      verdict: 'ask',
      policies: names,
      rule: asks.approval,
      reason: `${what} needs an approval (${asks.approval}) by ${listed(names)}`,
    };
  }
  const [first] = failed;
  if (first === undefined) return { verdict: 'deny', policies: [], reason: `no policy permits ${what}` };
  return {
    verdict: 'deny',
    policies: [],
    reason: `no policy permits ${what}; ${quoted(first.policy.id)} could not be evaluated: ${first.error}`,
  };
}

interface Asked {
  readonly action: ActionRequest['action'];
  /** The target's name. */
  readonly target: string;
}

/** More names than these help nobody. */
const MOST_NAMED = 5;

function listed(ids: readonly string[]): string {
  const named = ids.slice(0, MOST_NAMED).map(quoted);
  if (ids.length > named.length) named.push(`${ids.length - named.length} more`);
  return named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
}

function quoted(id: string): string {
  return `"${id}"`;
}
