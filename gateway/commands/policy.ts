import { resolve } from 'node:path';
import { type Action, type ActionRequest, actions, type Decision } from '../../contract/policy.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { readConfigFile } from '../config/file.ts';
import { checkPolicy } from '../config/policy-check.ts';
import type { Config } from '../config/types.ts';
import { type ConfigFault, describeFault, loadConfig } from '../config.ts';
import type { Policy } from '../policy/policy.ts';
import { periodFrom, periodTo } from '../query/period.ts';
import { policyFor, policyOfFile } from '../serve/policy.ts';
import { Database } from '../store/database.ts';
import { jsonLine, print } from './output.ts';
import { factsInWords, type ReplayedDecision, type ReplaySummary, replayDecisions } from './replay-decisions.ts';

export interface TryOptions {
  config: string;
  policy?: string;
  principal: string;
  target: string;
  action: string;
  command?: string;
  path?: string;
  to?: string;
  operation?: string;
  subsystem?: string;
  terminal?: boolean;
  facts?: string;
  source?: string;
  time?: string;
  json?: boolean;
}

export interface ReplayOptions {
  config: string;
  data?: string;
  policy: string;
  from?: string;
  to?: string;
  json?: boolean;
}

/** Decides one action that somebody describes, as the gateway would. Exit 1 when it is denied. */
export async function tryPolicy(options: TryOptions): Promise<number> {
  const config = loadConfig(options.config);
  const request = requestOf(options, config);
  const policy = options.policy === undefined ? await policyFor(config) : await policyFromFile(options.policy, config);
  const decision = policy.decide(request);
  await print(options.json === true ? jsonLine({ ...decision, request: { ...request } }) : inWords(decision));
  return decision.verdict === 'deny' ? 1 : 0;
}

/** Which decisions of a period another policy would change. */
export async function replayPolicy(options: ReplayOptions): Promise<number> {
  const config = loadConfig(options.config);
  const policy = await policyFromFile(options.policy, config);
  const period = {
    from: options.from === undefined ? undefined : periodFrom(options.from),
    to: options.to === undefined ? undefined : periodTo(options.to),
  };
  const database = await Database.openForReading(options.data ?? config.gateway.data);
  try {
    const decisions = replayDecisions(database, period, policy, config);
    let step = await decisions.next();
    for (; step.done !== true; step = await decisions.next()) {
      await print(options.json === true ? jsonLine(step.value) : changeInWords(step.value));
    }
    const summary = step.value;
    await print(options.json === true ? jsonLine({ summary }) : summaryInWords(summary, options.config));
    return 0;
  } finally {
    await database.close();
  }
}

/** A policy file beside the configuration, checked like the one in it. Throws POLICY_INVALID. */
async function policyFromFile(path: string, config: Config): Promise<Policy> {
  const { bytes } = readConfigFile(path);
  const check = await checkPolicy({ ...config, policy: { path: resolve(path), text: bytes.toString('utf8') } });
  if (check !== undefined && 'policies' in check) return policyOfFile(check.policies, config);
  throw new SallyportError('POLICY_INVALID', (check?.faults ?? []).map((fault: ConfigFault) => describeFault(fault)).join('\n'), {
    remedy: 'mend every line above',
  });
}

function requestOf(options: TryOptions, config: Config): ActionRequest {
  const principal = config.principals.get(options.principal);
  if (principal === undefined) throw misuse(`No principal is named ${options.principal}`, 'name a human or an agent of the configuration');
  const target = config.targets.get(options.target);
  if (target === undefined) throw misuse(`No target is named ${options.target}`, 'name a target of the configuration');
  const action = actions.find((known) => known === options.action && known !== 'ssh:input');
  if (action === undefined)
    throw misuse(`There is no action ${options.action}`, `the actions are ${actions.filter((known) => known !== 'ssh:input').join(', ')}`);
  const { name, kind, groups, onBehalfOf } = principal;
  const now = Date.now();
  return {
    principal: { name, kind, groups, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) },
    target: { name: target.name, kind: target.kind, tags: target.tags },
    action,
    facts: factsOf(action, options),
    circumstances: {
      time: (options.time === undefined ? now : Date.parse(periodFrom(options.time))) * 1000,
      source: options.source ?? '127.0.0.1:0',
      authentication: 'publickey',
      sessionAge: 0,
    },
  };
}

/** The facts as the protocol would give them. */
function factsOf(action: Action, options: TryOptions): Record<string, unknown> {
  const { command, path, to, operation, subsystem, terminal = false } = options;
  const given = options.facts === undefined ? {} : readFacts(options.facts);
  const needed = (value: string | undefined, option: string, member: string): Record<string, string> => {
    if (value !== undefined) return { [member]: value };
    if (member in given) return {};
    throw misuse(`It is not said what ${action} is about`, `add ${option}`);
  };
  switch (action) {
    case 'ssh:shell':
      return { terminal, ...given };
    case 'ssh:exec':
      return { ...needed(command, '--command COMMAND', 'command'), terminal, ...given };
    case 'ssh:subsystem':
      return { ...needed(subsystem, '--subsystem NAME', 'name'), terminal, ...given };
    case 'ssh:read-file':
    case 'ssh:write-file':
      return {
        operation: operation ?? 'open',
        ...needed(path, '--path PATH', 'path'),
        ...(to === undefined ? {} : { to }),
        ...(operation === undefined ? { flags: [action === 'ssh:read-file' ? 'read' : 'write'] } : {}),
        ...given,
      };
    case 'ssh:forward':
      return 'listen' in given
        ? { direction: 'remote', ...given }
        : { direction: 'local', ...needed(to, '--to HOST:PORT', 'to'), ...given };
    default:
      return given;
  }
}

function readFacts(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told in the line below.
  }
  throw misuse('--facts is not a JSON object', `for example --facts '{"operation":"rename","path":"/a","to":"/b"}'`);
}

function misuse(message: string, remedy: string): SallyportError {
  return new SallyportError('USAGE', message, { remedy });
}

const did = { allow: 'allowed', ask: 'asked', deny: 'denied' } as const;

function inWords({ verdict, rule, reason, policies, policySet, understood }: Decision): string {
  const lines = [
    `${did[verdict]}${rule === undefined ? '' : ` by the approval rule ${rule}`}: ${reason}`,
    `policies: ${policies.length === 0 ? 'none' : policies.join(', ')}`,
    `policy set: ${policySet}`,
    ...(understood === undefined ? [] : [`understood: ${JSON.stringify(understood)}`]),
  ];
  return `${lines.map((line) => printable(line)).join('\n')}\n`;
}

function changeInWords({ time, session, principal, target, action, facts, was, becomes, reason }: ReplayedDecision): string {
  const words = factsInWords(facts);
  const line = `${time}  ${session ?? 'no session'}  ${principal} at ${target}: ${action}${words === '' ? '' : ` ${words}`}`;
  return `${printable(line)}\n    ${did[was]} then, would be ${did[becomes]}: ${printable(reason)}\n`;
}

function summaryInWords(summary: ReplaySummary, config: string): string {
  const { decisions, changed, changes, undecidable, unknownPrincipals, unknownTargets, faults } = summary;
  const lines = [
    `${decisions} ${decisions === 1 ? 'decision' : 'decisions'} in the period, of which ${changed} would change`,
    ...Object.entries(changes).map(([change, count]) => `  ${change}: ${count}`),
    ...(undecidable > 0 ? [`${undecidable} cannot be decided again: their facts are erased or shortened in the record`] : []),
    `Groups, tags and the humans behind agents are those of ${config} today, not of the time.`,
    ...(unknownPrincipals.length > 0 ? [`No longer in it, and so in no group: ${unknownPrincipals.join(', ')}`] : []),
    ...(unknownTargets.length > 0 ? [`No longer in it, and so without tags: ${unknownTargets.join(', ')}`] : []),
    ...faults.map((fault) => `Fault: ${fault}`),
  ];
  return `${lines.map((line) => printable(line)).join('\n')}\n`;
}
