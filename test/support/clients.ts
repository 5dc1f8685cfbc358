import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forDropbear, forPutty, type KeyPair } from './keys.ts';
import { type Finished, plainEnvironment, type RunOptions, run } from './run.ts';

/** Where a client goes, as whom, and whom it expects there. */
export interface Route {
  host: string;
  port: number;
  user: string;
  key: KeyPair;
  /** Path of a known_hosts file that has the server's key. */
  knownHosts: string;
  /** The server's host key, `SHA256:…`. */
  hostKey: string;
}

/** Options of ssh, scp and sftp that make them the same on every machine. The first value of a setting counts, so `flags` win. */
export function openSshOptions(route: Route, flags: readonly string[] = []): string[] {
  const settings = [
    `UserKnownHostsFile=${route.knownHosts}`,
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=yes',
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'LogLevel=ERROR',
    'ConnectTimeout=45',
  ];
  return ['-F', '/dev/null', ...flags, '-i', route.key.path, ...settings.flatMap((setting) => ['-o', setting])];
}

/** Arguments of `ssh` up to and with the destination. */
export function sshArguments(route: Route, flags: readonly string[] = []): string[] {
  return [...openSshOptions(route, flags), '-p', String(route.port), '-l', route.user, route.host];
}

/** Runs a command (or a shell, without one) through OpenSSH. */
export function ssh(route: Route, command?: string, options: RunOptions & { flags?: readonly string[] } = {}): Promise<Finished> {
  const { flags, ...rest } = options;
  return run('ssh', [...sshArguments(route, flags), ...(command === undefined ? [] : [command])], rest);
}

/** `host:path` as scp and rsync write it. */
export function remotePath(route: Route, path: string): string {
  return `${route.user}@${route.host.includes(':') ? `[${route.host}]` : route.host}:${path}`;
}

/** Copies with scp; an argument that begins with `:` is a path at the other end. */
export function scp(route: Route, args: readonly string[], flags: readonly string[] = []): Promise<Finished> {
  const paths = args.map((arg) => (arg.startsWith(':') ? remotePath(route, arg.slice(1)) : arg));
  return run('scp', [...openSshOptions(route, flags), '-q', '-P', String(route.port), ...paths]);
}

/** Runs a batch of sftp commands; the first that fails ends it with exit status 1. */
export function sftp(
  route: Route,
  commands: readonly string[],
  options: RunOptions & { flags?: readonly string[] } = {},
): Promise<Finished> {
  const { flags, ...rest } = options;
  const args = [...openSshOptions(route, flags), '-q', '-P', String(route.port), '-b', '-', remotePath(route, '').slice(0, -1)];
  return run('sftp', args, { ...rest, input: `${commands.join('\n')}\n` });
}

/** What rsync's `-e` and git's GIT_SSH_COMMAND want: one line. No value in it has a space. */
export function sshCommandLine(route: Route): string {
  return ['ssh', ...openSshOptions(route), '-p', String(route.port)].join(' ');
}

/** Runs a command through PuTTY's plink. */
export async function plink(route: Route, command: string, options: RunOptions & { flags?: readonly string[] } = {}): Promise<Finished> {
  const { flags, ...rest } = options;
  return run('plink', [...(await puttyArguments(route)), ...(flags ?? []), route.host, command], {
    ...rest,
    env: plainEnvironment({ HOME: join(route.key.path, '..') }),
  });
}

/** Runs a batch of PuTTY's psftp commands; the first that fails ends it. */
export async function psftp(route: Route, commands: readonly string[]): Promise<Finished> {
  const batch = `${route.key.path}.psftp`;
  writeFileSync(batch, `${commands.join('\n')}\n`);
  return run('psftp', [...(await puttyArguments(route)), '-b', batch, route.host], {
    env: plainEnvironment({ HOME: join(route.key.path, '..') }),
  });
}

/** Runs a command through Dropbear's client. It asks about a host key that it does not know, so `-y` accepts it. */
export async function dbclient(route: Route, command: string, options: RunOptions = {}): Promise<Finished> {
  const key = await forDropbear(route.key);
  return run('dbclient', ['-y', '-T', '-i', key, '-p', String(route.port), '-l', route.user, route.host, command], {
    ...options,
    env: plainEnvironment({ HOME: join(route.key.path, '..') }),
  });
}

/**
 * Runs a Python program with Paramiko. It finds a connected `client` (paramiko.SSHClient) and its `transport`, and `args`.
 */
export function paramiko(route: Route, program: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Finished> {
  const prelude = [
    'import sys, json, time, hashlib, paramiko',
    'host, port, user, key, args = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:]',
    'client = paramiko.SSHClient()',
    'client.set_missing_host_key_policy(paramiko.AutoAddPolicy())',
    'client.connect(host, port=port, username=user, key_filename=key, look_for_keys=False, allow_agent=False, timeout=20)',
    'transport = client.get_transport()',
  ].join('\n');
  // The system's interpreter is the one that Debian's package of Paramiko serves.
  return run(
    '/usr/bin/python3',
    ['-c', `${prelude}\n${program}`, route.host, String(route.port), route.user, route.key.path, ...args],
    options,
  );
}

async function puttyArguments(route: Route): Promise<string[]> {
  const key = await forPutty(route.key);
  return ['-batch', '-noagent', '-hostkey', route.hostKey, '-i', key, '-P', String(route.port), '-l', route.user];
}
