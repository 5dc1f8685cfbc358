import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditRecord } from '../../contract/record.ts';
import { type Gateway, startGateway } from '../../gateway/serve.ts';
import { Database } from '../../gateway/store/database.ts';
import type { KeyPair } from '../support/keys.ts';
import { clients, startOidcProvider, type TestProvider } from '../support/oidc-provider.ts';
import { Belongings } from '../support/temp.ts';
import { type Answer, ask, logIn, makeOperators, type Reached, send, sign, tryLogIn } from './api-client.ts';
import { RawWebSocket } from './web-socket.ts';

/** What somebody tries who has no log-in, or less than they want, against a gateway that runs. */

const belongings = new Belongings();
afterAll(() => belongings.release());

let gateway: Gateway;
let reached: Reached;
let configure: (change?: (humans: Record<string, unknown>[]) => void, sections?: Record<string, unknown>) => void;
let keyOf: (name: string) => KeyPair;
let own: string;

beforeAll(async () => {
  const directory = belongings.directory('hostile');
  const made = await makeOperators(directory, {
    alice: ['admin'],
    bob: ['reviewer'],
    carol: ['auditor'],
    dave: ['auditor'],
    nobody: [],
  });
  keyOf = made.keyOf;
  const file = join(directory, 'sallyport.yaml');
  configure = (change, sections = {}) => {
    const humans = structuredClone(made.humans) as Record<string, unknown>[];
    change?.(humans);
    const lockout = { failures: 12, within: '60s', for: '1h' };
    const configuration = {
      gateway: { listen: { ssh: '127.0.0.1:0', https: '127.0.0.1:0' } },
      humans,
      agents: [],
      targets: [],
      limits: { lockout },
    };
    writeFileSync(file, JSON.stringify({ ...configuration, ...sections }), { mode: 0o600 });
  };
  configure();
  const data = join(directory, 'data');
  gateway = await startGateway({ config: file, data, logLevel: 'silent' });
  belongings.add(() => gateway.close('the test is over'));
  const httpsPort = Number(
    gateway.listeners
      .find(({ protocol }) => protocol === 'https')
      ?.address.split(':')
      .at(-1),
  );
  reached = { httpsPort, data };
  own = `https://127.0.0.1:${httpsPort}`;
});

function cookieIn({ headers }: Answer): string {
  return [headers['set-cookie']].flat()[0]?.split(';', 1)[0] ?? '';
}

/** Sends a request but for the last byte of its body; whoever asks has been looked at when this resolves. */
async function begin(path: string, token: string, body: object): Promise<() => Promise<number | undefined>> {
  const text = JSON.stringify(body);
  const asked = request({
    host: '127.0.0.1',
    port: reached.httpsPort,
    path,
    method: 'POST',
    ca: readFileSync(join(reached.data, 'keys', 'https.crt')),
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      expect: '100-continue',
    },
  });
  asked.flushHeaders();
  await once(asked, 'continue');
  asked.write(text.slice(0, -1));
  return async () => {
    asked.end(text.slice(-1));
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
}

async function recordsOf<T extends AuditRecord['type']>(type: T): Promise<AuditRecord<T>[]> {
  const database = await Database.openForReading(reached.data);
  try {
    const rows = (await database.records.after(0, 100_000)).filter((row) => row.type === type && row.bytes !== null);
    return rows.map(({ bytes }) => JSON.parse(Buffer.from(bytes as Uint8Array).toString()) as AuditRecord<T>);
  } finally {
    await database.close();
  }
}

describe('a log-in', () => {
  test('is recorded without the token, and so is its end', async () => {
    const token = await logIn(reached, 'alice', keyOf('alice'));
    const [login] = (await recordsOf('operator.login')).filter(({ actor }) => actor.principal === 'alice');
    expect(login).toMatchObject({
      outcome: 'success',
      actor: { kind: 'human', authentication: { method: 'publickey', key: keyOf('alice').fingerprint } },
      body: { method: 'publickey', roles: ['admin'] },
    });
    await ask(reached, 'logout', {}, { token });
    const [logout] = await recordsOf('operator.logout');
    expect(logout?.body.token).toBe(login?.body.token);
    expect(JSON.stringify([login, logout])).not.toContain(token.slice(3));
    expect(await ask(reached, 'whoami', {}, { token })).toMatchObject({ status: 401, body: { code: 'LOGIN_REQUIRED' } });
  });

  test('is refused in the same words, whoever tries and whatever is wrong, and the record knows why', async () => {
    const { body } = await ask(reached, 'login.challenge', { operator: 'bob' });
    const challenge = String(body.challenge);
    const used = await ask(reached, 'login.ssh', { challenge, signature: await sign(keyOf('bob'), challenge) });
    expect(used.status).toBe(200);
    const attempts = [
      await ask(reached, 'login.ssh', { challenge, signature: await sign(keyOf('bob'), challenge) }),
      await tryLogIn(reached, 'bob', keyOf('alice')),
      await tryLogIn(reached, 'nobody', keyOf('nobody')),
      await tryLogIn(reached, 'unknown', keyOf('alice')),
      await ask(reached, 'login.ssh', { challenge: 'x', signature: await sign(keyOf('bob'), 'x') }),
    ];
    const other = String((await ask(reached, 'login.challenge', { operator: 'bob' })).body.challenge);
    attempts.push(await ask(reached, 'login.ssh', { challenge: other, signature: await sign(keyOf('bob'), other, 'sallyport-approval') }));
    attempts.push(await ask(reached, 'login.ssh', { challenge: other, signature: 'none' }));
    expect(new Set(attempts.map(({ text }) => text)).size).toBe(1);
    expect(attempts[0]).toMatchObject({ status: 401, body: { code: 'LOGIN_REFUSED' } });
    const reasons = (await recordsOf('auth.refused'))
      .filter(({ body: { protocol } }) => protocol === 'https')
      .map(({ body: { reason } }) => reason);
    for (const word of [
      /was used/,
      /no key of bob/,
      /no operator role/,
      /no human of this name/,
      /not one of this gateway/,
      /made for "sallyport-approval"/,
      /is not one block/,
    ])
      expect(reasons.some((reason) => word.test(reason))).toBe(true);
    // Somebody who gets in is forgiven.
    await logIn(reached, 'bob', keyOf('bob'));
  });

  test('through a provider is refused in words where none is configured', async () => {
    expect(await ask(reached, 'login.provider', {})).toMatchObject({ status: 200, body: { provider: null } });
    expect(await ask(reached, 'login.oidc', { idToken: 'x' })).toMatchObject({
      status: 401,
      body: { code: 'LOGIN_REFUSED', detail: expect.stringContaining('no identity provider') },
    });
  });
});

describe('a log-in through the identity provider', () => {
  let idp: TestProvider;
  const token = (sub: string, groups: readonly string[] = []) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: idp.issuer, sub, aud: clients.native.id, iat: now, exp: now + 60, groups: [...groups] };
    return idp.sign({ ...claims, jti: Math.random().toString(36) });
  };
  const oidc = (more: object) => ({ oidc: { issuer: idp.issuer, 'client-id': clients.native.id, 'name-claim': 'sub', ...more } });
  beforeAll(async () => {
    idp = await startOidcProvider(belongings, { redirects: [`${own}/login/callback`] });
  });

  test('gives the roles that the configuration in force gives to them and their groups, and records how', async () => {
    configure(undefined, oidc({ roles: { auditor: ['audit'] }, unlisted: true }));
    await gateway.reload();
    const unlisted = await ask(reached, 'login.oidc', { idToken: await token('erin', ['audit']) });
    expect(unlisted).toMatchObject({ status: 200, body: { operator: 'erin', roles: ['auditor'] } });
    const [record] = (await recordsOf('operator.login')).filter(({ actor }) => actor.principal === 'erin');
    expect(record?.actor.authentication).toMatchObject({ method: 'oidc', provider: { issuer: idp.issuer, subject: 'erin' } });
    const own = String(unlisted.body.token);
    expect((await ask(reached, 'whoami', {}, { token: own })).body).toMatchObject({ groups: ['audit'], roles: ['auditor'], keys: [] });
    // Somebody without a group that has a role may have a certificate, and ask for nothing that takes one.
    const without = await ask(reached, 'login.oidc', { idToken: await token('mallory') });
    expect(without).toMatchObject({ status: 200, body: { operator: 'mallory', roles: [] } });
    expect((await ask(reached, 'gateway.status', {}, { token: String(without.body.token) })).status).toBe(403);
    expect((await send(reached, { path: '/metrics', token: String(without.body.token) })).status).toBe(403);
    // A token that was used.
    const used = await token('erin', ['audit']);
    expect((await ask(reached, 'login.oidc', { idToken: used })).status).toBe(200);
    expect((await ask(reached, 'login.oidc', { idToken: used })).status).toBe(401);
    // The group has no role any more.
    configure(undefined, oidc({ unlisted: true }));
    await gateway.reload();
    expect((await ask(reached, 'whoami', {}, { token: own })).body).toMatchObject({ groups: ['audit'], roles: [] });
  });

  test('in a browser ends with the cookie of a log-in', async () => {
    configure(undefined, oidc({ 'client-id': clients.public.id, 'native-client-id': clients.native.id }));
    await gateway.reload();
    idp.person = { sub: 'carol' };
    const begun = await send(reached, { path: '/login' });
    const back = new URL(await idp.browse(String(begun.headers.location)));
    const ticket = cookieIn(begun);
    // Without the cookie that it began with, it is somebody else's.
    expect((await send(reached, { path: `${back.pathname}${back.search}` })).status).toBe(403);
    const done = await send(reached, { path: `${back.pathname}${back.search}`, headers: { cookie: ticket } });
    const cookie = [done.headers['set-cookie']].flat().find((set) => set?.startsWith('__Host-sallyport=')) ?? '';
    expect([done.status, cookie]).toEqual([200, expect.stringContaining('HttpOnly; SameSite=Strict')]);
    const [value = ''] = cookie.split(';');
    expect((await ask(reached, 'whoami', {}, { headers: { cookie: value } })).body).toMatchObject({
      operator: 'carol',
      roles: ['auditor'],
    });
  });

  test('is good for humans of the configuration alone unless it says otherwise, and as long as the provider is trusted', async () => {
    configure(undefined, oidc({ roles: { admin: ['root'] } }));
    await gateway.reload();
    expect((await ask(reached, 'login.oidc', { idToken: await token('mallory', ['root']) })).status).toBe(401);
    const known = await ask(reached, 'login.oidc', { idToken: await token('carol', ['root']) });
    expect(known).toMatchObject({ status: 200, body: { operator: 'carol', roles: ['auditor', 'admin'] } });
    configure();
    await gateway.reload();
    expect((await ask(reached, 'whoami', {}, { token: String(known.body.token) })).status).toBe(401);
  });
});

describe("a browser's cookie", () => {
  let cookie: string;
  beforeAll(async () => {
    const { headers, body } = await tryLogIn(reached, 'alice', keyOf('alice'), { cookie: true, headers: { origin: own } });
    const [set = ''] = headers['set-cookie'] as string[];
    cookie = set.split(';', 1)[0] ?? '';
    expect(body.token).toBeUndefined();
    expect(cookie).toMatch(/^__Host-sallyport=sp_/);
    for (const attribute of ['Secure', 'HttpOnly', 'SameSite=Strict', 'Path=/']) expect(set.split('; ')).toContain(attribute);
    expect(set).not.toMatch(/domain/i);
  });

  test('is good for reading, and for more only from a page of the gateway', async () => {
    expect(await ask(reached, 'whoami', {}, { headers: { cookie } })).toMatchObject({ status: 200, body: { operator: 'alice' } });
    expect((await ask(reached, 'config.reload', {}, { headers: { cookie, origin: own } })).status).toBe(200);
    expect((await ask(reached, 'whoami', {}, { headers: { cookie: `a=b; ${cookie}; c=d` } })).status).toBe(200);
  });

  test.each([
    ['no Origin', {}],
    ['another origin', { origin: 'https://evil.example' }],
    ['the same host on another port', { origin: 'https://127.0.0.1:1' }],
    ['the same host without TLS', { origin: 'http://127.0.0.1' }],
    ['a page that hides its origin', { origin: 'null' }],
    ['an origin that begins alike', { origin: 'OWN.evil.example' }],
  ])('does nothing from %s', async (_which, { origin }: { origin?: string }) => {
    const before = (await recordsOf('config.changed')).length;
    const headers = { cookie, ...(origin === undefined ? {} : { origin: origin.replace('OWN', own) }) };
    const { status, body, headers: answered } = await ask(reached, 'config.reload', {}, { headers });
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'REQUEST_INVALID' });
    expect(Object.keys(answered).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(await recordsOf('config.changed')).toHaveLength(before);
  });

  test('does nothing in a body that a form can send', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const { status } = await send(reached, {
        method: 'POST',
        path: '/api/config/reload',
        raw: '{}',
        headers: { cookie, origin: own, 'content-type': type },
      });
      expect(status).toBe(415);
    }
  });

  test.each(['evil.example', 'evil.example:7443', '169.254.169.254', 'localhost.evil.example', '[::2]'])(
    'is not looked at under the name %j',
    async (host) => {
      const { status, body } = await ask(reached, 'whoami', {}, { headers: { cookie, host } });
      expect({ status, operator: body.operator }).toEqual({ status: 421, operator: undefined });
    },
  );

  test.each(['localhost', '127.0.0.1', '[::1]'])('is good under the own name %s', async (host) => {
    expect((await ask(reached, 'whoami', {}, { headers: { cookie, host: `${host}:${reached.httpsPort}` } })).status).toBe(200);
  });

  test('is taken away when it is not good any more', async () => {
    const old = { cookie: `__Host-sallyport=sp_${'A'.repeat(43)}` };
    const { status, headers } = await ask(reached, 'whoami', {}, { headers: old });
    expect([status, String(headers['set-cookie'])]).toEqual([401, expect.stringMatching(/^__Host-sallyport=; .*Max-Age=0/)]);
    expect((await ask(reached, 'whoami', {}, { headers: { cookie } })).headers['set-cookie']).toBeUndefined();
    const program = await ask(reached, 'whoami', {}, { token: `sp_${'A'.repeat(43)}` });
    expect([program.status, program.headers['set-cookie']]).toEqual([401, undefined]);
  });

  test('is taken away at the log-out', async () => {
    const { status, headers } = await ask(reached, 'logout', {}, { headers: { cookie, origin: own } });
    expect([status, String(headers['set-cookie'])]).toEqual([200, expect.stringMatching(/^__Host-sallyport=; .*Max-Age=0/)]);
    expect((await ask(reached, 'whoami', {}, { headers: { cookie } })).status).toBe(401);
  });
});

describe('whoever has logged in', () => {
  test('is refused from the reload on that disables them or takes their role, also on an open WebSocket', async () => {
    const [bob, carol] = [await logIn(reached, 'bob', keyOf('bob')), await logIn(reached, 'carol', keyOf('carol'))];
    const listen = (token: string) =>
      RawWebSocket.open({ port: reached.httpsPort, path: '/api/events', headers: { authorization: `Bearer ${token}` } });
    const [first, second] = [await listen(bob), await listen(carol)];
    configure((humans) => {
      for (const human of humans) {
        if (human.name === 'bob') human.disabled = true;
        if (human.name === 'carol') human.operator = [];
      }
    });
    await gateway.reload();
    for (const token of [bob, carol]) expect((await ask(reached, 'session.list', {}, { token })).status).toBe(401);
    await Promise.all([first.ended, second.ended]);
    expect([first.closed?.code, second.closed?.code]).toEqual([4401, 4401]);
    expect((await tryLogIn(reached, 'bob', keyOf('bob'))).status).toBe(401);
    configure();
    await gateway.reload();
    expect((await ask(reached, 'session.list', {}, { token: bob })).status).toBe(200);
  });

  test('is out as long as somebody has locked them, and so are those who watch', async () => {
    const [alice, dave] = [await logIn(reached, 'alice', keyOf('alice')), await logIn(reached, 'dave', keyOf('dave'))];
    const watching = await RawWebSocket.open({
      port: reached.httpsPort,
      path: '/api/events',
      headers: { authorization: `Bearer ${dave}` },
    });
    const lock = { principal: 'dave', reason: 'for a test' };
    expect((await ask(reached, 'lock.set', lock, { token: alice })).status).toBe(200);
    await watching.ended;
    expect((await ask(reached, 'whoami', {}, { token: dave })).status).toBe(401);
    expect((await tryLogIn(reached, 'dave', keyOf('dave'))).status).toBe(401);
    expect((await ask(reached, 'lock.list', {}, { token: alice })).body).toMatchObject({ locks: [{ ...lock, by: 'alice' }] });
    expect((await ask(reached, 'lock.clear', lock, { token: alice })).status).toBe(200);
    expect((await ask(reached, 'logout', {}, { token: dave })).status).toBe(200);
  });

  test('is out when an admin says so, and nobody gets a token with more than its operator has', async () => {
    const [alice, dave] = [await logIn(reached, 'alice', keyOf('alice')), await logIn(reached, 'dave', keyOf('dave'))];
    const reason = 'for a test';
    for (const roles of [['admin'], ['auditor', 'admin']])
      expect(await ask(reached, 'operator.token', { operator: 'dave', roles, days: 1, reason }, { token: alice })).toMatchObject({
        status: 409,
        body: { code: 'CONFLICT' },
      });
    const made = await ask(reached, 'operator.token', { operator: 'dave', roles: ['auditor'], days: 1, reason }, { token: alice });
    expect(made.status).toBe(200);
    const { body } = await ask(reached, 'operator.revoke', { operator: 'dave', reason }, { token: alice });
    expect(body).toEqual({ revoked: 2 });
    for (const token of [dave, String(made.body.token)]) expect((await ask(reached, 'whoami', {}, { token })).status).toBe(401);
    const revoked = (await recordsOf('credential.revoked')).filter(({ actor }) => actor.principal === 'alice');
    expect(revoked.map(({ body: { reason: why } }) => why)).toEqual([reason, reason]);
  });

  test('does nothing with a request whose body ends after they were locked, logged out or revoked', async () => {
    const alice = await logIn(reached, 'alice', keyOf('alice'));
    const [who, reason] = [{ principal: 'bob' }, 'for a test'];
    const ways: ((token: string) => Promise<Answer>)[] = [
      () => ask(reached, 'lock.set', { ...who, reason }, { token: alice }),
      (token) => ask(reached, 'logout', {}, { token }),
      () => ask(reached, 'operator.revoke', { operator: 'bob', reason }, { token: alice }),
    ];
    for (const out of ways) {
      const bob = await logIn(reached, 'bob', keyOf('bob'));
      const finish = await begin('/api/locks/clear', bob, { ...who, reason: 'by themselves' });
      expect((await out(bob)).status).toBe(200);
      expect(await finish()).toBe(401);
      await ask(reached, 'lock.clear', { ...who, reason }, { token: alice });
    }
  });
});

test('a configuration with a fault is told, and what is in force stays', async () => {
  const token = await logIn(reached, 'alice', keyOf('alice'));
  const { body: before } = await ask(reached, 'gateway.status', {}, { token });
  configure((humans) => {
    for (const human of humans) human.operator = ['king'];
  });
  expect(await ask(reached, 'config.reload', {}, { token })).toMatchObject({
    status: 400,
    body: { code: 'CONFIG_INVALID', detail: expect.stringContaining('king') },
  });
  expect((await ask(reached, 'gateway.status', {}, { token })).body.configuration).toBe(before.configuration);
  configure();
});

describe('a request', () => {
  let token: string;
  beforeAll(async () => {
    token = await logIn(reached, 'alice', keyOf('alice'));
  });

  test.each<[string, Parameters<typeof send>[1], number]>([
    ['a body that is too long', { method: 'POST', path: '/api/policy/try', raw: `{"a":"${'x'.repeat(1_100_000)}"}` }, 413],
    ['a body that is not JSON', { method: 'POST', path: '/api/policy/try', raw: '{' }, 400],
    ['a list', { method: 'POST', path: '/api/policy/try', raw: '[]' }, 400],
    ['a prototype', { method: 'POST', path: '/api/policy/try', raw: '{"__proto__":{"admin":true}}' }, 400],
    ['a member that nobody knows', { path: '/api/sessions?more=1' }, 400],
    ['the same member twice', { path: '/api/sessions?limit=1&limit=2' }, 400],
    ['a limit beyond the limit', { path: '/api/sessions?limit=100000' }, 400],
    ['a time that is none', { path: '/api/sessions?from=yesterday' }, 400],
    ['a cursor that is none', { path: `/api/sessions?cursor=${'9'.repeat(1000)}` }, 400],
    ['an id that is none', { path: '/api/sessions/..%2f..%2fkeys' }, 400],
    [
      'the path again in the body',
      { method: 'POST', path: '/api/holds/01a205e1-e790-7000-8000-000000000000/clear', body: { hold: 'x', reason: 'r' } },
      400,
    ],
    ['what is not there', { path: '/api/sessions/01a205e1-e790-7000-8000-000000000000' }, 404],
    ['a method that there is not', { method: 'PUT', path: '/api/sessions' }, 404],
  ])('with %s is answered with a problem', async (_what, asked, status) => {
    const answer = await send(reached, { ...asked, token });
    expect(answer).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
      body: { status, code: expect.any(String) },
    });
    expect(answer.text.length).toBeLessThan(2000);
    expect(answer.headers).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
    });
  });

  test('of a stranger has its body read no further than a log-in needs', async () => {
    const raw = `{"challenge":"${'x'.repeat(200_000)}"}`;
    expect((await send(reached, { method: 'POST', path: '/api/login/ssh', raw })).status).toBe(413);
    expect((await send(reached, { method: 'POST', path: '/api/erasures', raw })).status).toBe(401);
  });

  test('for the metrics takes a log-in over HTTPS, and none on the control socket', async () => {
    expect((await send(reached, { path: '/metrics' })).status).toBe(401);
    const { status, text, headers } = await send(reached, { path: '/metrics', token });
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const lines = text.trimEnd().split('\n');
    for (const line of lines)
      expect(line).toMatch(
        /^(# (HELP|TYPE) sallyport_[a-z_]+ .+|sallyport_[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+)$/,
      );
    for (const metric of ['sessions_live 0', 'approvals_waiting 0', 'disk_space{state="ample"} 1', 'ledger_healthy 1'])
      expect(lines).toContain(`sallyport_${metric}`);
    expect(Number(/^sallyport_refused_total\{what="authentication"\} (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(5);
    const onSocket = await new Promise<number | undefined>((resolve, reject) => {
      plainRequest({ socketPath: join(reached.data, 'control.sock'), path: '/metrics' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(onSocket).toBe(200);
  });
});

// The last, because it locks this machine out for a while.
describe('whoever guesses', () => {
  test('is soon not looked at any more, and does not fill the ledger; whoever has a token goes on', async () => {
    const token = await logIn(reached, 'alice', keyOf('alice'));
    const before = (await recordsOf('auth.refused')).length;
    const statuses: number[] = [];
    for (let guess = 0; guess < 60; guess += 1)
      statuses.push((await ask(reached, 'whoami', {}, { token: `sp_${String(guess).padEnd(43, 'A')}` })).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
    expect((await recordsOf('auth.refused')).length - before).toBeLessThanOrEqual(24);
    expect((await ask(reached, 'whoami', {}, { token })).status).toBe(200);
    // Old tokens keep nobody from logging in, be it that the browser still has one; failed log-ins do.
    const stale = `__Host-sallyport=sp_${'A'.repeat(43)}`;
    const counted = (await recordsOf('auth.refused')).length;
    const { status } = await tryLogIn(reached, 'bob', keyOf('bob'), { headers: { cookie: stale, origin: own } });
    expect([status, (await recordsOf('auth.refused')).length]).toEqual([200, counted]);
    const challenge = String((await ask(reached, 'login.challenge', { operator: 'bob' })).body.challenge);
    const attempts: number[] = [];
    for (let guess = 0; guess < 20; guess += 1) attempts.push((await ask(reached, 'login.ssh', { challenge, signature: 'none' })).status);
    expect([attempts[0], attempts.at(-1)]).toEqual([401, 429]);
    expect((await ask(reached, 'login.challenge', { operator: 'bob' })).status).toBe(429);
  });
});
