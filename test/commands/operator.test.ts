import { once } from 'node:events';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askOnSocket } from '../operator-api/api-client.ts';
import { sshArguments } from '../support/clients.ts';
import { sallyport } from '../support/gateway.ts';
import { type KeyPair, makeKey } from '../support/keys.ts';
import { type Finished, plainEnvironment, run, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';
import { InTerminal } from './in-terminal.ts';
import { mainFile } from './run-cli.ts';

/** The command line against a gateway that runs, as an operator types it. */

const belongings = new Belongings();
afterAll(() => belongings.release());

const REVIEWER = 'reviewer@example.com';
const ADMIN = 'admin@example.com';

let world: World;
let keys: Record<'reviewer' | 'admin' | 'rsa' | 'ecdsa' | 'stranger' | 'encrypted', KeyPair>;
let url: string;
let fingerprint: string;
let home: string;
let agentSocket: string;

beforeAll(async () => {
  const directory = belongings.directory('operators');
  home = join(directory, 'config');
  const [reviewer, admin, rsa, ecdsa, stranger, encrypted] = await Promise.all([
    makeKey(directory, 'reviewer'),
    makeKey(directory, 'admin'),
    makeKey(directory, 'rsa', 'rsa'),
    makeKey(directory, 'ecdsa', 'ecdsa'),
    makeKey(directory, 'stranger'),
    makeKey(directory, 'encrypted'),
  ]);
  keys = { reviewer, admin, rsa, ecdsa, stranger, encrypted };
  agentSocket = join(directory, 'agent.sock');
  const agent = startProgram('ssh-agent', ['-D', '-a', agentSocket], { env: plainEnvironment(), stdio: ['ignore', 'pipe', 'ignore'] });
  belongings.add(() => void agent.kill());
  await once(agent.stdout as NodeJS.ReadableStream, 'data');
  await run('ssh-add', [encrypted.path], { env: plainEnvironment({ SSH_AUTH_SOCK: agentSocket }) });
  await run('ssh-keygen', ['-q', '-p', '-f', encrypted.path, '-P', '', '-N', 'a passphrase']);
  world = await openWorld(belongings, {
    agents: 3,
    gateway: { https: true },
    humans: [
      { name: REVIEWER, operator: ['reviewer'], 'ssh-keys': [reviewer, rsa, ecdsa, encrypted].map(({ publicLine }) => publicLine) },
      { name: ADMIN, operator: ['admin'], 'ssh-keys': [admin.publicLine] },
    ],
  });
  url = `https://127.0.0.1:${world.gateway.httpsPort}`;
  const shown = await run('openssl', ['x509', '-noout', '-fingerprint', '-sha256', '-in', join(world.gateway.data, 'keys', 'https.crt')]);
  fingerprint = shown.stdout.toString().trim().split('=')[1] ?? '';
});

function cli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return sallyport(args, { env: plainEnvironment({ XDG_CONFIG_HOME: home, ...env }) });
}

/** What a command printed as JSON; throws when it failed. */
async function json(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Record<string, unknown>[]> {
  const { status, stdout, stderr } = await cli([...args, '--json'], env);
  if (status !== 0) throw new Error(stderr);
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function codeOf(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const { status, stderr } = await cli([...args, '--json'], env);
  if (status === 0) throw new Error('it was done');
  return (JSON.parse(stderr) as { error: { code: unknown } }).error.code;
}

const login = (operator: string, key: KeyPair, more: readonly string[] = []) =>
  json(['login', '--gateway', url, '--operator', operator, '--key', key.path, '--fingerprint', fingerprint, ...more]);

describe('log-in', () => {
  test.each(['reviewer', 'rsa', 'ecdsa'] as const)('with a file: %s', async (which) => {
    expect(await login(REVIEWER, keys[which])).toMatchObject([
      { gateway: url, operator: REVIEWER, roles: ['reviewer'], trust: fingerprint },
    ]);
    expect(await json(['whoami'])).toMatchObject([{ operator: REVIEWER, roles: ['reviewer'] }]);
  });

  test('with an encrypted key through the agent, and not without it', async () => {
    const args = ['login', '--gateway', url, '--operator', REVIEWER, '--key', keys.encrypted.path, '--fingerprint', fingerprint];
    expect(await json(args, { SSH_AUTH_SOCK: agentSocket })).toMatchObject([{ operator: REVIEWER }]);
    const { status, stderr } = await cli(args);
    expect([status, stderr]).toEqual([2, expect.stringContaining('ssh-add')]);
  });

  test('is kept for this user alone', async () => {
    await login(REVIEWER, keys.reviewer);
    const file = join(home, 'sallyport', 'login.json');
    expect([statSync(file).mode & 0o777, statSync(join(home, 'sallyport')).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  test('of a stranger, of nobody and with another key look alike, and are recorded', async () => {
    const messages = await Promise.all(
      [
        [REVIEWER, keys.stranger],
        ['nobody@example.com', keys.reviewer],
        [ADMIN, keys.reviewer],
        ['engineer@example.com', keys.stranger],
      ].map(async ([operator, key]) => {
        const { stderr } = await cli([
          'login',
          '--gateway',
          url,
          '--operator',
          operator as string,
          '--key',
          (key as KeyPair).path,
          '--fingerprint',
          fingerprint,
        ]);
        return stderr.replaceAll((key as KeyPair).path, 'KEY');
      }),
    );
    expect(new Set(messages).size).toBe(1);
    expect(messages[0]).toContain('the log-in was refused');
  });

  test('is not tried at a gateway that shows another certificate', async () => {
    const other = fingerprint.replace(/^../, fingerprint.startsWith('00') ? '01' : '00');
    expect(await codeOf(['login', '--gateway', url, '--operator', REVIEWER, '--key', keys.reviewer.path, '--fingerprint', other])).toBe(
      'GATEWAY_MISMATCH',
    );
    // Nor at one that nobody has said anything of, where nobody can be asked.
    const fresh = { XDG_CONFIG_HOME: join(home, 'fresh') };
    const { status, stderr } = await cli(['login', '--gateway', url, '--operator', REVIEWER, '--key', keys.reviewer.path], fresh);
    expect([status, stderr]).toEqual([2, expect.stringContaining(fingerprint)]);
  });

  test('shows a person the certificate that nobody knows yet, and keeps the answer', async () => {
    const words = [mainFile, 'login', '--gateway', url, '--operator', REVIEWER, '--key', keys.reviewer.path];
    process.env.XDG_CONFIG_HOME = join(home, 'in-terminal');
    for (const [answer, code] of [
      ['n', 2],
      ['y', 0],
    ] as const) {
      const terminal = new InTerminal(process.execPath, words, { cols: 200 });
      await terminal.shows('Is it the same? [y/N]');
      expect(terminal.screen).toContain(fingerprint);
      terminal.type(`${answer}\r`);
      expect(await terminal.finished).toBe(code);
    }
    expect(await json(['whoami'], { XDG_CONFIG_HOME: join(home, 'in-terminal') })).toMatchObject([{ operator: REVIEWER }]);
  });

  test('says what to do where there is none', async () => {
    expect(await codeOf(['whoami'], { XDG_CONFIG_HOME: join(home, 'none') })).toBe('LOGIN_REQUIRED');
  });

  test('ends', async () => {
    await login(REVIEWER, keys.reviewer);
    await json(['logout']);
    expect(await codeOf(['whoami'])).toBe('LOGIN_REQUIRED');
  });
});

describe('a token of a program', () => {
  test('is good with what the environment says, until it is revoked, also after a restart', async () => {
    await login(ADMIN, keys.admin);
    const [made] = await json(['operator', 'token', REVIEWER, '--role', 'reviewer', '--days', '1', '--reason', 'for a test']);
    const program = {
      SALLYPORT_GATEWAY: url,
      SALLYPORT_TOKEN: String(made?.token),
      SALLYPORT_FINGERPRINT: fingerprint,
      XDG_CONFIG_HOME: join(home, 'no'),
    };
    expect(await json(['status'], program)).toMatchObject([{ ready: true, listeners: [{ protocol: 'ssh' }, { protocol: 'https' }] }]);
    await world.gateway.stop();
    await world.gateway.start();
    expect(await json(['approvals'], program)).toEqual([]);
    // The log-in of the person has ended with the gateway.
    expect(await codeOf(['whoami'])).toBe('LOGIN_REQUIRED');
    expect(await json(['operator', 'list', '--data', world.gateway.data])).toContainEqual({
      token: { id: made?.id, operator: REVIEWER, roles: ['reviewer'], kind: 'program', expires: made?.expires },
    });
    await json(['operator', 'revoke', '--token', String(made?.id), '--reason', 'over', '--data', world.gateway.data]);
    expect(await codeOf(['approvals'], program)).toBe('LOGIN_REQUIRED');
  });

  test('stays good when the person logs out', async () => {
    await login(ADMIN, keys.admin);
    const [made] = await json(['operator', 'token', REVIEWER, '--role', 'reviewer', '--days', '1', '--reason', 'for a test']);
    const program = { SALLYPORT_TOKEN: String(made?.token) };
    await json(['logout'], program);
    expect(await codeOf(['whoami'])).toBe('LOGIN_REQUIRED');
    expect(await json(['whoami'], program)).toMatchObject([{ operator: REVIEWER }]);
    expect(await codeOf(['logout'], program)).toBe('LOGIN_REQUIRED');
    const kept = await json(['operator', 'list', '--data', world.gateway.data]);
    expect(kept.filter(({ token }) => (token as { operator?: string } | undefined)?.operator === ADMIN)).toEqual([]);
  });

  test('does not go to a gateway whose certificate has changed', async () => {
    const program = { SALLYPORT_GATEWAY: url, SALLYPORT_TOKEN: `sp_${'A'.repeat(43)}`, SALLYPORT_FINGERPRINT: 'ab'.repeat(32) };
    expect(await codeOf(['status'], program)).toBe('GATEWAY_MISMATCH');
    expect(await codeOf(['status'], { ...program, SALLYPORT_FINGERPRINT: '' })).toBe('USAGE');
  });
});

describe('a certificate', () => {
  test('is given to whoever has logged in, and revoked by an admin', async () => {
    const pub = `${keys.reviewer.path}.pub`;
    await json(['logout', '--gateway', url]).catch(() => undefined); // There may be none by now.
    expect(await codeOf(['credentials', 'issue', '--key', pub, '--gateway', url], { SALLYPORT_FINGERPRINT: fingerprint })).toBe(
      'LOGIN_REQUIRED',
    );
    await login(REVIEWER, keys.reviewer);
    const [given] = await json(['credentials', 'issue', '--key', pub, '--seconds', '120']);
    expect(given).toMatchObject({ file: `${keys.reviewer.path}-cert.pub`, principal: REVIEWER });
    const { stdout } = await run('ssh-keygen', ['-L', '-f', `${keys.reviewer.path}-cert.pub`]);
    const [authority] = await json(['credentials', 'authority', '--data', world.gateway.data]);
    expect(stdout.toString()).toMatch(new RegExp(`Serial: ${String(given?.serial)}\\n.*Principals: *\\n *${REVIEWER}`, 's'));
    expect(readFileSync(join(world.gateway.data, 'keys', 'ssh-ca.pub'), 'utf8')).toContain(String(authority?.authority).split(' ')[1]);
    expect(await codeOf(['credentials', 'revoke', String(given?.serial), '--reason', 'for a test'])).toBe('ROLE_MISSING');
    await cli(['credentials', 'revoke', String(given?.serial), '--reason', 'for a test', '--data', world.gateway.data]);
    rmSync(`${keys.reviewer.path}-cert.pub`);
  });
});

describe('a session that runs', () => {
  let route: AgentRoute;
  let id: string;
  let control: string;

  /** Commands on the one connection, whose session is supervised. */
  const exec = (command: string) => run('ssh', ['-S', control, ...sshArguments(route), command]);

  beforeAll(async () => {
    route = world.agent();
    control = join(belongings.directory('control'), 's');
    const master = startProgram('ssh', ['-M', '-S', control, '-N', ...sshArguments(route)], { env: plainEnvironment(), stdio: 'ignore' });
    belongings.add(() => void master.kill());
    await login(REVIEWER, keys.reviewer);
    const live = await until('the session is live', async () => {
      const { body } = await askOnSocket(world.gateway, 'session.list', { principal: route.principal, state: 'live' });
      return (body.sessions as Record<string, unknown>[])[0];
    });
    id = String(live.id);
    await until('ssh listens for commands', async () => ((await exec('true')).status === 0 ? true : undefined));
  });

  test('is stepped through: the next command waits, and runs when a reviewer has approved exactly it', async () => {
    expect(await json(['step', id.slice(0, 18), '--reason', 'first run'])).toMatchObject([{ session: id, stepping: true }]);
    const running = exec('echo approved');
    const request = await waitingFor(id);
    expect(request).toMatchObject({
      request: { principal: route.principal, onBehalfOf: 'engineer@example.com', action: 'ssh:exec', facts: { command: 'echo approved' } },
    });
    const approval = (request.request as { id: string }).id;
    // Nobody but a person who is shown it, or says --yes.
    expect(await codeOf(['approve', approval])).toBe('USAGE');
    const { status, stdout, stderr } = await cli(['approve', approval.slice(0, 20), '--yes', '--reason', 'change 4711']);
    expect([status, stderr]).toEqual([0, '']);
    for (const words of [route.principal, 'engineer@example.com', 'ssh:exec', 'echo approved', 'The request is approved'])
      expect(stdout.toString()).toContain(words);
    expect((await running).stdout.toString()).toBe('approved\n');
    expect(await codeOf(['approve', approval, '--yes'])).toMatch(/APPROVAL_OVER|APPROVAL_NOT_YOURS/);
    const all = await json(['approvals', '--all', '--session', id]);
    expect(all).toMatchObject([{ state: 'approved', decisions: [{ reviewer: REVIEWER, reason: 'change 4711', verdict: 'approve' }] }]);
  });

  test('is denied a command, with the reason', async () => {
    const running = exec('echo denied');
    const { request } = await waitingFor(id);
    expect(await codeOf(['deny', (request as { id: string }).id, '--reason', ' ', '--yes'])).toBe('USAGE');
    await json(['deny', (request as { id: string }).id, '--reason', 'not today', '--yes']);
    const { status, stdout, stderr } = await running;
    expect([status === 0, stdout.toString(), stderr]).toEqual([false, '', expect.stringContaining('not today')]);
  });

  test('is decided by a person at a terminal, who sees what it is about and may say no', async () => {
    const running = exec('echo "at a terminal"');
    const { request } = await waitingFor(id);
    process.env.XDG_CONFIG_HOME = home;
    for (const [answer, code] of [
      ['', 2],
      ['y', 0],
    ] as const) {
      const terminal = new InTerminal(process.execPath, [mainFile, 'approve', (request as { id: string }).id], { cols: 200, rows: 40 });
      await terminal.shows('Approve exactly this? [y/N]');
      expect(terminal.screen).toContain('echo "at a terminal"');
      terminal.type(`${answer}\r`);
      expect(await terminal.finished).toBe(code);
    }
    expect((await running).stdout.toString()).toBe('at a terminal\n');
  });

  test('is decided by nobody with a key that is not theirs, nor on the control socket', async () => {
    const running = exec('echo third');
    const { request } = await waitingFor(id);
    const approval = (request as { id: string }).id;
    expect(await codeOf(['approve', approval, '--yes', '--key', keys.stranger.path])).toBe('USAGE');
    expect(await codeOf(['approve', approval, '--yes', '--data', world.gateway.data])).toBe('USAGE');
    await login(ADMIN, keys.admin);
    expect(await codeOf(['approve', approval, '--yes'])).toBe('APPROVAL_NOT_YOURS');
    await login(REVIEWER, keys.reviewer);
    await json(['deny', approval, '--reason', 'enough', '--yes']);
    await running;
    await json(['step', id, '--off', '--reason', 'enough']);
  });

  test('is paused, goes on, is written to and ended, each by name in the records', async () => {
    expect(await json(['pause', id, '--reason', 'looking'])).toMatchObject([{ paused: true }]);
    expect(await codeOf(['pause', id, '--reason', 'looking'])).toBe('CONFLICT');
    expect(await json(['resume', id, '--reason', 'fine'])).toMatchObject([{ paused: false }]);
    expect(await json(['message', id, 'hello', 'there'])).toMatchObject([{ session: id }]);
    expect(await codeOf(['terminate', id, '--reason', 'enough'])).toBe('USAGE');
    expect(await json(['terminate', id, '--reason', 'enough', '--yes'])).toMatchObject([{ session: id, terminated: true }]);
    expect(await codeOf(['pause', id, '--reason', 'again'])).toBe('SESSION_NOT_LIVE');
    const [shown] = await json(['show', id, '--data', world.gateway.data]);
    expect(JSON.stringify(shown)).toContain(REVIEWER);
  });

  async function waitingFor(session: string): Promise<Record<string, unknown>> {
    return until('a request waits', async () => {
      const { body } = await askOnSocket(world.gateway, 'approval.list', { session });
      return (body.approvals as Record<string, unknown>[])[0];
    });
  }
});

describe('somebody is made an operator', () => {
  test('in a file that keeps its comments, and is not touched when the result would be wrong', async () => {
    const file = join(belongings.directory('add'), 'gateway.yaml');
    const text = `# the bastion of the team
gateway:
  listen: { ssh: "127.0.0.1:2222" } # loopback
humans:
  # on call
  - name: first@example.com
    operator: [auditor]
targets: []
`;
    writeFileSync(file, text, { mode: 0o640 });
    await json(['operator', 'add', 'second@example.com', '--role', 'reviewer', '--key', keys.reviewer.path, '--config', file]);
    await json(['operator', 'add', 'first@example.com', '--role', 'admin', '--role', 'reviewer', '--config', file]);
    const after = readFileSync(file, 'utf8');
    for (const kept of ['# the bastion of the team', '# loopback', '# on call']) expect(after).toContain(kept);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    const [checked] = await json(['check-config', file]);
    expect(checked).toMatchObject({
      valid: true,
      principals: [{ name: 'first@example.com' }, { name: 'second@example.com', keys: [keys.reviewer.fingerprint] }],
    });
    // The key is that of somebody else already.
    expect(
      await codeOf(['operator', 'add', 'third@example.com', '--role', 'reviewer', '--key', keys.reviewer.path, '--config', file]),
    ).toBe('CONFIG_INVALID');
    expect(readFileSync(file, 'utf8')).toBe(after);
  });
});
