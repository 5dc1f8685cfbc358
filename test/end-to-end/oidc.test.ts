import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mainFile } from '../commands/run-cli.ts';
import { ask, send } from '../operator-api/api-client.ts';
import { ssh } from '../support/clients.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type KeyPair, learnHostKey, makeKey } from '../support/keys.ts';
import { clients, startOidcProvider, type TestProvider } from '../support/oidc-provider.ts';
import { recordedAs } from '../support/records.ts';
import { ended, plainEnvironment, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

/* A gateway, a certified identity provider and the command line, as somebody would use them. */

const belongings = new Belongings();
const SECRET = clients.browser.secret;
let idp: TestProvider;
let gateway: Gateway;
/** Of the person at the command line. */
let home: string;

beforeAll(async () => {
  idp = await startOidcProvider(belongings, { redirects: ['https://bastion.test/login/callback'] });
  idp.paceDevices = 1;
  home = belongings.directory('home');
  const policy = join(home, 'policy.cedar');
  writeFileSync(
    policy,
    'permit(principal is Human, action, resource) when { principal in Group::"sre" || principal in Group::"staff" };\n',
    { mode: 0o644 },
  );
  gateway = await startGateway(belongings, {
    https: true,
    env: { OIDC_SECRET: SECRET },
    configuration: {
      humans: [
        { name: 'engineer@example.com', operator: ['auditor'] },
        { name: 'gone@example.com', disabled: true },
      ],
      agents: [],
      targets: [{ name: 'sh', kind: 'shell' }],
      policy,
      oidc: {
        issuer: idp.issuer,
        'client-id': clients.browser.id,
        'client-secret': { env: 'OIDC_SECRET' },
        'native-client-id': clients.native.id,
        scopes: ['openid', 'email', 'groups'],
        unlisted: true,
        redirect: 'https://bastion.test/login/callback',
        roles: { reviewer: ['sre'] },
      },
      limits: { lockout: { failures: 200 } },
    },
  });
}, 240_000);
beforeEach(() => {
  idp.person = {
    sub: 'user-1',
    email: 'engineer@example.com',
    email_verified: true,
    groups: ['sre'],
    amr: ['pwd', 'hwk'],
    acr: 'urn:example:strong',
  };
});
afterAll(() => belongings.release());

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command line; `meanwhile` sees each line of its standard error. */
async function sallyport(words: string[], meanwhile: (line: string) => void = () => undefined): Promise<Ran> {
  const env = plainEnvironment({ XDG_CONFIG_HOME: home, NODE_EXTRA_CA_CERTS: `${gateway.data}/keys/https.crt` });
  const child = startProgram(process.execPath, [mainFile, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  belongings.add(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (piece: Buffer) => (stdout += piece.toString()));
  if (child.stderr === null) throw new Error('no standard error');
  createInterface({ input: child.stderr }).on('line', (line) => {
    stderr += `${line}\n`;
    meanwhile(line);
  });
  const { status } = await ended(child);
  return { status, stdout, stderr };
}

const at = () => `https://127.0.0.1:${gateway.httpsPort}`;

describe('on the command line', () => {
  it('somebody logs in with a code that they enter elsewhere, and has the roles of their groups', async () => {
    const login = await sallyport(['login', '--gateway', at(), '--device', '--json'], (line) => {
      const address = /^or open (\S+)/.exec(line)?.[1];
      if (address !== undefined) void idp.approveDevice(address);
    });
    expect(login).toMatchObject({ status: 0 });
    expect(JSON.parse(login.stdout)).toMatchObject({ operator: 'engineer@example.com', roles: ['reviewer', 'auditor'] });
    expect((await sallyport(['whoami'])).stdout).toMatch(/^engineer@example\.com, reviewer and auditor, until /);
    expect((await sallyport(['logout'])).status).toBe(0);
  });

  it('somebody logs in with a browser on the same machine', async () => {
    idp.person = { sub: 'user-2', email: 'new@example.com', email_verified: true, groups: ['staff'] };
    const login = await sallyport(['login', '--gateway', at(), '--browser'], (line) => {
      if (line.startsWith('http')) void idp.browse(line).then((back) => fetch(back));
    });
    expect(login.stdout).toMatch(/as new@example\.com, without a role, until /);
    expect((await sallyport(['whoami'])).stdout).toMatch(/^new@example\.com, without a role/);
    const refused = await sallyport(['status']);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('new@example.com asks without a role');
  });

  it('somebody who is disabled is told no, and nothing of why', async () => {
    idp.person = { sub: 'user-3', email: 'gone@example.com', email_verified: true };
    const login = await sallyport(['login', '--gateway', at(), '--device'], (line) => {
      const address = /^or open (\S+)/.exec(line)?.[1];
      if (address !== undefined) void idp.approveDevice(address);
    });
    expect(login.status).toBe(1);
    expect(login.stderr).toContain('the log-in was refused');
    expect(login.stderr).not.toContain('disabled');
  });
});

describe('an SSH certificate', () => {
  async function certified(name: string): Promise<{ key: KeyPair; issued: Ran }> {
    const key = await makeKey(home, name);
    const issued = await sallyport(['credentials', 'issue', '--gateway', at(), '--key', `${key.path}.pub`, '--json']);
    return { key, issued };
  }

  async function through(key: KeyPair) {
    const knownHosts = `${key.path}.hosts`;
    const hostKey = await learnHostKey(knownHosts, gateway.host, gateway.port);
    const route = { host: gateway.host, port: gateway.port, user: 'sh', key, knownHosts, hostKey };
    return ssh(route, 'echo certified', { flags: ['-o', `CertificateFile=${key.path}-cert.pub`] });
  }

  it.each([
    ['12 is given to somebody who is listed, and opens a session in their name', 'user-1', 'engineer@example.com', ['sre']],
    ['12 is given to somebody whom only the provider knows, with the groups that it says', 'user-2', 'new@example.com', ['staff']],
  ])('%s', async (_promise, sub, email, groups) => {
    idp.person = { sub, email, email_verified: true, groups, amr: ['pwd', 'hwk'] };
    await sallyport(['login', '--gateway', at(), '--browser'], (line) => {
      if (line.startsWith('http')) void idp.browse(line).then((back) => fetch(back));
    });
    const { key, issued } = await certified(sub);
    expect(issued.status, issued.stderr).toBe(0);
    const done = await through(key);
    expect([done.status, done.stdout.toString(), done.stderr]).toEqual([0, 'certified\n', '']);
    const opened = await recordedAs(gateway.data, 'session.open', ({ actor }) => actor.principal === email);
    expect(opened.actor.authentication).toMatchObject({
      method: 'certificate',
      key: key.fingerprint,
      provider: { issuer: idp.issuer, subject: sub, amr: ['pwd', 'hwk'] },
    });
  });

  it('is not given to somebody who has not logged in, and of no use to somebody whom policy does not let in', async () => {
    idp.person = { sub: 'user-4', email: 'sales@example.com', email_verified: true, groups: ['sales'] };
    await sallyport(['logout']);
    expect((await certified('nobody')).issued.status).not.toBe(0);
    await sallyport(['login', '--gateway', at(), '--browser'], (line) => {
      if (line.startsWith('http')) void idp.browse(line).then((back) => fetch(back));
    });
    const { key, issued } = await certified('sales');
    expect(issued.status, issued.stderr).toBe(0);
    expect((await through(key)).status).toBe(255);
  });
});

describe('in a browser', () => {
  async function logInWithBrowser() {
    const begun = await send(gateway, { path: '/login?to=/sessions' });
    expect(begun.status).toBe(303);
    const [ticket = ''] = begun.headers['set-cookie'] ?? [];
    const back = new URL(await idp.browse(String(begun.headers.location)));
    expect(back.origin).toBe('https://bastion.test');
    return send(gateway, { path: `${back.pathname}${back.search}`, headers: { cookie: ticket.split(';')[0] ?? '' } });
  }

  it('somebody is logged in by a cookie', async () => {
    const page = await logInWithBrowser();
    expect(page.status).toBe(200);
    expect(page.text).toContain('content="0;url=/sessions"');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.headers['cache-control']).toBe('no-store');
    const cookie = (page.headers['set-cookie'] as string[]).find((line) => line.startsWith('__Host-sallyport='));
    expect(cookie).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Strict; Expires=/);
    const me = await send(gateway, { path: '/api/whoami', headers: { cookie: cookie?.split(';')[0] ?? '' } });
    expect(me.body).toMatchObject({ operator: 'engineer@example.com', roles: ['reviewer', 'auditor'], groups: ['sre'] });
  });

  it('somebody who is disabled is not', async () => {
    idp.person = { sub: 'user-3', email: 'gone@example.com', email_verified: true };
    const page = await logInWithBrowser();
    expect(page.status).toBe(403);
    expect((page.headers['set-cookie'] as string[]).filter((line) => line.startsWith('__Host-sallyport='))).toEqual([]);
  });
});

it('a client learns which provider to go to, and a token that is none is refused', async () => {
  expect((await ask(gateway, 'login.provider', {})).body).toEqual({
    provider: { issuer: idp.issuer, clientId: clients.native.id, scopes: ['openid', 'email', 'groups'] },
  });
  const refused = await ask(gateway, 'login.oidc', { idToken: 'a.b.c' });
  expect(refused.status).toBe(401);
  expect(refused.body).toMatchObject({ code: 'LOGIN_REFUSED' });
});

it('what the provider said of a log-in is recorded, and so is why somebody did not get in', async () => {
  await gateway.stop();
  const { Database } = await import('../../gateway/store/database.ts');
  const database = await Database.openForReading(gateway.data);
  const all = (await database.records.after(0, 10_000)).map(
    ({ bytes }) => JSON.parse(Buffer.from(bytes ?? '{}').toString()) as Record<string, unknown>,
  );
  await database.close();
  const logins = all.filter(({ type }) => type === 'operator.login');
  expect(logins[0]).toMatchObject({
    actor: {
      principal: 'engineer@example.com',
      authentication: {
        method: 'oidc',
        provider: { issuer: idp.issuer, subject: 'user-1', amr: ['pwd', 'hwk'], acr: 'urn:example:strong' },
      },
    },
    body: { method: 'oidc', roles: ['reviewer', 'auditor'] },
  });
  const refusals = all.filter(({ type }) => type === 'auth.refused').map(({ body }) => body);
  expect(refusals).toContainEqual(expect.objectContaining({ method: 'oidc', reason: 'gone@example.com is disabled' }));
  expect(JSON.stringify(all)).not.toContain(SECRET);
  expect(gateway.log()).not.toContain(SECRET);
  await gateway.start();
});
