import type { Action, ActionRequest, Circumstances } from '../../contract/policy.ts';
import { type CedarPolicies, type PolicyReading, readPolicies } from '../../gateway/policy/cedar/read-policies.ts';
import { cedarPolicy } from '../../gateway/policy/cedar-policy.ts';
import type { Policy } from '../../gateway/policy/policy.ts';

export const human = { name: 'engineer@example.com', kind: 'human', groups: ['platform'] } as const;
export const agent = { name: 'deploy-bot', kind: 'agent', onBehalfOf: human.name, groups: ['bots'] } as const;
export const prod = { name: 'web-1', kind: 'ssh', tags: { env: 'prod', team: 'web' } } as const;
export const dev = { name: 'box', kind: 'shell', tags: {} } as const;

/** A Wednesday, 10:30 UTC. */
export const circumstances: Circumstances = {
  time: Date.parse('2026-03-04T10:30:00Z') * 1000,
  source: '10.1.2.3:50000',
  authentication: 'publickey',
  sessionAge: 60,
};

export function request(action: Action, facts: ActionRequest['facts'] = {}, changes: Partial<ActionRequest> = {}): ActionRequest {
  return { principal: agent, target: prod, action, facts, circumstances, ...changes };
}

export function exec(command: string, changes: Partial<ActionRequest> = {}): ActionRequest {
  return request('ssh:exec', { command, terminal: false }, changes);
}

/** Reads policies that have to be right. */
export async function policiesOf(text: string): Promise<CedarPolicies> {
  const reading = await readPolicies(text);
  if ('policies' in reading) return reading.policies;
  throw new Error(linesOf(reading).join('\n'));
}

export async function policyOfText(text: string, breakGlass: readonly string[] = []): Promise<Policy> {
  return cedarPolicy(await policiesOf(text), {
    humans: new Map([[human.name, human]]),
    targets: [prod, dev],
    breakGlass: new Set(breakGlass),
  });
}

/** Every fault as `line:column problem`. */
export function linesOf(reading: PolicyReading): string[] {
  return 'faults' in reading ? reading.faults.map(({ line, column, problem }) => `${line}:${column} ${problem}`) : [];
}
