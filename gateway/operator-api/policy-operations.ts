import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { ActionRequest, Decision, PrincipalFacts, TargetFacts } from '../../contract/policy.ts';
import type { Clock } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import type { Performers } from './operations.ts';

export interface PolicyParts {
  /** The policy in force. */
  readonly decide: (request: ActionRequest) => Decision;
  readonly principal: (name: string) => PrincipalFacts | undefined;
  readonly target: (name: string) => TargetFacts | undefined;
  readonly clock: Clock;
}

export function policyOperations(parts: PolicyParts): Pick<Performers, 'policy.try'> {
  return { 'policy.try': async (input) => tryPolicy(input, parts) };
}

/** Nothing happens, and nothing is recorded: it is a question about rules, not about anybody's access. */
function tryPolicy(input: OperationInput<'policy.try'>, parts: PolicyParts): OperationOutput<'policy.try'> {
  const principal = parts.principal(input.principal);
  if (principal === undefined) throw unknown('NOT_FOUND', `no principal of the configuration is named ${input.principal}`);
  const target = parts.target(input.target);
  if (target === undefined) throw unknown('TARGET_UNKNOWN', `no target of the configuration is named ${input.target}`);
  const { action, facts, source, authentication, sessionAge } = input;
  const time = input.time === undefined ? parts.clock.wallMicros() : microsOf(input.time);
  const decision = parts.decide({ principal, target, action, facts, circumstances: { time, source, authentication, sessionAge } });
  const { verdict, policies, policySet, reason, rule, understood } = decision;
  return {
    verdict,
    policies: [...policies],
    policySet,
    reason,
    ...(rule === undefined ? {} : { rule }),
    ...(understood === undefined ? {} : { understood: { ...understood } }),
  };
}

function microsOf(text: string): number {
  const millis = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isFinite(millis)) throw new SallyportError('REQUEST_INVALID', 'time: write it as 2026-03-01T09:30:00Z');
  return millis * 1000;
}

function unknown(code: 'NOT_FOUND' | 'TARGET_UNKNOWN', message: string): SallyportError {
  return new SallyportError(code, message, { remedy: 'sallyport check-config FILE lists those there are' });
}
