import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { SallyportError } from './base/errors.ts';
import { certificatesOf } from './config/certificates-schema.ts';
import { checkConfig, type ReadConfig } from './config/check.ts';
import { parseConfigDocument } from './config/document.ts';
import { type ConfigFault, describeFault } from './config/fault.ts';
import { type ConfigFile, readConfigFile } from './config/file.ts';
import { Findings } from './config/findings.ts';
import { oidcOf } from './config/oidc-schema.ts';
import { absoluteCertificate, absoluteCredential, absoluteReference } from './config/references.ts';
import type { ReadTarget } from './config/target-schema.ts';
import type { Config, Target } from './config/types.ts';
import { workloadsOf } from './config/workloads-schema.ts';
import type { Principal } from './identity/principal.ts';
import type { Environment } from './identity/target-credentials.ts';

export type { ConfigFault } from './config/fault.ts';
export { describeFault } from './config/fault.ts';
export type {
  Config,
  Forwarding,
  GatewayConfig,
  LimitsConfig,
  ListenAddress,
  LockoutConfig,
  RecordingConfig,
  ShellTarget,
  SshConfig,
  SshTarget,
  Target,
} from './config/types.ts';
export { formatAddress } from './config/units.ts';
export type { OperatorRole, Principal } from './identity/principal.ts';
export type { CredentialReference, SecretReference } from './identity/secret-reference.ts';
export type { SshPublicKey } from './identity/ssh-public-key.ts';
export type { AllowEntry } from './policy/allow-list.ts';

/** A configuration, or everything that is wrong with it in the order of the file. */
export type ConfigReading =
  | { readonly config: Config }
  | { readonly faults: readonly ConfigFault[] /** Faults beyond those listed. */; readonly more: number };

/** Reads and checks a file; throws CONFIG_INVALID, whose message has a line for every fault, or CONFIG_UNREADABLE. */
export function loadConfig(path: string, environment: Environment = process.env): Config {
  const reading = readConfig(path, environment);
  if ('config' in reading) return reading.config;
  const lines = reading.faults.map(describeFault);
  if (reading.more > 0) lines.push(`… and ${reading.more} more`);
  throw new SallyportError('CONFIG_INVALID', lines.join('\n'), {
    remedy: 'Mend every line above; `sallyport check-config FILE` shows them again.',
  });
}

/** The same for those who show faults one by one. Throws CONFIG_UNREADABLE when there is no such file to check. */
export function readConfig(path: string, environment: Environment = process.env): ConfigReading {
  const file = readConfigFile(path);
  const document = parseConfigDocument(path, file.bytes);
  const findings = new Findings();
  if (file.writableByAnybody)
    findings.add([], 'value', 'everybody may change this file, and so decide who enters', `Run: chmod o-w ${path}`);
  const directory = dirname(resolve(path));
  const read = document.root === undefined ? undefined : checkConfig(document.root, findings, { directory, environment });
  const faults = [...document.faults, ...findings.all.map((finding) => document.locate(finding))].toSorted(
    (a, b) => a.line - b.line || a.column - b.column,
  );
  if (faults.length > 0 || read === undefined) return { faults, more: findings.more };
  return { config: build(read, resolve(path), file) };
}

function build({ root, humans, agents, targets, policy, approvals }: ReadConfig, path: string, file: ConfigFile): Config {
  const directory = dirname(path);
  const principals = [
    ...humans.map((human): Principal => ({ ...principalOf(human), kind: 'human', operator: human.operator })),
    ...agents.map((agent): Principal => ({ ...principalOf(agent), kind: 'agent', onBehalfOf: agent['on-behalf-of'], operator: [] })),
  ];
  return deepFreeze({
    path,
    hash: file.hash,
    gateway: gatewayOf(root.gateway, directory),
    principals: readOnlyMap(principals),
    targets: readOnlyMap(targets.map((target) => targetOf(target, directory))),
    ...(policy === undefined ? {} : { policy }),
    approvals: readOnlyMap(approvals),
    recording: recordingOf(root.recording),
    limits: limitsOf(root.limits),
    ssh: sshOf(root.ssh),
    ledger: ledgerOf(root.ledger, directory),
    ...(root.oidc === undefined ? {} : { oidc: oidcOf(root.oidc, (reference) => absoluteReference(reference, directory)) }),
    certificates: certificatesOf(root.certificates, directory),
    workloads: workloadsOf(root.workloads, directory),
  });
}

function gatewayOf(
  { listen: { ssh, https }, data, name, certificate }: ReadConfig['root']['gateway'],
  directory: string,
): Config['gateway'] {
  return {
    listen: { ...(ssh === undefined ? {} : { ssh }), ...(https === undefined ? {} : { https }) },
    data: resolve(directory, data),
    name: name ?? hostname(),
    ...(certificate === undefined ? {} : { certificate: absoluteCertificate(certificate, directory) }),
  };
}

function principalOf(read: ReadConfig['humans'][number] | ReadConfig['agents'][number]) {
  return { name: read.name, groups: read.groups, sshKeys: read['ssh-keys'], disabled: read.disabled };
}

function targetOf(read: ReadTarget, directory: string): Target {
  const { name, tags, allow, environment, recording, retain, idle } = read;
  const common = {
    name,
    tags,
    allow,
    environment,
    recording: overridesOf(recording),
    ...(retain === undefined ? {} : { retainSeconds: retain }),
    ...(idle === undefined ? {} : { idle }),
  };
  if (read.kind === 'shell') {
    const { kind, user, shell, directory: start } = read;
    return {
      kind,
      ...common,
      ...(user === undefined ? {} : { user }),
      ...(shell === undefined ? {} : { shell }),
      ...(start === undefined ? {} : { directory: start }),
    };
  }
  const { kind, address, 'host-key': hostKey, login, credential, passphrase, forwarding } = read;
  return {
    kind,
    ...common,
    address,
    hostKey,
    login,
    credential: absoluteCredential(credential, directory),
    ...(passphrase === undefined ? {} : { passphrase: absoluteReference(passphrase, directory) }),
    forwarding,
  };
}

function overridesOf({ content, input }: ReadTarget['recording']): Target['recording'] {
  return { ...(content === undefined ? {} : { content }), ...(input === undefined ? {} : { input }) };
}

function recordingOf({ retain, ...read }: ReadConfig['root']['recording']): Config['recording'] {
  const { 'retain-by-tag': byTag, 'segment-after': segmentSeconds, ...same } = read;
  const retainByTag = byTag.map((rule) => ({ tags: rule.tags, retainSeconds: rule.retain }));
  return { ...same, retainSeconds: retain, retainByTag, segmentSeconds };
}

function limitsOf(read: ReadConfig['root']['limits']): Config['limits'] {
  const {
    'sessions-per-principal': sessionsPerPrincipal,
    'channels-per-session': channelsPerSession,
    'keep-alive': keepAlive,
    'auth-attempts': authAttempts,
    lockout,
    ...same
  } = read;
  return {
    ...same,
    sessionsPerPrincipal,
    channelsPerSession,
    keepAlive,
    authAttempts,
    lockout: { failures: lockout.failures, withinSeconds: lockout.within, forSeconds: lockout.for },
  };
}

function sshOf(read: ReadConfig['root']['ssh']): Config['ssh'] {
  const { 'rekey-bytes': rekeyBytes, 'rekey-after': rekeySeconds, 'weak-algorithms': weakAlgorithms, banner } = read;
  return { rekeyBytes, rekeySeconds, weakAlgorithms, ...(banner === undefined ? {} : { banner }) };
}

function ledgerOf({ origin, key, 'former-key': former }: ReadConfig['root']['ledger'], directory: string): Config['ledger'] {
  return {
    ...(origin === undefined ? {} : { origin }),
    ...(key === undefined ? {} : { key: absoluteReference(key, directory) }),
    ...(former === undefined ? {} : { formerKey: former === 'lost' ? former : absoluteReference(former, directory) }),
  };
}

/** A map by name that nobody can change, not even by forgetting its type. */
function readOnlyMap<T extends { readonly name: string }>(values: readonly T[]): ReadonlyMap<string, T> {
  const map = new Map(values.map((value) => [value.name, value]));
  return Object.defineProperties(map, { set: { value: refuse }, delete: { value: refuse }, clear: { value: refuse } });
}

function refuse(): never {
  throw new TypeError('the configuration is read-only');
}

function deepFreeze<T>(value: T): T {
  // Buffers cannot be frozen; they are the wire form of public keys.
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const part of value instanceof Map ? value.values() : Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
