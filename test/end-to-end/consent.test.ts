import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApprovalRequest, decisionText } from '../../contract/approval.ts';
import type { Approval } from '../../contract/operator-api.ts';
import { ask, logIn, makeOperators, sign } from '../operator-api/api-client.ts';
import { openSshOptions, sftp, ssh, sshArguments } from '../support/clients.ts';
import { sallyport } from '../support/gateway.ts';
import { learnHostKey } from '../support/keys.ts';
import { recordedAs, recordsOf } from '../support/records.ts';
import { plainEnvironment, run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';

/** Consent and supervision from the outside: OpenSSH on one side, operators over HTTPS and on the command line on the other. */

const belongings = new Belongings();
afterAll(() => belongings.release());

const ALICE = 'alice@example.com';
const BOB = 'bob@example.com';
const ENGINEER = 'engineer@example.com';
const ADMIN = 'admin@example.com';

let world: World;
let keyOf: Awaited<ReturnType<typeof makeOperators>>['keyOf'];
let home: string;
let tokens: Record<string, string>;

beforeAll(async () => {
  const directory = belongings.directory('consent');
  home = join(directory, 'home');
  mkdirSync(home);
  const operators = await makeOperators(directory, {
    [ALICE]: ['reviewer'],
    [BOB]: ['reviewer'],
    [ENGINEER]: ['reviewer', 'admin'],
    [ADMIN]: ['admin'],
  });
  keyOf = operators.keyOf;
  const policy = join(directory, 'policy.cedar');
  writeFileSync(
    policy,
    `@id("in") permit(principal is Agent, action == Action::"connect", resource == Target::"web");
@id("in-by-consent") @approval("prod") permit(principal is Agent, action == Action::"connect", resource == Target::"guarded");
@id("looks") permit(principal is Agent, action == Action::"ssh:exec", resource)
when { !context.opaque && ["echo", "cat", "true", "sleep"].containsAll(context.programs) };
@id("asks") @approval("prod") permit(principal is Agent, action == Action::"ssh:exec", resource) when { !context.opaque && context.program == "touch" };
@id("asks-two") @approval("two") permit(principal is Agent, action == Action::"ssh:exec", resource) when { !context.opaque && context.program == "mkdir" };
@id("breaks-glass") @approval("emergency") permit(principal is Agent, action == Action::"ssh:exec", resource) when { !context.opaque && context.program == "rmdir" };
@id("shell") permit(principal is Agent, action in [Action::"ssh:shell", Action::"ssh:subsystem", Action::"ssh:read-file"], resource);
@id("files") @approval("prod") permit(principal is Agent, action == Action::"ssh:write-file", resource);
@id("forwards") @approval("prod") permit(principal is Agent, action == Action::"ssh:forward", resource);
`,
  );
  chmodSync(policy, 0o644);
  const rule = { reviewers: { names: [ALICE, BOB, ENGINEER] }, within: '60s' };
  world = await openWorld(belongings, {
    agents: 16,
    web: { allow: undefined },
    targets: (host) => [
      {
        name: 'guarded',
        kind: 'ssh',
        address: host.address,
        'host-key': host.hostKey.fingerprint,
        login: 'root',
        credential: { key: { file: host.loginKey.path } },
        allow: undefined,
      },
    ],
    gateway: { https: true },
    humans: operators.humans.filter(({ name }) => name !== ENGINEER),
    engineer: operators.humans.find(({ name }) => name === ENGINEER) ?? {},
    configuration: {
      policy,
      approvals: { prod: rule, two: { ...rule, needed: 2 }, emergency: { ...rule, 'break-glass': true, within: '1h' } },
    },
  });
  tokens = Object.fromEntries(
    await Promise.all([ALICE, BOB, ENGINEER, ADMIN].map(async (name) => [name, await logIn(world.gateway, name, keyOf(name))])),
  );
});

/** The request of an agent that waits, as a reviewer sees it. */
function waiting({ principal }: AgentRoute, reader = ALICE): Promise<Approval> {
  return until(`a request of ${principal}`, async () => {
    const { body } = await ask(world.gateway, 'approval.list', { limit: 1000 }, { token: tokens[reader] });
    return (body.approvals as Approval[]).find(({ request }) => request.principal === principal);
  });
}

async function decide(
  reviewer: string,
  { request, origin }: Approval,
  verdict: 'approve' | 'deny',
  changed: Partial<ApprovalRequest> = {},
  key = keyOf(reviewer),
) {
  const reason = 'seen';
  const signature = await sign(
    key,
    decisionText(origin, { ...request, ...changed } as ApprovalRequest, { verdict, reviewer, reason }),
    'sallyport-approval',
  );
  const input = { approval: request.id, digest: request.digest, verdict, reason, key: key.publicLine, signature };
  const { status, body } = await ask(world.gateway, 'approval.decide', input, { token: tokens[reviewer] });
  return { status, code: body.code };
}

async function cli(operator: string, ...args: string[]) {
  const env = { XDG_CONFIG_HOME: join(home, operator) };
  if (!existsSync(env.XDG_CONFIG_HOME)) {
    const shown = await run('openssl', ['x509', '-noout', '-fingerprint', '-sha256', '-in', join(world.gateway.data, 'keys', 'https.crt')]);
    const fingerprint = shown.stdout.toString().trim().split('=')[1] ?? '';
    const login = [
      'login',
      '--gateway',
      `https://127.0.0.1:${world.gateway.httpsPort}`,
      '--operator',
      operator,
      '--key',
      keyOf(operator).path,
      '--fingerprint',
      fingerprint,
    ];
    const { status, stderr } = await sallyport(login, { env: plainEnvironment(env) });
    if (status !== 0) throw new Error(stderr);
  }
  const done = await sallyport(args, { env: plainEnvironment(env) });
  return { status: done.status, stdout: done.stdout.toString(), stderr: done.stderr };
}

/** A program at a terminal that goes on until it is ended. */
async function running(route: AgentRoute) {
  const child = spawn('ssh', [...sshArguments(route, ['-tt'])], { env: plainEnvironment() });
  belongings.add(() => void child.kill());
  let text = '';
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { session } = await recordedAs(world.gateway.data, 'channel.open', ({ actor }) => actor.principal === route.principal);
  if (session === undefined) throw new Error('the channel has no session');
  const says = (what: string | RegExp) =>
    until(`the terminal to say ${what}; it says ${JSON.stringify(text)}`, () => (text.match(what) === null ? undefined : text));
  child.stdin.write('echo $((40+2))-ready\n');
  await says('42-ready');
  return { child, ended, session, says, text: () => text };
}

describe('a command that needs consent', () => {
  test('waits, tells the agent what for and for whom, and runs once a reviewer approves it on the command line', async () => {
    const route = world.agent();
    const file = join(belongings.directory('target'), 'made');
    const client = ssh(route, `touch ${file}`);
    const { request } = await waiting(route);
    expect(request).toMatchObject({
      principal: route.principal,
      onBehalfOf: ENGINEER,
      action: 'ssh:exec',
      facts: { command: `touch ${file}` },
      rule: 'prod',
      policies: ['asks'],
    });
    expect(existsSync(file)).toBe(false);
    const listed = await cli(ALICE, 'approvals');
    expect(listed.stdout).toContain(route.principal);
    const approved = await cli(ALICE, 'approve', request.id.slice(0, 23), '--reason', 'as planned', '--key', keyOf(ALICE).path, '--yes');
    expect(approved.status, approved.stderr).toBe(0);
    const { status, stderr } = await client;
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^sallyport: this command waits for approval by alice@example\.com or bob@example\.com or engineer@example\.com, until \d\d:\d\d:\d\d UTC/,
    );
    expect(stderr).toContain('sallyport: approved by alice@example.com');
    expect(existsSync(file)).toBe(true);
    const decided = await recordedAs(world.gateway.data, 'approval.decided', ({ body }) => body.approval === request.id);
    expect(decided).toMatchObject({ actor: { principal: ALICE }, body: { verdict: 'approve', reason: 'as planned', state: 'approved' } });
    // Anybody can check it with stock tools.
    const asked = await recordedAs(world.gateway.data, 'approval.asked', ({ body }) => body.request.id === request.id);
    const place = belongings.directory('check');
    writeFileSync(join(place, 'signers'), `${ALICE} ${decided.body.key}\n`);
    writeFileSync(join(place, 'signature'), decided.body.signature);
    const text = decisionText((await waitingOrigin()) as string, asked.body.request as ApprovalRequest, {
      verdict: 'approve',
      reviewer: ALICE,
      reason: 'as planned',
    });
    const verified = await run(
      'ssh-keygen',
      ['-Y', 'verify', '-f', join(place, 'signers'), '-I', ALICE, '-n', 'sallyport-approval', '-s', join(place, 'signature')],
      { input: text },
    );
    expect(verified.status, verified.stderr).toBe(0);
  });

  test('that is denied on the command line does not run, and says by whom and why', async () => {
    const route = world.agent();
    const client = ssh(route, 'touch /nonexistent/x');
    const { request } = await waiting(route);
    const denied = await cli(BOB, 'deny', request.id, '--reason', 'not today', '--key', keyOf(BOB).path, '--yes');
    expect(denied.status, denied.stderr).toBe(0);
    const { status, stderr } = await client;
    expect([status, stderr]).toEqual([255, expect.stringContaining('APPROVAL_DENIED: bob@example.com denied this: not today')]);
  });

  test('that needs two runs when two have approved it', async () => {
    const route = world.agent();
    const made = join(belongings.directory('two'), 'made');
    const client = ssh(route, `mkdir ${made}`);
    const open = await waiting(route);
    expect(await decide(ALICE, open, 'approve')).toMatchObject({ status: 200 });
    expect(await decide(ALICE, open, 'approve')).toMatchObject({ code: 'APPROVAL_NOT_YOURS' });
    expect(existsSync(made)).toBe(false);
    expect(await decide(BOB, open, 'approve')).toMatchObject({ status: 200 });
    expect((await client).status).toBe(0);
    expect(existsSync(made)).toBe(true);
  });

  test('91 is not approved by the human behind the agent, an admin, a second name for the same key, or a signature made for something else', async () => {
    const route = world.agent();
    const other = world.agent();
    const made = ['never', 'other'].map((name) => join(belongings.directory('refused'), name));
    const clients = [ssh(route, `touch ${made[0]}`), ssh(other, `touch ${made[1]}`)];
    const [open, elsewhere] = await Promise.all([waiting(route), waiting(other)]);
    expect((await waiting(route, ENGINEER)).yours).toMatchObject({ may: false });
    expect(await decide(ENGINEER, open, 'approve')).toMatchObject({ status: 403, code: 'APPROVAL_NOT_YOURS' });
    expect(await decide(ADMIN, open, 'approve')).toMatchObject({ status: 403, code: 'ROLE_MISSING' });
    expect((await cli(ENGINEER, 'approve', open.request.id, '--key', keyOf(ENGINEER).path, '--yes')).status).not.toBe(0);
    // Somebody else's log-in with one's own key, one's own with somebody else's, and the agent's key.
    expect(await decide(ALICE, open, 'approve', {}, keyOf(ENGINEER))).toMatchObject({ code: 'APPROVAL_NOT_YOURS' });
    expect(await decide(ENGINEER, open, 'approve', {}, keyOf(ALICE))).toMatchObject({ code: 'APPROVAL_NOT_YOURS' });
    expect(await decide(ALICE, open, 'approve', {}, route.key)).toMatchObject({ code: 'APPROVAL_NOT_YOURS' });
    // Words about another request, other arguments, another digest.
    expect(await decide(ALICE, open, 'approve', { id: elsewhere.request.id })).toMatchObject({ code: 'SIGNATURE_INVALID' });
    expect(await decide(ALICE, open, 'approve', { facts: { command: 'true', terminal: false } })).toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
    expect(await decide(ALICE, { ...open, request: { ...open.request, digest: 'a'.repeat(64) } }, 'approve')).toMatchObject({
      code: 'APPROVAL_OVER',
    });
    expect(await decide(ALICE, open, 'deny')).toMatchObject({ status: 200 });
    expect(await decide(BOB, open, 'approve')).toMatchObject({ code: 'APPROVAL_OVER' });
    expect(await decide(BOB, elsewhere, 'deny')).toMatchObject({ status: 200 });
    expect((await Promise.all(clients)).map(({ status }) => status)).toEqual([255, 255]);
    expect(made.filter((path) => existsSync(path))).toEqual([]);
  });

  test('92 has one outcome when two reviewers decide in the same moment over HTTPS', async () => {
    const routes = [world.agent(), world.agent()];
    for (const route of routes) {
      const made = join(belongings.directory('same-moment'), 'made');
      const client = ssh(route, `touch ${made}`);
      const open = await waiting(route);
      const both = await Promise.all([decide(ALICE, open, 'approve'), decide(BOB, open, 'deny')]);
      expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 409]));
      expect((await client).status).toBe(both[0]?.status === 200 ? 0 : 255);
      expect(existsSync(made)).toBe(both[0]?.status === 200);
      const records = (await recordsOf(world.gateway.data, 'approval.decided')).filter(({ body }) => body.approval === open.request.id);
      expect(records).toHaveLength(1);
    }
  });
});

describe('other things that need consent', () => {
  test('a connection: the client is told in its terminal, and its command runs once it is approved', async () => {
    const route = world.agent('guarded');
    const client = ssh(route, 'echo through');
    const open = await waiting(route);
    expect(open.request).toMatchObject({ action: 'connect', target: { name: 'guarded' } });
    expect(await decide(ALICE, open, 'approve')).toMatchObject({ status: 200 });
    const { status, stdout, stderr } = await client;
    expect([status, stdout.toString()]).toEqual([0, 'through\n']);
    expect(stderr).toContain('this connection waits for approval');
  });

  test('a change of a file over SFTP: reading goes on without it', async () => {
    const route = world.agent();
    const place = belongings.directory('files');
    writeFileSync(join(place, 'local'), 'content');
    const client = sftp(route, [
      `get ${join(place, 'local')} ${join(place, 'read')}`,
      `put ${join(place, 'local')} ${join(place, 'written')}`,
    ]);
    const open = await waiting(route);
    expect(open.request).toMatchObject({ action: 'ssh:write-file', facts: { operation: 'open', path: join(place, 'written') } });
    expect(existsSync(join(place, 'written'))).toBe(false);
    expect(await decide(ALICE, open, 'approve')).toMatchObject({ status: 200 });
    expect((await client).status).toBe(0);
    expect(readFileSync(join(place, 'written'), 'utf8')).toBe('content');
  });

  test('a forward: it is refused to the client when it is denied', async () => {
    const route = world.agent();
    const client = run('ssh', [
      ...openSshOptions(route, ['-o', 'LogLevel=INFO']),
      '-p',
      String(route.port),
      '-l',
      'web',
      '-W',
      '127.0.0.1:9',
      route.host,
    ]);
    expect(await decide(BOB, await waiting(route), 'deny')).toMatchObject({ status: 200 });
    const { status, stderr } = await client;
    expect([status, stderr]).toEqual([255, expect.stringContaining('denied this: seen')]);
  });

  test('an emergency: it is allowed at once, and somebody else reviews it', async () => {
    const route = world.agent();
    expect((await ssh(route, 'rmdir /nonexistent')).status).toBe(1);
    const open = await waiting(route);
    expect(open).toMatchObject({ state: 'review', request: { breakGlass: true } });
    expect(await decide(ENGINEER, open, 'approve')).toMatchObject({ code: 'APPROVAL_NOT_YOURS' });
    expect(await decide(ALICE, open, 'approve')).toMatchObject({ status: 200 });
    await recordedAs(world.gateway.data, 'review.signed', ({ body }) => body.approval === open.request.id);
  });
});

describe('a session that runs', () => {
  test('90 is told something, paused, resumed and ended from the command line', async () => {
    const route = world.agent();
    const { child, ended, session, says, text } = await running(route);
    expect((await cli(ALICE, 'message', session, 'hello there')).status).toBe(0);
    await says('sallyport: alice@example.com: hello there');
    expect((await cli(ALICE, 'pause', session, '--reason', 'look')).status).toBe(0);
    await says('paused by alice@example.com: look');
    const before = text();
    child.stdin.write('echo $((20+3))-typed\n');
    expect((await cli(ALICE, 'message', session, 'still paused')).status).toBe(0);
    await says('still paused');
    expect(text().slice(before.length)).not.toContain('typed');
    expect((await cli(ALICE, 'resume', session, '--reason', 'fine')).status).toBe(0);
    await says('23-typed');
    const done = await cli(BOB, 'terminate', session, '--reason', 'enough', '--yes');
    expect(done.status, done.stderr).toBe(0);
    expect(await ended).toBe(255);
    const close = await recordedAs(world.gateway.data, 'session.close', (record) => record.session === session);
    expect(close.body).toMatchObject({ code: 'SESSION_TERMINATED', reason: 'bob@example.com ended this session: enough' });
  });

  test('11 ends when its principal is locked, who then gets in no more until unlocked', async () => {
    const route = world.agent();
    const { ended } = await running(route);
    const locked = await cli(ALICE, 'lock', route.principal, '--reason', 'stolen key');
    expect(locked.status, locked.stderr).toBe(0);
    expect(await ended).toBe(255);
    const refused = await ssh(route, 'true');
    expect([refused.status, refused.stderr]).toEqual([255, expect.stringContaining('Permission denied (publickey)')]);
    await recordedAs(world.gateway.data, 'auth.refused', ({ body }) => body.reason.includes('stolen key'));
    expect((await cli(ALICE, 'unlock', route.principal, '--reason', 'new key')).status).toBe(0);
    expect((await ssh(route, 'true')).status).toBe(0);
  });
});

describe('what is on record', () => {
  test('93 a gateway that is killed while one waits: it is closed at the next start, and cannot be approved', async () => {
    const route = world.agent();
    const made = join(belongings.directory('killed'), 'made');
    const client = ssh(route, `touch ${made}`);
    const open = await waiting(route);
    await world.gateway.kill();
    expect((await client).status).toBe(255);
    await world.gateway.start();
    const expired = await recordedAs(world.gateway.data, 'approval.expired', ({ body }) => body.approval === open.request.id);
    expect(expired.body.reason).toBe('gateway-restarted');
    tokens = Object.fromEntries(await Promise.all([ALICE, BOB].map(async (name) => [name, await logIn(world.gateway, name, keyOf(name))])));
    expect(await decide(ALICE, open, 'approve')).toMatchObject({ status: 409, code: 'APPROVAL_OVER' });
    const again = ssh({ ...route, knownHosts: await relearned(route) }, `touch ${made}`);
    const second = await waiting(route);
    expect(second.request.digest).toBe(open.request.digest);
    expect(existsSync(made)).toBe(false);
    expect(await decide(ALICE, second, 'approve')).toMatchObject({ status: 200 });
    expect((await again).status).toBe(0);
    expect(existsSync(made)).toBe(true);
  });

  test('86 verifies, and answers who approved what', async () => {
    const verified = await sallyport(['verify', '--data', world.gateway.data]);
    expect(verified.status, verified.stdout.toString()).toBe(0);
    const questions = [
      'approvals',
      'break-glass',
      'time-bound',
      'policy-in-force',
      'refused',
      'changes',
      'self-approvals',
      'leavers',
      'viewed-exported',
    ];
    const answers = await Promise.all(
      questions.map(async (question) => {
        const args = [
          'audit',
          question,
          '--data',
          world.gateway.data,
          '--format',
          'csv',
          '-o',
          join(belongings.directory('audit'), 'answer.csv'),
        ];
        const { status, stderr } = await sallyport(args);
        if (status !== 0) throw new Error(`${question}: ${stderr}`);
        return [
          question,
          readFileSync(args.at(-1) as string, 'utf8')
            .trim()
            .split('\n').length - 1,
        ] as const;
      }),
    );
    const rows = Object.fromEntries(answers);
    // Whoever asked, and whoever was asked for, has decided nothing; one was locked and came again, and nobody has looked at a recording.
    expect(rows).toMatchObject({ 'self-approvals': 0, leavers: 1, 'viewed-exported': 0, 'break-glass': 1 });
    for (const question of ['approvals', 'time-bound', 'policy-in-force', 'refused', 'changes'])
      expect(rows[question], question).toBeGreaterThan(0);
  });
});

/** The gateway listens on the same port with the same key after a restart. */
function relearned(route: AgentRoute): Promise<string> {
  const file = join(belongings.directory('hosts'), 'known_hosts');
  return learnHostKey(file, route.host, world.gateway.port).then(() => file);
}

async function waitingOrigin(): Promise<unknown> {
  const { body } = await ask(world.gateway, 'gateway.status', {}, { token: tokens[ALICE] });
  return body.origin;
}
