import { asSallyportError, describeError } from '../base/errors.ts';
import { type Config, type ConfigFault, type ConfigReading, describeFault, formatAddress, readConfig, type Target } from '../config.ts';
import { reasonAgainst } from '../identity/identify.ts';
import { policyOf } from '../policy/allow-list.ts';
import { visibleTargets } from '../policy/decide.ts';
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
  if ('config' in reading) {
    await say(summaryText(reading.config), summaryObject(reading.config));
    return 0;
  }
  const { faults, more } = reading;
  for (const fault of faults) await say(describeFault(fault), faultObject(fault));
  const count = faults.length + more;
  if (!json)
    await print(
      `\n${count} ${count === 1 ? 'fault' : 'faults'} in ${file}${more > 0 ? `, of which the first ${faults.length} are listed` : ''}\n`,
    );
  else if (more > 0)
    await print(jsonLine({ valid: false, file, code: 'CONFIG_INVALID', problem: `${more} more faults`, mend: 'Mend those above first.' }));
  return 1;
}

function faultObject({ file, line, column, problem, mend }: ConfigFault): object {
  return { valid: false, file, line, column, code: 'CONFIG_INVALID', problem, mend };
}

function summaryObject(config: Config): object {
  return {
    valid: true,
    file: config.path,
    hash: config.hash,
    policySet: policyOf(config.targets.values()).policySet,
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
      reachableBy: whoReaches(target, config),
    })),
  };
}

function summaryText(config: Config): string {
  const listeners = listenersOf(config).map(({ protocol, address }) => `  ${protocol} on ${address}`);
  const principals = [...config.principals.values()].map(
    ({ name, kind, onBehalfOf, sshKeys, disabled }) =>
      `  ${name}, ${kind}${onBehalfOf === undefined ? '' : ` for ${onBehalfOf}`}, ${sshKeys.length} ${sshKeys.length === 1 ? 'key' : 'keys'}${disabled ? ', disabled' : ''}`,
  );
  const targets = [...config.targets.values()].map((target) => {
    const address = addressOf(target);
    const who = whoReaches(target, config);
    return `  ${target.name}, ${target.kind}${address === undefined ? '' : ` at ${address}`}: ${who.length === 0 ? 'nobody may connect' : who.join(', ')}`;
  });
  return [
    `${config.path}: the configuration is valid`,
    ...listed('Listeners', listeners),
    ...listed('Principals', principals),
    ...listed('Targets, and who may reach them', targets),
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

/** Asks policy itself, so that the summary cannot differ from what will be decided. */
function whoReaches(target: Target, config: Config): string[] {
  const policy = policyOf([target]);
  return [...config.principals.values()]
    .filter((principal) => mayEnter(principal.name, config) && visibleTargets(principal, policy).length > 0)
    .map(({ name }) => name);
}

function mayEnter(name: string, config: Config): boolean {
  const principal = config.principals.get(name);
  if (principal === undefined || reasonAgainst(principal, config.principals) !== undefined) return false;
  const { certificates, workloads } = config;
  const certified = certificates.authorities.length > 0 || workloads.some(({ agents }) => agents.some(({ agent }) => agent === name));
  return principal.sshKeys.length > 0 || certified;
}
