import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LogIns } from '../../gateway/operator-api/log-ins.ts';
import { LoginCodes } from '../../gateway/operator-api/login-codes.ts';
import type { Operator } from '../../gateway/operator-api/operators.ts';
import { startGateway } from '../../gateway/serve.ts';
import type { KeyPair } from '../support/keys.ts';
import { recordsOf } from '../support/records.ts';
import { Belongings } from '../support/temp.ts';
import { type Answer, ask, askOnSocket, logIn, makeOperators, type Reached, send } from './api-client.ts';

/** Getting into a browser with a code that is good once, and what somebody makes of one who should not. */

const SECOND = 1_000_000;
const belongings = new Belongings();
afterAll(() => belongings.release());

let reached: Reached;
let keyOf: (name: string) => KeyPair;
let own: string;
let configure: (change?: (humans: Record<string, unknown>[]) => void) => void;
let reload: () => Promise<void>;

beforeAll(async () => {
  const directory = belongings.directory('links');
  const made = await makeOperators(directory, { alice: ['admin', 'reviewer'], bob: ['reviewer'], nobody: [] });
  keyOf = made.keyOf;
  const file = join(directory, 'sallyport.yaml');
  configure = (change) => {
    const humans = structuredClone(made.humans) as Record<string, unknown>[];
    change?.(humans);
    const limits = { lockout: { failures: 6, within: '60s', for: '1s' } };
    const gateway = { listen: { ssh: '127.0.0.1:0', https: '127.0.0.1:0' } };
    writeFileSync(file, JSON.stringify({ gateway, humans, agents: [], targets: [], limits }), { mode: 0o600 });
  };
  configure();
  const data = join(directory, 'data');
  const gateway = await startGateway({ config: file, data, logLevel: 'silent' });
  belongings.add(() => gateway.close('the test is over'));
  reload = () => gateway.reload();
  const address = gateway.listeners.find(({ protocol }) => protocol === 'https')?.address ?? '';
  reached = { httpsPort: Number(address.split(':').at(-1)), data };
  own = `https://127.0.0.1:${reached.httpsPort}`;
});

const enter = (code: unknown, more: object = {}): Promise<Answer> => ask(reached, 'login.code', { code: String(code), ...more });
const me = (token: unknown): Promise<Answer> => ask(reached, 'whoami', {}, { token: String(token) });
async function codeOf(token: string): Promise<string> {
  const { status, text, body } = await ask(reached, 'login.link', {}, { token });
  if (status !== 200) throw new Error(text);
  return String(body.code);
}
const refused = { status: 401, body: { code: 'LOGIN_REFUSED' } };

describe('a code of somebody who is logged in', () => {
  test('logs them in once, with a cookie for a browser, and the records say whose log-in it goes back to', async () => {
    const token = await logIn(reached, 'bob', keyOf('bob'));
    const code = await codeOf(token);
    expect(code).toMatch(/^spc_[A-Za-z0-9_-]{22}$/);
    const answer = await send(reached, { method: 'POST', path: '/api/login/code', headers: { origin: own }, body: { code, cookie: true } });
    expect(answer).toMatchObject({ status: 200, body: { operator: 'bob', roles: ['reviewer'] } });
    expect(answer.body).not.toHaveProperty('token');
    const cookie = String([answer.headers['set-cookie']].flat()[0]);
    expect(cookie).toMatch(/^__Host-sallyport=sp_.*; Path=\/; Secure; HttpOnly; SameSite=Strict/);
    const seen = await ask(reached, 'whoami', {}, { headers: { cookie: cookie.split(';', 1)[0] ?? '' } });
    expect(seen).toMatchObject({ status: 200, body: { operator: 'bob' } });
    expect(await enter(code)).toMatchObject(refused);

    const [link] = await recordsOf(reached.data, 'operator.link');
    expect(link).toMatchObject({
      actor: { principal: 'bob', authentication: { method: 'publickey', key: keyOf('bob').fingerprint } },
      body: { operator: 'bob' },
    });
    const login = (await recordsOf(reached.data, 'operator.login')).find(({ body }) => body.method === 'link');
    const authentication = { method: 'link', key: keyOf('bob').fingerprint, link: { id: link?.body.link, by: 'bob', method: 'publickey' } };
    expect(login?.actor).toMatchObject({ principal: 'bob', authentication });
    expect(JSON.stringify([link, login])).not.toContain(code.slice(4));
    expect((await recordsOf(reached.data, 'auth.refused')).at(-1)?.body).toMatchObject({ method: 'link', user: '' });
  });

  test('counts no longer than the log-in that made it: that may be ended before and after', async () => {
    const before = await logIn(reached, 'bob', keyOf('bob'));
    const late = await codeOf(before);
    const child = String((await enter(await codeOf(before))).body.token);
    const grandchild = String((await enter(await codeOf(child))).body.token);
    expect((await me(grandchild)).body.expires).toBe((await me(before)).body.expires);
    expect((await me(grandchild)).body.mayAddKey).toBe((await me(before)).body.mayAddKey);
    await ask(reached, 'logout', {}, { token: before });
    expect(await enter(late)).toMatchObject(refused);
    for (const token of [child, grandchild]) expect(await me(token)).toMatchObject({ status: 401, body: { code: 'LOGIN_REQUIRED' } });
  });

  test('is of no use when they lose the key that they logged in with, and their roles', async () => {
    const token = await logIn(reached, 'bob', keyOf('bob'));
    const child = String((await enter(await codeOf(token))).body.token);
    const code = await codeOf(token);
    configure((humans) => {
      for (const human of humans) if (human.name === 'bob') human['ssh-keys'] = [];
    });
    await reload();
    expect([(await enter(code)).status, (await me(child)).status]).toEqual([401, 401]);
    configure();
    await reload();
    // It was used up all the same.
    expect(await enter(code)).toMatchObject(refused);
    await logIn(reached, 'bob', keyOf('bob')); // Whoever gets in is forgiven.
  });

  test('is theirs: not of somebody else, not of a program, and not for a browser that is somebody else’s', async () => {
    const token = await logIn(reached, 'alice', keyOf('alice'));
    expect(await ask(reached, 'login.link', { operator: 'bob' }, { token })).toMatchObject({ status: 403, body: { code: 'ROLE_MISSING' } });
    const issued = await ask(reached, 'operator.token', { operator: 'alice', roles: ['admin'], days: 1, reason: 'test' }, { token });
    const program = String(issued.body.token);
    expect(await ask(reached, 'login.link', {}, { token: program })).toMatchObject({ status: 403, body: { code: 'LOGIN_REFUSED' } });
    expect(await ask(reached, 'login.link', {})).toMatchObject({ status: 401 });

    const bobs = await codeOf(await logIn(reached, 'bob', keyOf('bob')));
    const browser = { token, headers: {} };
    expect(await ask(reached, 'login.code', { code: bobs, cookie: true }, browser)).toMatchObject({
      status: 409,
      body: { code: 'CONFLICT' },
    });
    expect(await enter(bobs)).toMatchObject({ status: 200, body: { operator: 'bob' } });
  });

  test('cannot be guessed: who tries is told nothing, recorded, and locked out', async () => {
    const wrong = ['', 'spc_', `spc_${'A'.repeat(22)}`, `sp_${'A'.repeat(43)}`, 'x'.repeat(128)];
    const answers = [];
    for (const code of wrong) answers.push(await enter(code));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await recordsOf(reached.data, 'auth.refused')).slice(-5).map(({ body }) => body.method)).toEqual(Array(5).fill('link'));
    await enter('one more');
    const good = (await askOnSocket(reached, 'login.link', { operator: 'bob' })).body.code;
    expect(await enter(good)).toMatchObject({ status: 429, body: { code: 'LOGIN_REFUSED' } });
    await expect.poll(async () => (await enter(good)).status, { timeout: 5000 }).toBe(200);
    expect(await enter('x'.repeat(129))).toMatchObject({ status: 400 });
  });

  test('is not made or used from a page of another origin', async () => {
    const { body } = await askOnSocket(reached, 'login.link', { operator: 'bob' });
    const elsewhere = { headers: { origin: 'https://elsewhere.example' } };
    expect(await ask(reached, 'login.code', { code: body.code, cookie: true }, elsewhere)).toMatchObject({ status: 403 });
    expect(await enter(body.code)).toMatchObject({ status: 200 });
  });
});

describe('a code of whoever runs the gateway', () => {
  test('is for any operator in force, for ten minutes, and the record says who made it', async () => {
    const made = await askOnSocket(reached, 'login.link', { operator: 'alice' });
    expect(made).toMatchObject({ status: 200, body: { operator: 'alice' } });
    expect(Date.parse(String(made.body.expires)) - Date.now()).toBeGreaterThan(590_000);
    const { body } = await enter(made.body.code);
    expect(body).toMatchObject({ operator: 'alice', roles: ['admin', 'reviewer'] });
    const who = await me(body.token);
    expect(who.body.mayAddKey).not.toBeNull();
    const login = (await recordsOf(reached.data, 'operator.login')).at(-1);
    expect(login?.actor.authentication).toMatchObject({ method: 'link', link: { by: 'engineer', method: 'local-user' } });
  });

  test.each([
    ['nobody at all', {}, 400, 'REQUEST_INVALID'],
    ['somebody without a role', { operator: 'nobody' }, 409, 'CONFLICT'],
    ['somebody who is not there', { operator: 'unknown' }, 409, 'CONFLICT'],
  ])('is not made for %s', async (_whom, input, status, code) => {
    expect(await askOnSocket(reached, 'login.link', input)).toMatchObject({ status, body: { code } });
  });

  test('is of no use for somebody who is locked meanwhile', async () => {
    const { body } = await askOnSocket(reached, 'login.link', { operator: 'bob' });
    await askOnSocket(reached, 'lock.set', { principal: 'bob', reason: 'test' });
    expect(await enter(body.code)).toMatchObject(refused);
    await askOnSocket(reached, 'lock.clear', { principal: 'bob', reason: 'test' });
    expect(await enter(body.code)).toMatchObject(refused);
  });
});

describe('the codes that are kept', () => {
  function world() {
    let now = Date.parse('2026-03-01T09:00:00Z') * 1000;
    const clock = { wallMicros: () => now, monotonicNanos: () => now * 1000 };
    return { clock, codes: new LoginCodes(clock), pass: (micros: number) => (now += micros) };
  }
  const login = (operator: string) => ({ operator, authentication: { method: 'link' } });
  const make = (codes: LoginCodes, operator: string): string => {
    const { code, put } = codes.make(login(operator), 60 * SECOND);
    put();
    return code;
  };

  test('count from their record on, and for as long as they are said to', () => {
    const { codes, pass } = world();
    const { code, put } = codes.make(login('alice'), 60 * SECOND);
    expect(codes.find(code)).toBeUndefined();
    put();
    pass(60 * SECOND - 1);
    expect(codes.find(code)?.login.operator).toBe('alice');
    pass(1);
    expect(codes.find(code)).toBeUndefined();
  });

  test('are taken by one of two who come at the same moment', () => {
    const { codes } = world();
    const code = make(codes, 'alice');
    const [one, other] = [codes.find(code), codes.find(code)];
    expect([one?.take(), other?.take()]).toEqual([true, false]);
  });

  test('are bounded: of one operator, who pushes out their own, and of all together', () => {
    const { codes } = world();
    const others = make(codes, 'bob');
    const all = Array.from({ length: 9 }, () => make(codes, 'alice'));
    expect(all.map((code) => codes.find(code) !== undefined)).toEqual([false, ...Array(8).fill(true)]);
    expect(codes.find(others)).toBeDefined();
    for (let count = 0; count < 512; count += 1) make(codes, `operator ${count}`);
    expect(codes.find(others)).toBeUndefined();
  });
});

describe('a log-in that goes back to another one', () => {
  const alice: Operator = { name: 'alice', roles: ['admin'], groups: [], keys: [], disabled: false };
  const operators = { find: () => alice, all: () => [alice], isLocked: () => false };

  test('does not begin the time for registering a key anew, nor the twelve hours', () => {
    let now = Date.parse('2026-03-01T09:00:00Z') * 1000;
    const logIns = new LogIns(operators, { wallMicros: () => now, monotonicNanos: () => now * 1000 });
    const first = logIns.make({ operator: 'alice', authentication: { method: 'oidc' } });
    logIns.put(first.known);
    expect(logIns.find(first.token)?.mayAddKey).toBe('2026-03-01T09:10:00.000000Z');
    now += 599 * SECOND;
    let last = first;
    for (let generation = 0; generation < 8; generation += 1) {
      const inherited = logIns.inherited(last.known.id);
      if (inherited === undefined) throw new Error(`generation ${generation} cannot go on`);
      last = logIns.make(inherited);
      logIns.put(last.known);
    }
    expect(logIns.find(last.token)?.mayAddKey).toBe('2026-03-01T09:10:00.000000Z');
    now += SECOND;
    expect(logIns.find(last.token)?.mayAddKey).toBeUndefined();
    expect(logIns.find(last.token)?.expires).toBe(logIns.find(first.token)?.expires);
    expect(logIns.inherited(last.known.id)).toBeUndefined();
    logIns.end(first.known.id);
    expect(logIns.find(last.token)).toBeUndefined();
  });
});

test('nobody fills the ledger with links of their own, and others make theirs meanwhile', async () => {
  const [token, other] = [await logIn(reached, 'alice', keyOf('alice')), await logIn(reached, 'bob', keyOf('bob'))];
  const ofAlice = async () => (await recordsOf(reached.data, 'operator.link')).filter(({ actor }) => actor.principal === 'alice').length;
  const before = await ofAlice();
  const answers = await Promise.all(Array.from({ length: 60 }, () => ask(reached, 'login.link', {}, { token })));
  const made = answers.filter(({ status }) => status === 200).length;
  expect(made).toBeLessThan(35);
  expect(answers.find(({ status }) => status !== 200)).toMatchObject({ status: 429, body: { code: 'CONFLICT' } });
  expect((await ofAlice()) - before).toBe(made);
  await codeOf(other);
});
