import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../contract/record.ts';
import { type Configuration, type Gateway, sallyport, startGateway } from '../support/gateway.ts';
import { type KeyPair, makeKey } from '../support/keys.ts';
import { endedSessions, recordingOf } from '../support/recordings.ts';
import { recordedAs, recordsOf } from '../support/records.ts';
import { type Finished, plainEnvironment, type RunOptions, run } from '../support/run.ts';
import { startTargetHost, type TargetHost } from '../support/sshd.ts';
import { Belongings } from '../support/temp.ts';
import { webTarget } from '../support/world.ts';

const HANDSHAKE_SECONDS = 5;
const HANDSHAKE_DEFAULT = 20;
const belongings = new Belongings();
let directory: string;
let host: TargetHost;
let gateway: Gateway;
let stranger: KeyPair;
const keys = new Map<string, KeyPair>();
const names = [
  'plain',
  'bulk',
  'copy',
  'git',
  'ansible',
  'inner-mux',
  'outer-mux',
  'refused',
  'outer',
  'inner',
  'wrong',
  'silent',
  'menu',
  'two',
];

beforeAll(async () => {
  directory = belongings.directory('jump');
  host = await startTargetHost(belongings);
  await Promise.all(names.map(async (name) => keys.set(name, await makeKey(directory, name))));
  stranger = await makeKey(directory, 'stranger');
  const configuration: Configuration = {
    limits: { handshake: `${HANDSHAKE_SECONDS}s`, 'channels-per-session': 8 },
    // Keys are exchanged often, in both connections, and in neither at the same moment as in the other.
    ssh: { 'rekey-bytes': '2MiB', 'rekey-after': '1s' },
    humans: [{ name: 'engineer@example.com' }],
    agents: names.map((name) => ({ name, 'on-behalf-of': 'engineer@example.com', 'ssh-keys': [keys.get(name)?.publicLine] })),
    targets: [
      { ...webTarget(host), allow: names },
      { ...webTarget(host, 'other'), login: 'other', allow: ['two'] },
      { ...webTarget(host, 'vault'), address: 'vault.internal:22', allow: ['two'] },
    ],
  };
  gateway = await startGateway(belongings, { configuration });
  const { gateway: _, ...sections } = configuration;
  const file = join(directory, 'sallyport.yaml');
  writeFileSync(file, JSON.stringify({ gateway: { listen: { ssh: `${gateway.host}:${gateway.port}` }, data: gateway.data }, ...sections }));
  const printed = await sallyport(['known-hosts', '--config', file]);
  expect(printed.status, printed.stderr).toBe(0);
  writeFileSync(join(directory, 'known_hosts'), printed.stdout);
}, 240_000);
afterAll(() => belongings.release());

interface Jumping {
  /** Whose keys are shown to the gateway, and in the connection through it. */
  readonly outer?: KeyPair | undefined;
  readonly inner?: KeyPair | undefined;
  /** The user name at the jump host: what OpenSSH sends unless told, the local user's. */
  readonly user?: string;
  readonly lines?: readonly string[];
}

/** A configuration of ssh as its users have it: the jump host is `gate`. */
function sshConfig(name: string, { outer, inner, user = 'somebody', lines = [] }: Jumping = {}): string {
  const file = join(directory, `${name}.ssh_config`);
  const key = keys.get(name);
  const text = [
    'Host gate',
    `  HostName ${gateway.host}`,
    `  Port ${gateway.port}`,
    `  User ${user}`,
    `  IdentityFile ${(outer ?? key)?.path}`,
    ...lines.map((line) => `  ${line}`),
    'Host !gate *',
    `  IdentityFile ${(inner ?? key)?.path}`,
    'Host *',
    `  UserKnownHostsFile ${join(directory, 'known_hosts')}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  BatchMode yes',
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    '  LogLevel ERROR',
    '  ConnectTimeout 20',
  ];
  writeFileSync(file, `${text.join('\n')}\n`, { mode: 0o600 });
  return file;
}

function jump(
  config: string,
  destination: string,
  command: string,
  options: RunOptions & { flags?: readonly string[] } = {},
): Promise<Finished> {
  const { flags = [], ...rest } = options;
  return run('ssh', ['-F', config, '-J', 'gate', ...flags, destination, command], rest);
}

async function opened(principal: string): Promise<AuditRecord<'session.open'>[]> {
  return (await recordsOf(gateway.data, 'session.open')).filter(({ actor }) => actor.principal === principal);
}

describe('ssh -J', () => {
  it('32 is answered by the gateway itself, recorded, and says which connection it came through', async () => {
    const done = await jump(sshConfig('plain'), 'root@web', 'cat; echo out; echo err >&2; exit 3', { input: 'from here\n' });
    expect(done.status, done.stderr).toBe(3);
    expect(done.stdout.toString()).toBe('from here\nout\n');
    expect(done.stderr).toBe('err\n');
    const [session] = await endedSessions(gateway.data, 'plain');
    expect(session).toMatchObject({ target: 'web', onBehalfOf: 'engineer@example.com', channels: 1 });
    const recording = await recordingOf(gateway.data, session?.id ?? '');
    expect(recording.bytes('o').toString()).toBe('from here\nout\n');
    expect(recording.bytes('i').toString()).toBe('from here\n');
    const shown = await sallyport(['show', session?.id ?? '', '--data', gateway.data]);
    expect(shown.stdout.toString()).toMatch(/^from .*, through a connection of plain$/m);
    const [open] = await opened('plain');
    expect(open?.body.requested).toBe('root@web:22');
    expect(open?.body.via).toEqual({ principal: 'plain', source: open?.actor.source });
  });

  it('takes the address of a target as well as its name, in any spelling, and LOGIN+TARGET', async () => {
    const config = sshConfig('plain');
    const aliased = ['-o', 'HostKeyAlias=web'];
    for (const [destination, port, alias] of [
      [`root@${host.host}`, host.port, []],
      ['root@web', host.port, []],
      ['root@::ffff:127.0.0.1', host.port, aliased],
      ['root@127.1', host.port, aliased],
      ['root@WEB', 2222, aliased],
      ['root+web@web', 22, []],
      ['web@web', 22, []],
    ] as const) {
      const done = await jump(config, destination, 'echo there', { flags: ['-p', String(port), ...alias] });
      expect(done.stdout.toString(), destination + done.stderr).toBe('there\n');
    }
  });

  it('delivers 20 MB exactly, in both directions', async () => {
    const bytes = randomBytes(20_000_000);
    const done = await jump(sshConfig('bulk'), 'root@web', 'cat', { input: bytes });
    expect(done.status, done.stderr).toBe(0);
    expect(done.stdout.equals(bytes)).toBe(true);
    const [session] = await endedSessions(gateway.data, 'bulk');
    expect(session).toMatchObject({ bytesIn: bytes.length, bytesOut: bytes.length });
  });

  it('copies files with scp', async () => {
    const bytes = randomBytes(300_000);
    writeFileSync(join(directory, 'sent'), bytes);
    const config = sshConfig('copy');
    const there = join(belongings.directory('there'), 'file');
    const up = await run('scp', ['-F', config, '-J', 'gate', join(directory, 'sent'), `root@web:${there}`]);
    expect(up.status, up.stderr).toBe(0);
    const down = await run('scp', ['-O', '-F', config, '-J', 'gate', `root@web:${there}`, join(directory, 'received')]);
    expect(down.status, down.stderr).toBe(0);
    expect(readFileSync(join(directory, 'received')).equals(bytes)).toBe(true);
    expect(await endedSessions(gateway.data, 'copy', 2)).toHaveLength(2);
  });

  it('clones and pushes with git', async () => {
    const there = belongings.directory('repository');
    const here = belongings.directory('clone');
    const env = plainEnvironment({
      HOME: here,
      GIT_SSH_COMMAND: `ssh -F ${sshConfig('git')} -J gate`,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.com',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.com',
    });
    const git = async (cwd: string, ...args: string[]) => {
      const done = await run('git', args, { cwd, env });
      expect(done.status, done.stderr).toBe(0);
      return done.stdout.toString().trim();
    };
    await git(there, 'init', '-q', '--bare', 'origin.git');
    await git(here, 'clone', '-q', `root@web:${there}/origin.git`, 'work');
    writeFileSync(join(here, 'work', 'file'), randomBytes(200_000));
    await git(join(here, 'work'), 'add', '.');
    await git(join(here, 'work'), 'commit', '-q', '-m', 'first');
    await git(join(here, 'work'), 'push', '-q', 'origin', 'HEAD:main');
    expect(await git(join(here, 'work'), 'rev-parse', 'HEAD')).toBe(await git(join(there, 'origin.git'), 'rev-parse', 'main'));
    const sessions = await endedSessions(gateway.data, 'git', 2);
    expect(sessions.map(({ target }) => target)).toEqual(['web', 'web']);
  });

  it('carries Ansible with ProxyJump', { timeout: 240_000 }, async () => {
    const here = belongings.directory('ansible');
    const there = join(belongings.directory('there'), 'copied');
    const config = sshConfig('ansible');
    writeFileSync(
      join(here, 'inventory'),
      `web ansible_user=root ansible_python_interpreter=/usr/bin/python3 ansible_ssh_common_args='-F ${config} -o ProxyJump=gate'\n`,
    );
    writeFileSync(
      join(here, 'play.yaml'),
      `- hosts: all\n  gather_facts: false\n  tasks:\n    - command: echo from the target\n    - copy: { content: "ü", dest: ${there} }\n`,
    );
    const done = await run('ansible-playbook', ['-i', join(here, 'inventory'), join(here, 'play.yaml')], {
      env: plainEnvironment({ HOME: here, ANSIBLE_NOCOWS: '1', ANSIBLE_PIPELINING: 'true', ANSIBLE_SSH_ARGS: '-C' }),
      timeoutMs: 200_000,
    });
    expect(done.status, done.stdout.toString() + done.stderr).toBe(0);
    expect(done.stdout.toString()).toMatch(/ok=2 +changed=2 +unreachable=0 +failed=0/);
    expect(readFileSync(there, 'utf8')).toBe('ü');
    const sessions = await endedSessions(gateway.data, 'ansible');
    expect(sessions.every(({ target }) => target === 'web')).toBe(true);
    expect((await opened('ansible')).every(({ body }) => body.via?.principal === 'ansible')).toBe(true);
  });

  it('carries five commands at once over one connection through the jump', async () => {
    const config = sshConfig('inner-mux');
    const flags = ['-o', `ControlPath=${join(directory, 'inner-%C')}`];
    await jump(config, 'root@web', 'true', { flags: [...flags, '-o', 'ControlMaster=auto', '-o', 'ControlPersist=60'] });
    const all = await Promise.all([1, 2, 3, 4, 5].map((n) => jump(config, 'root@web', `cat; exit ${n}`, { flags, input: `input ${n}\n` })));
    await run('ssh', ['-F', config, '-J', 'gate', ...flags, '-O', 'exit', 'root@web']);
    expect(all.map(({ status }) => status)).toEqual([1, 2, 3, 4, 5]);
    expect(all.map(({ stdout }) => stdout.toString())).toEqual([1, 2, 3, 4, 5].map((n) => `input ${n}\n`));
    const [session] = await endedSessions(gateway.data, 'inner-mux');
    expect(session?.channels).toBe(6);
  });

  it('carries five jumps at once over one connection to the gateway', async () => {
    const config = sshConfig('outer-mux', {
      lines: ['ControlMaster auto', `ControlPath ${join(directory, 'outer-%C')}`, 'ControlPersist 60'],
    });
    await jump(config, 'root@web', 'true');
    const all = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => jump(config, 'root@web', `cat; exit ${n}`, { input: randomBytes(n * 100_000) })),
    );
    await run('ssh', ['-F', config, '-O', 'exit', 'gate']);
    expect(all.map(({ status }) => status)).toEqual([1, 2, 3, 4, 5]);
    expect(all.map(({ stdout }) => stdout.length)).toEqual([1, 2, 3, 4, 5].map((n) => n * 100_000));
    expect(await endedSessions(gateway.data, 'outer-mux', 6)).toHaveLength(6);
    expect(new Set((await opened('outer-mux')).map(({ body }) => body.via?.source)).size).toBe(1);
  });

  it('works for somebody whose user name is their own, which otherwise asks for the menu', async () => {
    const config = sshConfig('menu', { user: 'menu' });
    expect((await jump(config, 'root@web', 'echo there')).stdout.toString()).toBe('there\n');
    const list = await run('ssh', ['-F', config, 'gate']);
    expect([list.status, list.stderr]).toEqual([2, expect.stringContaining('web  ssh')]);
  });
});

describe('who comes through', () => {
  it('may be another than who opened the connection: both are recorded', async () => {
    const done = await jump(sshConfig('outer', { inner: keys.get('inner') }), 'root@web', 'echo there');
    expect(done.stdout.toString(), done.stderr).toBe('there\n');
    const [open] = await opened('inner');
    expect(open?.body.via).toEqual({ principal: 'outer', source: open?.actor.source });
    expect(await opened('outer')).toEqual([]);
  });

  it('is decided by the login where one host is several targets', async () => {
    const done = await jump(sshConfig('two'), `ssh://other@${host.host}:${host.port}`, 'true');
    expect(done.status).toBe(255);
    const open = await recordedAs(gateway.data, 'session.open', ({ actor }) => actor.principal === 'two');
    expect(open.target.name).toBe('other');
  });

  it('has to be known: a key that nobody has is refused and recorded, with the source of the connection', async () => {
    const done = await jump(sshConfig('wrong', { inner: stranger }), 'root@web', 'true');
    expect(done.status).toBe(255);
    expect(done.stderr).toContain('Permission denied (publickey)');
    const refused = await recordedAs(gateway.data, 'auth.refused', ({ body }) => body.key === stranger.fingerprint);
    expect(refused.body).toMatchObject({ user: 'root', reason: 'no principal has this key' });
    expect(refused.actor.source).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('has to ask for the login that the target has', async () => {
    const done = await jump(sshConfig('wrong'), 'nobody@web', 'true');
    expect(done.status).toBe(255);
    expect(done.stderr).toContain('web is reached as root, not as nobody');
    const closed = await recordedAs(gateway.data, 'session.close', ({ actor }) => actor.principal === 'wrong');
    expect(closed.body.code).toBe('ACCESS_DENIED');
  });
});

describe('a jump is refused', () => {
  it('to anything but a target: with a reason and a record', async () => {
    const done = await jump(sshConfig('refused', { lines: ['LogLevel INFO'] }), 'root@10.1.2.3', 'true');
    expect(done.status).toBe(255);
    expect(done.stderr).toContain('sallyport: there is no SSH target at 10.1.2.3:22 (you may reach: web)');
    const record = await recordedAs(gateway.data, 'session.refused', ({ body }) => body.requested === 'direct-tcpip 10.1.2.3:22');
    expect(record).toMatchObject({ actor: { principal: 'refused' }, target: { kind: 'unknown' }, body: { code: 'TARGET_UNKNOWN' } });
  });

  it('to a target that the client may not see, in the same words; the record tells', async () => {
    for (const destination of ['vault', 'vault.internal']) {
      const done = await jump(sshConfig('refused', { lines: ['LogLevel INFO'] }), `root@${destination}`, 'true');
      expect(done.stderr).toContain(`sallyport: there is no SSH target at ${destination}:22 (you may reach: web)`);
      const record = await recordedAs(gateway.data, 'session.refused', ({ body }) => body.requested === `direct-tcpip ${destination}:22`);
      expect(record).toMatchObject({ target: { name: 'vault', kind: 'ssh' }, body: { code: 'ACCESS_DENIED' } });
    }
  });

  it('within a jump', async () => {
    const config = sshConfig('refused', { user: 'somebody' });
    const before = (await opened('refused')).length;
    const done = await run('ssh', ['-F', config, '-J', 'gate', '-W', `${host.host}:${host.port}`, 'root@web']);
    expect(done.status).toBe(255);
    expect(done.stdout.toString()).toBe('');
    expect((await opened('refused')).length, 'the connection between the two is a session at its target').toBe(before + 1);
  });

  it('by a session on such a connection: it is told that there is no such target', async () => {
    const done = await run('ssh', ['-F', sshConfig('refused'), 'gate', 'true']);
    expect(done.status).toBe(255);
    expect(done.stderr).toContain('there is no target named "somebody"');
  });
});

describe('time and number', () => {
  it('a log-in through a jump that goes no further is ended in time, and so is the connection', { timeout: 240_000 }, async () => {
    const { client, ended } = await login('silent');
    const channel = await forward(client, 'web', 22);
    const begun = performance.now();
    const heard: Buffer[] = [];
    channel.on('data', (bytes: Buffer) => heard.push(bytes));
    const closed = new Promise<void>((resolve) => channel.once('close', () => resolve()));
    channel.write('SSH-2.0-half\r\n');
    await closed;
    const inner = performance.now() - begun;
    expect(Buffer.concat(heard).toString('latin1')).toContain('SSH-2.0-Sallyport');
    // Sooner than without the setting, which is what a busy machine has room for.
    expect(inner).toBeLessThan(HANDSHAKE_DEFAULT * 1000 - 2000);
    await ended;
    expect(performance.now() - begun - inner).toBeLessThan(HANDSHAKE_DEFAULT * 1000 - 2000);
  });

  it('one connection has a bounded number of jumps', async () => {
    const { client } = await login('silent');
    const opening = await Promise.allSettled(Array.from({ length: 10 }, () => forward(client, 'web', 22)));
    client.destroy();
    expect(opening.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
    const [refused] = opening.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
    expect(refused).toContain('a connection may have 8 channels at once');
  });
});

function login(name: string): Promise<{ client: ssh2.Client; ended: Promise<void> }> {
  const client = new ssh2.Client();
  belongings.add(() => void client.destroy());
  const ended = new Promise<void>((resolve) => client.once('close', () => resolve()));
  return new Promise((resolve, reject) => {
    client.once('ready', () => resolve({ client, ended }));
    client.on('error', reject);
    client.connect({
      sock: connect({ host: gateway.host, port: gateway.port }),
      username: 'somebody',
      privateKey: readFileSync(keys.get(name)?.path ?? '', 'utf8'),
    });
  });
}

function forward(client: ssh2.Client, to: string, port: number): Promise<ssh2.ClientChannel> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 1, to, port, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
  });
}
