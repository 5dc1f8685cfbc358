import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SallyportError } from '../../gateway/base/errors.ts';
import { BrowserFlow } from '../../gateway/identity/oidc-browser-flow.ts';
import { OidcProvider } from '../../gateway/identity/oidc-provider.ts';
import type { OidcPerson, OidcSettings } from '../../gateway/identity/oidc-settings.ts';
import { TicketSeal } from '../../gateway/identity/oidc-ticket.ts';
import { UsedTokens } from '../../gateway/identity/oidc-used-tokens.ts';
import type { Principal } from '../../gateway/identity/principal.ts';
import { localPath, serveBrowserLogIn } from '../../gateway/operator-api/browser-log-in.ts';
import { selfSigned } from '../../gateway/operator-api/self-signed.ts';
import { clients, startOidcProvider, type TestProvider } from '../support/oidc-provider.ts';
import { Belongings } from '../support/temp.ts';
import { Logged } from './served.ts';

const belongings = new Belongings();
const log = new Logged();
const engineer: Principal = {
  name: 'engineer@example.com',
  kind: 'human',
  groups: [],
  sshKeys: [],
  operator: ['reviewer'],
  disabled: false,
};
const principals = () => new Map([[engineer.name, engineer]]);

let idp: TestProvider;
let port: number;
let authority: string;
/** What the routes were told, and what they are to be told. */
let now: number;
let begun: OidcPerson[];
let refusals: string[];
let flow: BrowserFlow | undefined;
let admitted: boolean;
let mayBegin: boolean;

beforeAll(async () => {
  const day = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 86_400_000) };
  const { certificate, key } = selfSigned({ commonName: 'gateway', names: ['127.0.0.1', 'localhost'], ...day });
  authority = certificate;
  const app = fastify({ https: { cert: certificate, key } }) as unknown as FastifyInstance;
  serveBrowserLogIn<OidcPerson>(app, {
    log,
    provider: () => flow,
    admits: () => admitted,
    begin: async (person) => {
      if (!mayBegin) throw new SallyportError('LOGIN_REFUSED', `${person.name} has no role`);
      begun.push(person);
      return { cookie: '__Host-sallyport=secret; Path=/; Secure; HttpOnly; SameSite=Strict' };
    },
    refused: async (reason, source) => void refusals.push(`${source.split(':')[0]} ${reason}`),
  });
  await app.ready();
  belongings.add(() => app.close());
  app.server.listen(0, '127.0.0.1');
  await once(app.server, 'listening');
  port = (app.server.address() as AddressInfo).port;
  idp = await startOidcProvider(belongings, { redirects: [`https://127.0.0.1:${port}/login/callback`] });
});

beforeEach(() => {
  [now, begun, refusals, admitted, mayBegin] = [Date.now(), [], [], true, true];
  idp.person = { sub: 'user-1', email: 'engineer@example.com', email_verified: true };
  idp.tamper = undefined;
  flow = flowWith();
});
afterAll(() => belongings.release());

function flowWith(changed: Partial<OidcSettings> = {}): BrowserFlow {
  process.env.OIDC_TEST_SECRET = clients.browser.secret;
  const settings: OidcSettings = {
    issuer: idp.issuer,
    clientId: clients.browser.id,
    clientSecret: { env: 'OIDC_TEST_SECRET' },
    scopes: ['openid', 'email'],
    nameClaim: 'email',
    groupsClaim: 'groups',
    unlisted: false,
    roles: { reviewer: [], auditor: [], admin: [] },
    ...changed,
  };
  return new BrowserFlow(new OidcProvider(settings, { used: new UsedTokens(Date.now() - 1000) }), {
    seal: new TicketSeal(),
    principals,
    now: () => now,
  });
}

interface Visit {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

function visit(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, method, ca: authority, servername: 'localhost', headers, agent: false },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces).toString() }),
        );
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

/** Begins a log-in and goes through the provider's pages; gives the way back and the cookie that belongs to it. */
async function atProvider(to = '/sessions'): Promise<{ back: string; cookie: string }> {
  const { status, headers } = await visit(`/login?to=${encodeURIComponent(to)}`);
  expect(status).toBe(303);
  const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const back = new URL(await idp.browse(headers.location ?? ''));
  expect(back.origin).toBe(`https://127.0.0.1:${port}`);
  return { back: `${back.pathname}${back.search}`, cookie };
}

describe('a browser', () => {
  it('is logged in, and goes on to where it wanted to', async () => {
    const { back, cookie } = await atProvider('/sessions?state=live#now');
    const page = await visit(back, { cookie });
    expect(page.status).toBe(200);
    expect(page.body).toContain('<meta http-equiv="refresh" content="0;url=/sessions?state=live#now">');
    expect(page.headers['set-cookie']).toEqual([
      '__Host-sallyport-login=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax',
      '__Host-sallyport=secret; Path=/; Secure; HttpOnly; SameSite=Strict',
    ]);
    expect(begun).toMatchObject([{ name: 'engineer@example.com', roles: ['reviewer'], subject: 'user-1' }]);
  });

  it('is sent with PKCE, a state and a nonce, and keeps what belongs to them where no page can read it', async () => {
    const { headers } = await visit('/login');
    const asked = new URL(headers.location ?? '').searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      client_id: 'sallyport',
      response_type: 'code',
      redirect_uri: `https://127.0.0.1:${port}/login/callback`,
      scope: 'openid email',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    const [kept = ''] = headers['set-cookie'] ?? [];
    expect(kept).toMatch(/^__Host-sallyport-login=[\w-]+; Max-Age=600; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
    const sealed = Buffer.from(kept.split(/[=;]/)[1] ?? '', 'base64url').toString('latin1');
    expect(sealed).not.toContain(asked.get('state'));
    expect((await visit('/login')).headers.location).not.toContain(asked.get('state') ?? 'none');
  });

  it('may be one of a public client, which has no secret', async () => {
    flow = flowWith({ clientId: clients.public.id, clientSecret: undefined as never });
    const { back, cookie } = await atProvider();
    expect((await visit(back, { cookie })).status).toBe(200);
  });
});

/** That nobody was logged in, and what the record says. */
function expectRefused(page: Visit, reason: string): void {
  expect(page.body).not.toContain(reason);
  expect(refusals).toEqual([`127.0.0.1 ${reason}`]);
  expectNobody(page);
}

/** The same of what any page can have a browser ask for: it counts against nobody. */
function expectNotBegun(page: Visit): void {
  expect(page.body).toContain('no log-in was begun');
  expect(refusals).toEqual([]);
  expectNobody(page);
}

function expectNobody(page: Visit): void {
  expect(page.status).toBe(403);
  expect(begun).toEqual([]);
  expect(page.headers['set-cookie']).toEqual(['__Host-sallyport-login=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax']);
}

describe('a way back is refused', () => {
  it('in a browser that has not begun it (log-in CSRF)', async () => {
    const { back } = await atProvider();
    const exchanges = () => idp.asked.filter((path) => path === 'POST /token').length;
    const before = exchanges();
    expectNotBegun(await visit(back));
    expect(exchanges()).toBe(before);
  });

  it('in a browser that has begun another one', async () => {
    const { back } = await atProvider();
    const { cookie } = await atProvider();
    expectRefused(await visit(back, { cookie }), 'the answer of the provider belongs to another log-in');
  });

  it('with a cookie that was changed, made up, or is there twice', async () => {
    const { back, cookie } = await atProvider();
    const changed = cookie.endsWith('AA') ? `${cookie.slice(0, -2)}BB` : `${cookie.slice(0, -2)}AA`;
    for (const wrong of [
      changed,
      `${cookie}; ${cookie}`,
      '__Host-sallyport-login=AAAA',
      `__Host-sallyport-login=${'A'.repeat(200)}`,
      'sallyport-login=x',
    ]) {
      expectNotBegun(await visit(back, { cookie: wrong }));
    }
  });

  it('after ten minutes', async () => {
    const { back, cookie } = await atProvider();
    now += 600_001;
    expectNotBegun(await visit(back, { cookie }));
  });

  it('when another gateway has sealed the cookie, or this one before it was started again', async () => {
    const { back, cookie } = await atProvider();
    flow = flowWith();
    expectNotBegun(await visit(back, { cookie }));
  });

  it('a second time', async () => {
    const { back, cookie } = await atProvider();
    expect((await visit(back, { cookie })).status).toBe(200);
    begun = [];
    expectRefused(await visit(back, { cookie }), 'the provider does not know this code (any more)');
  });

  it('with the code of somebody else (code injection)', async () => {
    const theirs = new URL((await atProvider()).back, 'https://gateway').searchParams.get('code') ?? '';
    const { back, cookie } = await atProvider();
    expectRefused(await visit(back.replace(/code=[^&]+/, `code=${theirs}`), { cookie }), 'the provider does not know this code (any more)');
  });

  it.each([
    [
      'from another provider (mix-up)',
      (query: URLSearchParams) => query.set('iss', 'https://evil.example.com'),
      'the answer comes from another provider',
    ],
    ['with two states', (query: URLSearchParams) => query.append('state', 'x'), 'the answer of the provider has state more than once'],
    ['with two codes', (query: URLSearchParams) => query.append('code', 'x'), 'the answer of the provider has code more than once'],
    [
      'with a no',
      (query: URLSearchParams) => query.set('error', 'access_denied\u001b[2J<script>'),
      'the provider said no: access_denied?[2J<script>',
    ],
  ])('%s', async (_, change, reason) => {
    const { back, cookie } = await atProvider();
    const url = new URL(back, 'https://gateway');
    change(url.searchParams);
    expectRefused(await visit(`${url.pathname}${url.search}`, { cookie }), reason);
  });

  it('of somebody whom the configuration does not know', async () => {
    idp.person = { sub: 'user-2', email: 'stranger@example.com', email_verified: true };
    const { back, cookie } = await atProvider();
    expectRefused(await visit(back, { cookie }), 'stranger@example.com is not among the humans of the configuration');
  });

  it('of somebody without a role, which is recorded by who logs them in', async () => {
    mayBegin = false;
    const { back, cookie } = await atProvider();
    expect((await visit(back, { cookie })).status).toBe(403);
    expect(refusals).toEqual([]);
  });
});

describe('a provider that fails', () => {
  it.each<[string, number, string]>([
    ['nonsense', 200, 'no json'],
    ['an error of its own', 500, '{}'],
    ['no ID token', 200, '{"access_token":"x","token_type":"bearer"}'],
    ['that the client is unknown', 401, '{"error":"invalid_client","error_description":"secret-of-the-gateway"}'],
    ['an ID token that is none', 200, '{"access_token":"x","token_type":"bearer","id_token":"a.b.c"}'],
  ])('with %s for the code is told in a page that gives nothing away', async (_, status, body) => {
    const { back, cookie } = await atProvider();
    idp.tamper = (asked, response) => {
      if (asked.url !== '/token') return false;
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      return true;
    };
    const page = await visit(back, { cookie });
    expect(page.status).toBe(502);
    expect(page.body).toContain('PROVIDER_FAILED');
    expect(page.body).not.toContain('secret-of-the-gateway');
    expect(log.lines.at(-1)).toContain('a log-in in a browser failed');
    expect(begun).toEqual([]);
  });

  it('because it is down does not keep a browser waiting', async () => {
    flow = flowWith({ issuer: 'http://127.0.0.1:9' });
    const page = await visit('/login');
    expect(page.status).toBe(502);
    expect(page.headers.location).toBeUndefined();
  });

  it('because our own secret is gone is told in the log alone', async () => {
    const { back, cookie } = await atProvider();
    delete process.env.OIDC_TEST_SECRET;
    const page = await visit(back, { cookie });
    expect(page.status).toBe(502);
    expect(page.body).not.toContain('OIDC_TEST_SECRET');
    expect(log.lines.at(-1)).toContain('OIDC_TEST_SECRET is not set');
  });

  it('is not asked more than so many times at once, however many come back', async () => {
    const { back, cookie } = await atProvider();
    const waiting: (() => void)[] = [];
    const full = Promise.withResolvers<void>();
    idp.tamper = (asked, response) => {
      if (asked.url !== '/token') return false;
      waiting.push(() => void response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}'));
      if (waiting.length === 16) full.resolve();
      return true;
    };
    const first = Array.from({ length: 16 }, () => visit(back, { cookie }));
    await full.promise;
    expect((await visit(back, { cookie })).status).toBe(502);
    for (const answer of waiting) answer();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual(Array(16).fill(403));
  });
});

describe('the routes', () => {
  it('say so when there is no provider, and when somebody has failed too often', async () => {
    admitted = false;
    expect((await visit('/login')).status).toBe(429);
    expect((await visit('/login/callback?code=x&state=y')).status).toBe(429);
    flow = undefined;
    expect((await visit('/login')).status).toBe(404);
    expect((await visit('/login/callback')).status).toBe(404);
  });

  it('show pages that look like the console, with no style or script but a sheet of their own, and in no frame', async () => {
    const { back, cookie } = await atProvider();
    for (const page of [await visit(back, { cookie }), await visit('/login/callback?code=x&state=y')]) {
      expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'self';.* frame-ancestors 'none'$/);
      expect(page.body).toContain('<link rel="stylesheet" href="/login/page.css">');
      expect(page.body).not.toMatch(/<style|<script|style=| on\w+=/);
    }
  });

  it('have nothing for other methods, a HEAD among them', async () => {
    for (const method of ['HEAD', 'POST', 'PUT', 'OPTIONS']) {
      const page = await visit('/login', {}, method);
      expect(page.status).toBe(404);
      expect(page.headers['set-cookie']).toBeUndefined();
    }
  });

  it.each(['evil.example.com/x?', 'a b', 'user@evil.example.com', '127.0.0.1:1:2', '[::1', 'a'.repeat(256)])(
    'do not take the host %j',
    async (host) => {
      const page = await visit('/login', { host });
      expect(page.status).toBe(400);
      expect(page.headers.location).toBeUndefined();
    },
  );

  it('send nobody to where the provider does not know the gateway', async () => {
    const { headers } = await visit('/login', { host: 'evil.example.com' });
    await expect(idp.browse(headers.location ?? '')).rejects.toThrow(/redirect_uri/);
  });

  it('take the address to come back to from the configuration, whatever the browser says', async () => {
    flow = flowWith({ redirect: 'https://bastion.example.com:443/login/callback' });
    const { headers } = await visit('/login');
    expect(new URL(headers.location ?? '').searchParams.get('redirect_uri')).toBe('https://bastion.example.com/login/callback');
  });
});

describe('where somebody wanted to go', () => {
  it.each([
    '//evil.example.com',
    '/\\evil.example.com',
    '\\\\evil.example.com',
    'https://evil.example.com/',
    'javascript:alert(1)',
    '/.//evil.example.com',
    '/x/..//evil.example.com',
    '/\t/evil.example.com',
    '/\n/evil.example.com',
    '/ x',
    '/é',
    'sessions',
    '',
    '/login',
    '/login?to=/login',
    '/x/../login/callback?code=1',
    `/${'a'.repeat(600)}`,
    null,
  ])('is the beginning when it is %j', (asked) => {
    expect(localPath(asked)).toBe('/');
  });

  it.each(['/', '/sessions', '/sessions/019f?tab=live&x=%0d%0a#top', '/logins'])('is %j', (asked) => {
    expect(localPath(asked)).toBe(asked);
  });

  it('cannot break out of the page', async () => {
    const { back, cookie } = await atProvider(`/x"><script>alert(1)</script>'&`);
    const { body } = await visit(back, { cookie });
    expect(body).not.toContain('<script');
    expect(body).toContain('0;url=/x%22%3E%3Cscript%3Ealert(1)%3C/script%3E');
  });
});

it('an ID token of a browser is not one for a program, and has its nonce', async () => {
  let idToken = '';
  const { back, cookie } = await atProvider();
  idp.tamper = (asked, response) => {
    if (asked.url !== '/token') return false;
    const end = response.end.bind(response) as (body: unknown) => typeof response;
    response.end = ((body: unknown) => {
      idToken = (JSON.parse(String(body)) as { id_token: string }).id_token;
      return end(body);
    }) as typeof response.end;
    return false;
  };
  expect((await visit(back, { cookie })).status).toBe(200);
  const { aud, nonce } = decodeJwt(idToken);
  expect(aud).toBe('sallyport');
  expect(nonce).toMatch(/^[\w-]{43}$/);
});
