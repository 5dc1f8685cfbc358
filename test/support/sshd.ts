import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KeyPair, makeKey } from './keys.ts';
import { descendants, killIfThere } from './processes.ts';
import { ended, plainEnvironment, run, startProgram } from './run.ts';
import type { Belongings } from './temp.ts';
import { freePort, listening, until } from './wait.ts';

/** A real OpenSSH server: what the tests reach through the gateway, and what they compare with. */
export interface TargetHost {
  host: string;
  port: number;
  /** `host:port` as the configuration writes it. */
  address: string;
  /** Its own host key. */
  hostKey: KeyPair;
  /** Opens `root`. */
  loginKey: KeyPair;
  /** Everything the server logged so far. */
  log(): string;
  /** Stops the server and everything it runs; it can be started again on the same port. */
  stop(): Promise<void>;
  /** Starts again, by request with another host key. */
  start(hostKey?: KeyPair): Promise<void>;
}

export interface TargetHostOptions {
  host?: string;
  /** Further lines of sshd_config; in sshd the first value of an option counts, so these win. */
  settings?: readonly string[];
}

/** Starts sshd as root with a configuration, host key and authorised key of its own. */
export async function startTargetHost(belongings: Belongings, options: TargetHostOptions = {}): Promise<TargetHost> {
  const directory = belongings.directory('sshd');
  const host = options.host ?? '127.0.0.1';
  const port = await freePort(host);
  const loginKey = await makeKey(directory, 'login');
  let hostKey = await makeKey(directory, 'host');
  writeFileSync(join(directory, 'authorized_keys'), `${loginKey.publicLine}\n`, { mode: 0o600 });
  // sshd refuses to start without its privilege separation directory, which the package's service normally makes.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });

  let log = '';
  let child: ReturnType<typeof startProgram> | undefined;

  async function stop(): Promise<void> {
    const stopping = child;
    child = undefined;
    if (stopping?.pid === undefined) return;
    // Every connection is a process of its own and would outlive the listener.
    for (const pid of [stopping.pid, ...descendants(stopping.pid)]) killIfThere(pid);
    await ended(stopping);
  }

  async function start(otherHostKey?: KeyPair): Promise<void> {
    hostKey = otherHostKey ?? hostKey;
    const file = join(directory, 'sshd_config');
    writeFileSync(file, configuration({ directory, host, port, hostKey, settings: options.settings ?? [] }));
    child = startProgram('/usr/sbin/sshd', ['-D', '-e', '-f', file], { env: plainEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    const early = ended(child).then(({ status }) => {
      throw new Error(`sshd ended with ${status}: ${log}`);
    });
    await Promise.race([listening(host, port), early]);
    early.catch(() => undefined);
  }

  belongings.add(stop);
  await start();
  return {
    host,
    port,
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    get hostKey() {
      return hostKey;
    },
    loginKey,
    log: () => log,
    stop,
    start,
  };
}

function configuration(parts: { directory: string; host: string; port: number; hostKey: KeyPair; settings: readonly string[] }): string {
  return [
    ...parts.settings,
    `ListenAddress ${parts.host}`,
    `Port ${parts.port}`,
    `HostKey ${parts.hostKey.path}`,
    `PidFile ${join(parts.directory, 'pid')}`,
    `AuthorizedKeysFile ${join(parts.directory, 'authorized_keys')}`,
    'PermitRootLogin yes',
    'PasswordAuthentication yes',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'UseDNS no',
    'AllowTcpForwarding yes',
    'AllowAgentForwarding yes',
    'PermitUserEnvironment no',
    'PermitUserRC no',
    'PrintMotd no',
    'PrintLastLog no',
    'AcceptEnv LANG LC_* FOO_*',
    // Shells read their start-up files from a home of our own, so that whoever runs the tests does not matter.
    `SetEnv HOME=${parts.directory}`,
    'MaxSessions 100',
    'MaxStartups 200:30:400',
    'Subsystem sftp internal-sftp',
    '',
  ].join('\n');
}

/** A system user with a password, for targets that know nothing else; removed with everything it runs. */
export async function makePasswordUser(belongings: Belongings): Promise<{ name: string; password: string }> {
  const name = `sally${randomBytes(4).toString('hex')}`;
  const password = randomBytes(12).toString('base64url');
  belongings.add(async () => {
    await run('userdel', ['-r', '-f', name]);
  });
  const made = await run('useradd', ['-m', '-s', '/bin/bash', name]);
  if (made.status !== 0) throw new Error(`useradd: ${made.stderr}`);
  const set = await run('chpasswd', [], { input: `${name}:${password}\n` });
  if (set.status !== 0) throw new Error(`chpasswd: ${set.stderr}`);
  await until('the new user can be looked up', async () => ((await run('id', [name])).status === 0 ? true : undefined));
  return { name, password };
}
