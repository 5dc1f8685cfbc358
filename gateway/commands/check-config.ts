import type { ApprovalRule } from '../approval/approval-rule.ts';
import { asSallyportError, describeError } from '../base/errors.ts';
import { checkPolicy, type PolicyCheck } from '../config/policy-check.ts';
import { type Config, type ConfigFault, type ConfigReading, describeFault, formatAddress, readConfig, type Target } from '../config.ts';
import { reasonAgainst } from '../identity/identify.ts';
import type { CedarPolicies } from '../policy/cedar/read-policies.ts';
import { policyFor, policyOfFile } from '../serve/policy.ts';
import { jsonLine, print } from './output.ts';

/** Prints every fault, or what a valid file says; as NDJSON one object per fault, or one with the summary. Exit 0 valid, 1 not. */
export async function checkConfig(file: string, { json = false }: { json?: boolean } = {}): Promise<number> {
  const say = (people: string, program: object) => print(json ? jsonLine(program) : `${people}\n`);
  let reading: ConfigReading;
  try {
    reading = readConfig(file);
  } catch (thrown) {
    const error = asSallyportError(thrown);
    await say(describeError(error), { valid: false, file, code: error.code, problem: error.message, mend: error.remedy });
    return 1;
  }
  const code = 'config' in reading ? 'POLICY_INVALID' : 'CONFIG_INVALID';
  const wrong = 'config' in reading ? await summarize(reading.config, say) : reading;
  if (wrong === undefined) return 0;
  const { faults, more } = wrong;
  for (const fault of faults) await say(describeFault(fault), { ...faultObject(fault), code });
  const count = faults.length + more;
  if (!json)
    await print(
      `\n${count} ${count === 1 ? 'fault' : 'faults'} in ${file}${more > 0 ? `, of which the first ${faults.length} are listed` : ''}\n`,
    );
  else if (more > 0) await print(jsonLine({ valid: false, file, code, problem: `${more} more faults`, mend: 'Mend those above first.' }));
  return 1;
}

function faultObject({ file, line, column, problem, mend }: ConfigFault): object {
  return { valid: false, file, line, column, problem, mend };
}

/** Says what a file means; or gives what is wrong with its policies. */
async function summarize(
  config: Config,
  say: (people: string, program: object) => Promise<void>,
): Promise<Extract<PolicyCheck, { faults: unknown }> | undefined> {
  const check = await checkPolicy(config);
  if (check !== undefined && 'faults' in check) return check;
  const { policySet, reach } = await whoReaches(config, check?.policies);
  const notes = check?.notes ?? [];
  await say(summaryText(config, reach, notes), summaryObject(config, policySet, reach, notes));
  return undefined;
}

function summaryObject(config: Config, policySet: string, reach: Reach, notes: readonly string[]): object {
  return {
    valid: true,
    file: config.path,
    hash: config.hash,
    policySet,
    ...(config.policy === undefined ? {} : { policy: config.policy.path }),
    ...(notes.length === 0 ? {} : { notes }),
    listeners: listenersOf(config),
    data: config.gateway.data,
    principals: [...config.principals.values()].map(({ name, kind, onBehalfOf, groups, sshKeys, disabled }) => ({
      name,
      kind,
      onBehalfOf,
      groups,
      keys: sshKeys.map((key) => key.fingerprint),
      disabled,
    })),
    targets: [...config.targets.values()].map((target) => ({
      name: target.name,
      kind: target.kind,
      address: addressOf(target),
      ...(reach === undefined ? {} : { reachableBy: reach.get(target.name) ?? [] }),
    })),
    ...(config.approvals.size === 0
      ? {}
      : { approvals: [...config.approvals.values()].map((rule) => ({ ...rule, couldDecide: reviewersOf(rule, config) })) }),
  };
}

function summaryText(config: Config, reach: Reach, notes: readonly string[]): string {
  const listeners = listenersOf(config).map(({ protocol, address }) => `  ${protocol} on ${address}`);
  const principals = [...config.principals.values()].map(
    ({ name, kind, onBehalfOf, sshKeys, disabled }) =>
      `  ${name}, ${kind}${onBehalfOf === undefined ? '' : ` for ${onBehalfOf}`}, ${sshKeys.length} ${sshKeys.length === 1 ? 'key' : 'keys'}${disabled ? ', disabled' : ''}`,
  );
  const targets = [...config.targets.values()].map((target) => {
    const address = addressOf(target);
    const who = reach?.get(target.name)?.join(', ');
    const words = who === undefined ? '' : `: ${who === '' ? 'nobody may connect' : who}`;
    return `  ${target.name}, ${target.kind}${address === undefined ? '' : ` at ${address}`}${words}`;
  });
  const approvals = [...config.approvals.values()].map(
    (rule) => `  ${rule.name}${rule.breakGlass ? ', break-glass' : ''}, ${rule.needed} of ${reviewersOf(rule, config).join(', ')}`,
  );
  return [
    `${config.path}: the configuration is valid`,
    ...listed('Listeners', listeners),
    ...listed('Principals', principals),
    ...listed(
      reach === undefined
        ? 'Targets (too many to say who reaches each; sallyport policy try says it of one)'
        : config.policy === undefined
          ? 'Targets, and who may reach them'
          : 'Targets, and who may reach them from here and now',
      targets,
    ),
    ...(approvals.length === 0 ? [] : listed('Approvals, and who could decide', approvals)),
    ...(notes.length === 0
      ? []
      : listed(
          'Worth a look',
          notes.map((note) => `  ${note}`),
        )),
  ].join('\n');
}

function listed(title: string, lines: readonly string[]): string[] {
  return [`${title}:`, ...(lines.length === 0 ? ['  none'] : lines)];
}

function listenersOf(config: Config): { protocol: string; address: string }[] {
  const { ssh } = config.gateway.listen;
  return ssh === undefined ? [] : [{ protocol: 'ssh', address: formatAddress(ssh) }];
}

function addressOf(target: Target): string | undefined {
  return target.kind === 'ssh' ? formatAddress(target.address) : undefined;
}

/** Names of principals by the name of the target; `(asks)` behind those who need an approval. */
type Reach = ReadonlyMap<string, readonly string[]> | undefined;

/** A policy file is asked about each of them, some thousands a second. */
const MOST_PAIRS = 40_000;

/** Asks policy itself, so that the summary cannot differ from what will be decided. */
async function whoReaches(config: Config, policies: CedarPolicies | undefined): Promise<{ policySet: string; reach: Reach }> {
  const policy = policies === undefined ? await policyFor(config) : await policyOfFile(policies, config);
  const circumstances = { time: Date.now() * 1000, source: '127.0.0.1:0', authentication: 'publickey', sessionAge: 0 };
  const principals = [...config.principals.values()].filter(({ name }) => mayEnter(name, config));
  if (policies !== undefined && principals.length * config.targets.size > MOST_PAIRS)
    return { policySet: policy.policySet, reach: undefined };
  const reach = new Map<string, string[]>([...config.targets.keys()].map((name) => [name, []]));
  for (const { name, kind, groups, onBehalfOf } of principals) {
    const principal = { name, kind, groups, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) };
    for (const target of config.targets.values()) {
      const { verdict } = policy.decide({ principal, target, action: 'connect', facts: {}, circumstances });
      if (verdict !== 'deny') reach.get(target.name)?.push(verdict === 'ask' ? `${name} (asks)` : name);
    }
  }
  return { policySet: policy.policySet, reach };
}

function reviewersOf({ reviewers }: ApprovalRule, config: Config): string[] {
  return [...config.principals.values()]
    .filter(({ operator, disabled }) => operator.includes('reviewer') && !disabled)
    .filter(({ name, groups }) => reviewers.names.includes(name) || groups.some((group) => reviewers.groups.includes(group)))
    .map(({ name }) => name);
}

function mayEnter(name: string, config: Config): boolean {
  const principal = config.principals.get(name);
  if (principal === undefined || reasonAgainst(principal, config.principals) !== undefined) return false;
  const { certificates, workloads } = config;
  const certified = certificates.authorities.length > 0 || workloads.some(({ agents }) => agents.some(({ agent }) => agent === name));
  return principal.sshKeys.length > 0 || certified;
}
