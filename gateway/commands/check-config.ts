import { asSallyportError, describeError } from '../base/errors.ts';
import { type Config, type ConfigFault, describeFault, formatAddress, readConfig, type Target } from '../config.ts';
import { reasonAgainst } from '../identity/identify.ts';
import { policyOf } from '../policy/allow-list.ts';
import { visibleTargets } from '../policy/decide.ts';

export interface CheckConfigOptions {
  /** NDJSON: one object per fault, or one with the summary. */
  readonly json?: boolean;
  readonly write?: (text: string) => void;
}

/** Prints every fault, or what a valid file says. Exit 0 valid, 1 not. */
export async function checkConfig(file: string, options: CheckConfigOptions = {}): Promise<number> {
  const write = options.write ?? ((text: string) => void process.stdout.write(text));
  const print = (people: string, program: object) => write(`${options.json === true ? JSON.stringify(program) : people}\n`);
  let reading: ReturnType<typeof readConfig>;
  try {
    reading = readConfig(file);
  } catch (thrown) {
    const error = asSallyportError(thrown);
    print(describeError(error), { valid: false, file, code: error.code, problem: error.message, mend: error.remedy });
    return 1;
  }
  if ('config' in reading) {
    print(summaryText(reading.config), summaryObject(reading.config));
    return 0;
  }
  for (const fault of reading.faults) print(describeFault(fault), faultObject(fault));
  const count = reading.faults.length + reading.more;
  if (reading.more > 0) print(`… and ${reading.more} more`, { valid: false, file, code: 'CONFIG_INVALID', problem: `${reading.more} more faults`, mend: 'Mend those above first.' });
  if (options.json !== true) write(`\n${count} ${count === 1 ? 'fault' : 'faults'} in ${file}\n`);
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
    targets: [...config.targets.values()].map((target) => ({ name: target.name, kind: target.kind, address: addressOf(target), reachableBy: whoReaches(target, config) })),
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
  const part = (title: string, lines: readonly string[]) => [`${title}:`, ...(lines.length === 0 ? ['  none'] : lines)];
  return [`${config.path}: the configuration is valid`, ...part('Listeners', listeners), ...part('Principals', principals), ...part('Targets, and who may reach them', targets)].join('\n');
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
  return [...config.principals.values()].filter((principal) => mayEnter(principal.name, config) && visibleTargets(principal, policy).length > 0).map(({ name }) => name);
}

function mayEnter(name: string, config: Config): boolean {
  const principal = config.principals.get(name);
  if (principal === undefined || reasonAgainst(principal, config.principals) !== undefined) return false;
  return principal.sshKeys.length > 0;
}
