import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApprovalRequest, decisionText } from '../../contract/approval.ts';
import { statementText } from '../../contract/signed-statements.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { createLog } from '../../gateway/base/log.ts';
import { openEvidence } from '../../gateway/evidence.ts';
import { keyOperations } from '../../gateway/operator-api/key-operations.ts';
import { LogIns } from '../../gateway/operator-api/log-ins.ts';
import type { Operator } from '../../gateway/operator-api/operators.ts';
import { RegisteredKeys } from '../../gateway/operator-api/registered-keys.ts';
import { runThroughGateway } from '../../gateway/protocol/ssh/loopback-client.ts';
import { type Gateway, startGateway } from '../../gateway/serve.ts';
import { type KeyPair, makeKey } from '../support/keys.ts';
import { recordedAs, recordsOf } from '../support/records.ts';
import { type ReviewerKey, reviewerKey } from '../support/reviewer-key.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { type Answer, ask, askOnSocket, logIn, makeOperators, type Reached, sign } from './api-client.ts';

/** Keys that people register themselves: what they are good for, and for whom they are not. */

const SECOND = 1_000_000;
const belongings = new Belongings();
afterAll(() => belongings.release());

let directory: string;
let gateway: Gateway;
let reached: Reached;
let keyOf: (name: string) => KeyPair;
let agentKey: KeyPair;
let configure: (change?: (humans: Record<string, unknown>[]) => void) => Promise<void>;

async function start(): Promise<void> {
  gateway = await startGateway({ config: join(directory, 'sallyport.yaml'), data: join(directory, 'data'), logLevel: 'silent' });
  const address = gateway.listeners.find(({ protocol }) => protocol === 'https')?.address ?? '';
  reached = { httpsPort: Number(address.split(':').at(-1)), data: join(directory, 'data') };
}

beforeAll(async () => {
  directory = belongings.directory('keys');
  const made = await makeOperators(directory, {
    alice: ['admin'],
    bob: ['reviewer'],
    carol: ['reviewer'],
    dave: ['reviewer'],
    erin: ['reviewer'],
  });
  keyOf = made.keyOf;
  agentKey = await makeKey(directory, 'agent-key');
  const authority = await makeKey(directory, 'authority');
  mkdirSync(join(directory, 'home'));
  writeFileSync(
    join(directory, 'policy.cedar'),
    '@id("all") permit(principal, action == Action::"connect", resource); @id("asks") @approval("changes") permit(principal, action == Action::"ssh:exec", resource);',
  );
  configure = async (change) => {
    const humans = structuredClone(made.humans) as Record<string, unknown>[];
    change?.(humans);
    const configuration = {
      gateway: { listen: { ssh: '127.0.0.1:0', https: '127.0.0.1:0' } },
      humans,
      agents: [{ name: 'deploy-bot', 'on-behalf-of': 'alice', 'ssh-keys': [agentKey.publicLine] }],
      targets: [{ name: 'workshop', kind: 'shell' }],
      policy: 'policy.cedar',
      approvals: { changes: { reviewers: { names: ['bob'] }, within: '5m' } },
      certificates: { authorities: [{ name: 'elsewhere', key: authority.publicLine }] },
      recording: { reserve: '64MiB' },
    };
    writeFileSync(join(directory, 'sallyport.yaml'), JSON.stringify(configuration), { mode: 0o600 });
    await gateway?.reload();
  };
  await configure();
  await start();
  belongings.add(() => gateway.close('the test is over'));
});

const me = async (token: string) => (await ask(reached, 'whoami', {}, { token })).body;
const enter = (name: string): Promise<string> => logIn(reached, name, keyOf(name));

interface Proof {
  readonly operator?: string;
  readonly login?: unknown;
  readonly namespace?: string;
  readonly key?: string;
}
/** Registers a key as a device does; `proof`: what is signed instead. */
async function add(token: string, key: ReviewerKey, proof: Proof = {}): Promise<Answer> {
  const { operator, login, origin } = await me(token);
  const statement = { kind: 'key', origin: String(origin), operator: String(operator), key: key.line, login: String(login) } as const;
  const { namespace, text } = statementText({ ...statement, ...proof, login: String(proof.login ?? login) });
  const signature = key.sign(text, proof.namespace ?? namespace);
  return ask(reached, 'key.add', { key: `${key.line} a comment`, label: 'laptop', signature }, { token });
}
const enterWith = async (operator: string, key: ReviewerKey): Promise<Answer> => {
  const challenge = String((await ask(reached, 'login.challenge', { operator })).body.challenge);
  return ask(reached, 'login.ssh', { challenge, signature: key.sign(challenge, 'sallyport-login') });
};
const refused = { status: 403, body: { code: 'KEY_REFUSED' } };

describe('a key that somebody registers', () => {
  test('counts as theirs: it is listed, logs them in, and signs their decisions, also after a restart', async () => {
    const key = reviewerKey();
    const token = await enter('bob');
    expect(await add(token, key)).toMatchObject({ status: 200, body: { fingerprint: key.fingerprint } });
    expect((await me(token)).keys).toContain(key.line);
    expect((await ask(reached, 'key.list', {}, { token })).body.keys).toMatchObject([
      { fingerprint: keyOf('bob').fingerprint, from: 'configuration', label: 'bob', since: null },
      { key: key.line, fingerprint: key.fingerprint, from: 'registered', label: 'laptop' },
    ]);
    const record = (await recordsOf(reached.data, 'operator.key')).at(-1);
    expect(record).toMatchObject({
      outcome: 'success',
      actor: { principal: 'bob' },
      body: { operator: 'bob', change: 'added', key: key.line, fingerprint: key.fingerprint, label: 'laptop' },
    });

    await gateway.close('to start again');
    await start();
    const entered = await enterWith('bob', key);
    expect(entered).toMatchObject({ status: 200, body: { operator: 'bob', roles: ['reviewer'] } });
    const own = String(entered.body.token);

    const address = gateway.listeners.find(({ protocol }) => protocol === 'ssh')?.address ?? '';
    const session = runThroughGateway({
      host: '127.0.0.1',
      port: Number(address.split(':').at(-1)),
      hostKeyFingerprint: gateway.hostKey.fingerprint,
      user: 'workshop',
      privateKey: readFileSync(agentKey.path, 'utf8'),
      command: 'echo approved by a registered key',
    });
    const waiting = await until('a request that waits', async () => {
      const { body } = await ask(reached, 'approval.list', {}, { token: own });
      return (body.approvals as { request: ApprovalRequest; digest: string; origin: string }[])[0];
    });
    const decision = { verdict: 'approve', reviewer: 'bob', reason: 'fine' } as const;
    const text = decisionText(String((await me(own)).origin), waiting.request, decision);
    const decided = await ask(
      reached,
      'approval.decide',
      {
        approval: waiting.request.id,
        digest: waiting.request.digest,
        verdict: 'approve',
        reason: 'fine',
        key: key.line,
        signature: key.sign(text),
      },
      { token: own },
    );
    expect(decided).toMatchObject({ status: 200 });
    expect(await session).toMatchObject({ status: 0, stdout: 'approved by a registered key\n' });

    // It lets nobody into a target: what is registered for signing is no key of SSH.
    await ask(reached, 'key.remove', { fingerprint: key.fingerprint, reason: 'the laptop is gone' }, { token: await enter('bob') });
    expect(await ask(reached, 'whoami', {}, { token: own })).toMatchObject({ status: 401 });
    expect(await enterWith('bob', key)).toMatchObject({ status: 401, body: { code: 'LOGIN_REFUSED' } });
    const removed = await recordedAs(reached.data, 'operator.key', ({ body }) => body.change === 'removed');
    expect(removed.body).toMatchObject({ operator: 'bob', fingerprint: key.fingerprint, reason: 'the laptop is gone' });
    expect((await recordsOf(reached.data, 'credential.revoked')).at(-1)?.body.reason).toMatch(/key .* was removed/);
    await gateway.close('to start again');
    await start();
    expect(await enterWith('bob', key)).toMatchObject({ status: 401 });
  });

  test('is not registered with what was signed for somebody else, for another log-in, another key or another purpose', async () => {
    const [key, other] = [reviewerKey(), reviewerKey()];
    const token = await enter('carol');
    const before = (await me(await enter('carol'))).login;
    const wrong = { status: 400, body: { code: 'SIGNATURE_INVALID' } };
    expect(await add(token, key, { operator: 'bob' })).toMatchObject(wrong);
    expect(await add(token, key, { login: before })).toMatchObject(wrong);
    expect(await add(token, key, { key: other.line })).toMatchObject(wrong);
    expect(await add(token, key, { namespace: 'sallyport-login' })).toMatchObject(wrong);
    const { operator, login, origin } = await me(token);
    const statement = { kind: 'key', origin: String(origin), operator: String(operator), key: key.line, login: String(login) } as const;
    const { namespace, text } = statementText(statement);
    // Signed well, by a key that is not the one.
    expect(await ask(reached, 'key.add', { key: key.line, label: 'x', signature: other.sign(text, namespace) }, { token })).toMatchObject(
      refused,
    );
    expect((await me(token)).keys).toHaveLength(1);
  });

  test('is of a kind that devices make, and has a name of one line', async () => {
    const token = await enter('carol');
    const { operator, login, origin } = await me(token);
    const register = async (pair: KeyPair, label = 'laptop'): Promise<Answer> => {
      const key = pair.publicLine.split(' ', 2).join(' ');
      const { namespace, text } = statementText({
        kind: 'key',
        origin: String(origin),
        operator: String(operator),
        key,
        login: String(login),
      });
      return ask(reached, 'key.add', { key, label, signature: await sign(pair, text, namespace) }, { token });
    };
    const ecdsa = await makeKey(directory, 'ecdsa', 'ecdsa');
    expect(await register(await makeKey(directory, 'rsa', 'rsa'))).toMatchObject(refused);
    expect(await register(ecdsa, 'lap\ntop')).toMatchObject({ status: 400 });
    expect(await register(ecdsa, '\ud800')).toMatchObject({ status: 400 });
    expect(await register(ecdsa)).toMatchObject({ status: 200, body: { fingerprint: ecdsa.fingerprint } });
  });

  test('is nobody else’s: not by the configuration, not registered, and of no authority', async () => {
    const token = await enter('carol');
    const { operator, login, origin } = await me(token);
    const register = async (path: string, line: string): Promise<Answer> => {
      const key = line.split(' ', 2).join(' ');
      const { namespace, text } = statementText({
        kind: 'key',
        origin: String(origin),
        operator: String(operator),
        key,
        login: String(login),
      });
      return ask(
        reached,
        'key.add',
        { key, label: 'laptop', signature: await sign({ path, publicLine: line, fingerprint: '' }, text, namespace) },
        { token },
      );
    };
    for (const pair of [keyOf('bob'), keyOf('carol'), agentKey]) expect(await register(pair.path, pair.publicLine)).toMatchObject(refused);
    const authority = join(directory, 'authority');
    expect(await register(authority, readFileSync(`${authority}.pub`, 'utf8'))).toMatchObject(refused);
    const daves = reviewerKey();
    const of = await enter('dave');
    expect(await add(of, daves)).toMatchObject({ status: 200 });
    expect(await add(of, daves)).toMatchObject(refused);
    expect(await add(token, daves)).toMatchObject(refused);
    const denied = (await recordsOf(reached.data, 'operator.key')).filter(({ outcome }) => outcome === 'denied');
    expect(denied.length).toBeGreaterThanOrEqual(5);
    expect(denied.at(-1)?.body).toMatchObject({ operator: 'carol', change: 'added', reason: 'this key belongs to somebody else' });
  });

  test('does not beget others: a log-in with it, or by a link of that, registers none', async () => {
    const stolen = reviewerKey();
    await add(await enter('dave'), stolen);
    const token = String((await enterWith('dave', stolen)).body.token);
    expect((await me(token)).mayAddKey).toBeNull();
    expect(await add(token, reviewerKey())).toMatchObject(refused);
    const { body } = await ask(reached, 'login.link', {}, { token });
    const child = String((await ask(reached, 'login.code', { code: body.code })).body.token);
    expect((await me(child)).mayAddKey).toBeNull();
    expect(await add(child, reviewerKey())).toMatchObject(refused);
    // They let nobody into a target either.
    for (const each of [token, child])
      expect(await ask(reached, 'credential.issue', { key: stolen.line }, { token: each })).toMatchObject({
        status: 403,
        body: { code: 'CREDENTIAL_REFUSED' },
      });
    expect((await recordsOf(reached.data, 'auth.refused')).at(-1)?.body.reason).toMatch(/lets nobody into a target/);
    expect((await ask(reached, 'credential.issue', { key: stolen.line }, { token: await enter('dave') })).status).toBe(200);
    // Nor does a program's token.
    const admin = await enter('alice');
    const made = await ask(reached, 'operator.token', { operator: 'dave', roles: ['reviewer'], days: 1, reason: 'x' }, { token: admin });
    expect(await add(String(made.body.token), reviewerKey())).toMatchObject(refused);
    // The owner takes it back, and the log-ins that go back to it end.
    await ask(reached, 'key.remove', { fingerprint: stolen.fingerprint, reason: 'stolen' }, { token: await enter('dave') });
    for (const each of [token, child]) expect((await ask(reached, 'whoami', {}, { token: each })).status).toBe(401);
  });

  test('may be registered by whoever came by a link of the one who runs the gateway', async () => {
    const { body } = await askOnSocket(reached, 'login.link', { operator: 'erin' });
    const token = String((await ask(reached, 'login.code', { code: body.code })).body.token);
    expect(await add(token, reviewerKey())).toMatchObject({ status: 200 });
  });

  test('makes no tokens, which would outlive it, whatever the roles of its owner', async () => {
    const key = reviewerKey();
    await add(await enter('alice'), key);
    const token = String((await enterWith('alice', key)).body.token);
    const wanted = { operator: 'alice', roles: ['admin'], days: 366, reason: 'x' };
    expect(await ask(reached, 'operator.token', wanted, { token })).toMatchObject(refused);
    const { body } = await ask(reached, 'login.link', {}, { token });
    const child = String((await ask(reached, 'login.code', { code: body.code })).body.token);
    expect(await ask(reached, 'operator.token', wanted, { token: child })).toMatchObject(refused);
    expect(await ask(reached, 'operator.token', wanted, { token: await enter('alice') })).toMatchObject({ status: 200 });
  });

  test('is taken back by its owner in person or by an admin, and where it stands', async () => {
    const key = reviewerKey();
    await add(await enter('dave'), key);
    const remove = async (token: string, more: object = {}): Promise<Answer> =>
      ask(reached, 'key.remove', { fingerprint: key.fingerprint, reason: 'test', ...more }, { token });
    expect(await remove(await enter('carol'), { operator: 'dave' })).toMatchObject({ status: 403, body: { code: 'ROLE_MISSING' } });
    expect(await remove(await enter('carol'))).toMatchObject({ status: 404 });
    const admin = await enter('alice');
    const made = await ask(reached, 'operator.token', { operator: 'dave', roles: ['reviewer'], days: 1, reason: 'x' }, { token: admin });
    expect(await remove(String(made.body.token))).toMatchObject(refused);
    expect(await remove(admin)).toMatchObject({ status: 404 });
    expect(await remove(admin, { fingerprint: keyOf('dave').fingerprint, operator: 'dave' })).toMatchObject({ status: 409 });
    expect(await remove(admin, { operator: 'dave' })).toMatchObject({ status: 200 });
    expect((await recordsOf(reached.data, 'operator.key')).at(-1)).toMatchObject({
      actor: { principal: 'alice' },
      body: { operator: 'dave' },
    });
  });

  test('stands behind the configuration, and goes with its owner: the next of that name does not inherit it', async () => {
    const key = reviewerKey();
    await add(await enter('erin'), key);
    expect((await enterWith('erin', key)).status).toBe(200);
    await configure((humans) => {
      for (const human of humans) if (human.name === 'carol') human['ssh-keys'] = [key.line];
    });
    expect((await enterWith('erin', key)).status).toBe(401);
    expect((await enterWith('carol', key)).status).toBe(200);
    await configure();
    expect((await enterWith('erin', key)).status).toBe(200);
    await configure((humans) => {
      for (const human of humans) if (human.name === 'erin') human.disabled = true;
    });
    expect((await enterWith('erin', key)).status).toBe(401);
    await configure(
      (humans) =>
        void humans.splice(
          humans.findIndex(({ name }) => name === 'erin'),
          1,
        ),
    );
    await configure();
    expect((await enterWith('erin', key)).status).toBe(401);
    const record = (await recordsOf(reached.data, 'operator.key')).at(-1);
    expect(record).toMatchObject({ actor: { kind: 'gateway' }, body: { operator: 'erin', change: 'removed' } });
  });
});

describe('the time in which a key is registered', () => {
  test('is ten minutes from the log-in, and sixteen keys are the most, also of those who come at once', async () => {
    let now = Date.parse('2026-03-01T09:00:00Z') * 1000;
    const clock = { wallMicros: () => now, monotonicNanos: () => now * 1000 };
    const data = belongings.directory('clock');
    const log = createLog('silent');
    const settings = { gateway: { listen: {}, data, name: 'bastion-1' }, ledger: {} };
    const evidence = await openEvidence(settings, data, { clock: systemClock, log });
    belongings.add(() => evidence.close());
    const registered = new RegisteredKeys([]);
    const alice = (): Operator => ({ name: 'alice', roles: ['admin'], groups: [], keys: registered.of('alice'), disabled: false });
    const operators = { find: alice, all: () => [alice()], isLocked: () => false };
    const logIns = new LogIns(operators, clock);
    const { known } = logIns.make({ operator: 'alice', authentication: { method: 'oidc' } });
    logIns.put(known);
    const parts = { registered, takenBy: () => undefined, logIns, records: evidence.records, clock };
    const performers = keyOperations({ ...parts, gatewayName: 'bastion-1', origin: 'a.test/log', logInsChanged: () => undefined });
    const register = (): Promise<unknown> => {
      const operator = logIns.stillGood(known.id);
      if (operator === undefined) throw new Error('the log-in has ended');
      const key = reviewerKey();
      const { namespace, text } = statementText({ kind: 'key', origin: 'a.test/log', operator: 'alice', key: key.line, login: known.id });
      const asking = {
        operator,
        actor: { principal: 'alice', kind: 'human', source: 'a test' },
        signal: new AbortController().signal,
      } as const;
      return performers['key.add']({ key: key.line, label: 'laptop', signature: key.sign(text, namespace) }, asking);
    };
    const results = await Promise.allSettled(Array.from({ length: 18 }, register));
    expect(results.map(({ status }) => status)).toEqual([...Array(16).fill('fulfilled'), 'rejected', 'rejected']);
    registered.remove(registered.of('alice')[0]?.fingerprint ?? '');
    now += 600 * SECOND - 1;
    await expect(register()).resolves.toBeDefined();
    registered.remove(registered.of('alice')[0]?.fingerprint ?? '');
    now += 1;
    await expect(register()).rejects.toMatchObject({ code: 'KEY_REFUSED' });
  });
});
