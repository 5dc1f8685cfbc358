import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { logInByBrowser } from '../../gateway/commands/oidc-browser-flow.ts';
import { logInByDevice, type Wait } from '../../gateway/commands/oidc-device-flow.ts';
import { type LogInProvider, providerLogIn } from '../../gateway/commands/oidc-flows.ts';
import { discoverProvider } from '../../gateway/identity/oidc-discovery.ts';
import { oidcFetch } from '../../gateway/identity/oidc-fetch.ts';
import { clients, startOidcProvider, type TestProvider } from '../support/oidc-provider.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
let idp: TestProvider;
let provider: LogInProvider;
beforeAll(async () => {
  idp = await startOidcProvider(belongings);
  provider = { issuer: idp.issuer, clientId: clients.native.id, scopes: ['openid', 'email', 'groups'] };
});
beforeEach(() => {
  idp.person = { sub: 'user-1', email: 'engineer@example.com', email_verified: true, groups: ['platform'] };
  idp.tamper = undefined;
});
afterAll(() => belongings.release());

/** What a flow says, and a promise of the first address in it. */
function listener() {
  const lines: string[] = [];
  const told = Promise.withResolvers<string>();
  const say = (line: string): void => {
    lines.push(line);
    const address = /https?:\S+/.exec(line)?.[0];
    if (address !== undefined && (line.startsWith('or open') || line.includes('browser on this machine'))) told.resolve(address);
  };
  return { lines, say, address: told.promise };
}

async function parts(say: (line: string) => void, signal = new AbortController().signal) {
  const fetch = oidcFetch(idp.issuer);
  return { provider, metadata: await discoverProvider(idp.issuer, fetch), fetch, say, signal };
}

/** Answers the token endpoint so many times before the provider gets to it. */
function tokenAnswers(...answers: { status: number; body: string }[]): void {
  idp.tamper = (request, response) => {
    const answer = request.url === '/token' ? answers.shift() : undefined;
    if (answer === undefined) return false;
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    return true;
  };
}

/** How a flow that is still under way will fail. */
function failureOf(flow: Promise<unknown>): Promise<unknown> {
  return flow.then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
}

const oauthError = (error: string, description = '') => ({ status: 400, body: JSON.stringify({ error, error_description: description }) });
const atOnce: Wait = (_seconds, signal) =>
  new Promise((resolve, reject) => (signal.aborted ? reject(signal.reason as Error) : setImmediate(resolve)));

describe('the device flow', () => {
  it('shows a code and an address, and brings an ID token once the person has entered it', async () => {
    const { lines, say, address } = listener();
    const waits: number[] = [];
    const wait: Wait = async (seconds) => {
      waits.push(seconds);
      if (waits.length === 2) await idp.approveDevice(await address);
    };
    const { idToken, nonce } = await logInByDevice(await parts(say), wait);
    expect(decodeJwt(idToken)).toMatchObject({
      iss: idp.issuer,
      aud: clients.native.id,
      email: 'engineer@example.com',
      groups: ['platform'],
    });
    expect(nonce).toBeUndefined();
    expect(lines[0]).toMatch(new RegExp(`^Open ${idp.issuer}/device and enter the code [A-Z]{4}-[A-Z]{4}$`));
    expect(waits).toEqual([5, 5]);
  });

  it('asks more slowly when it is told to, and gets over a connection that is lost', async () => {
    const { say, address } = listener();
    const garbled = { status: 200, body: 'no json' };
    tokenAnswers(oauthError('slow_down'), oauthError('authorization_pending'), oauthError('slow_down'), garbled, garbled);
    const waits: number[] = [];
    const wait: Wait = async (seconds) => {
      waits.push(seconds);
      if (waits.length === 6) await idp.approveDevice(await address);
    };
    await logInByDevice(await parts(say), wait);
    expect(waits).toEqual([5, 10, 10, 15, 30, 60]);
  });

  it('ends when the person says no', async () => {
    const { say, address } = listener();
    const wait: Wait = async () => idp.denyDevice(await address);
    const failure = { code: 'LOGIN_REFUSED', message: expect.stringContaining('access_denied') };
    await expect(logInByDevice(await parts(say), wait)).rejects.toMatchObject(failure);
  });

  it.each([
    ['the code has expired', [oauthError('expired_token')], { code: 'LOGIN_REFUSED', message: 'the code was not entered in time' }],
    ['the client may not do this', [oauthError('invalid_client')], { code: 'PROVIDER_FAILED' }],
    [
      'there is no ID token in the answer',
      [{ status: 200, body: '{"access_token":"x","token_type":"bearer"}' }],
      { code: 'PROVIDER_FAILED' },
    ],
    ['the provider only talks nonsense', Array.from({ length: 3 }, () => ({ status: 500, body: 'what?' })), { code: 'PROVIDER_FAILED' }],
    [
      'the provider says no with a text for the terminal',
      [oauthError('access_denied', '\u001b[2Jgone')],
      { message: 'the identity provider said no: access_denied: \\x1b[2Jgone' },
    ],
  ])('ends when %s', async (_, answers, failure) => {
    tokenAnswers(...answers);
    await expect(logInByDevice(await parts(() => undefined), atOnce)).rejects.toMatchObject(failure);
  });

  it('ends at its deadline, whatever the provider says', async () => {
    idp.tamper = (request, response) => {
      if (request.url !== '/device/auth') return false;
      const begun = { device_code: 'x', user_code: 'ABCD', verification_uri: `${idp.issuer}/device`, expires_in: 1, interval: 60 };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(begun));
      return true;
    };
    const started = performance.now();
    const flow = providerLogIn(provider, { how: 'device', say: () => undefined });
    await expect(flow).rejects.toMatchObject({ code: 'LOGIN_REFUSED', message: 'the code was not entered in time' });
    // Before it would have asked for the first time.
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it('sends nobody to an address without TLS that is not on this machine', async () => {
    idp.tamper = (request, response) => {
      if (request.url !== '/device/auth') return false;
      const begun = { device_code: 'x', user_code: 'ABCD', verification_uri: 'http://phish.example.com/device', expires_in: 60 };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(begun));
      return true;
    };
    const { lines, say } = listener();
    await expect(providerLogIn(provider, { how: 'device', say })).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
    expect(lines).toEqual([]);
  });

  it('ends on Ctrl-C', async () => {
    const { say, address } = listener();
    const before = process.listenerCount('SIGINT');
    const ended = failureOf(providerLogIn(provider, { how: 'device', say }));
    await address;
    process.emit('SIGINT');
    expect(await ended).toMatchObject({ code: 'LOGIN_REFUSED', message: 'the log-in was broken off' });
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});

describe('the code flow on this machine', () => {
  it('takes one answer on loopback and brings an ID token with its nonce', async () => {
    const { say, address } = listener();
    const flow = providerLogIn(provider, { how: 'browser', say });
    const asked = new URL(await address);
    expect(asked.searchParams.get('code_challenge_method')).toBe('S256');
    const back = await idp.browse(asked.href);
    expect(new URL(back).hostname).toBe('127.0.0.1');

    // Before the right one: what any page in the browser could send there.
    const port = new URL(back).port;
    for (const stray of ['/', '/callback', '/callback?state=wrong&code=x', `${new URL(back).pathname}${new URL(back).search}&state=again`])
      expect((await fetch(`http://127.0.0.1:${port}${stray}`)).status).toBe(404);
    expect((await fetch(back, { method: 'POST' })).status).toBe(404);
    expect((await fetch(back.replace('127.0.0.1', 'localhost'))).status).toBe(404);

    const page = await fetch(back);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).not.toMatch(/<script|on\w+=/i);
    const { idToken, nonce } = await flow;
    expect(decodeJwt(idToken)).toMatchObject({ aud: clients.native.id, nonce, email: 'engineer@example.com' });
    await expect(fetch(back)).rejects.toThrow();
  });

  it.each([
    [
      'another provider answers',
      (back: URL) => back.searchParams.set('iss', 'https://evil.example.com'),
      { code: 'LOGIN_REFUSED', message: 'the answer comes from another identity provider' },
    ],
    ['the answer does not say who answers, as it should', (back: URL) => back.searchParams.delete('iss'), { code: 'PROVIDER_FAILED' }],
    [
      'the code is not one of the provider',
      (back: URL) => back.searchParams.set('code', 'stolen'),
      { code: 'LOGIN_REFUSED', message: expect.stringContaining('invalid_grant') },
    ],
    [
      'the provider says no',
      (back: URL) => {
        back.searchParams.delete('code');
        back.searchParams.set('error', 'access_denied');
      },
      { code: 'LOGIN_REFUSED', message: expect.stringContaining('access_denied') },
    ],
  ])('ends when %s', async (_, change, failure) => {
    const { say, address } = listener();
    const ended = failureOf(providerLogIn(provider, { how: 'browser', say }));
    const back = new URL(await idp.browse(await address));
    change(back);
    expect((await fetch(back)).status).toBe(400);
    expect(await ended).toMatchObject(failure);
  });

  it('ends when nobody comes', async () => {
    await expect(logInByBrowser(await parts(() => undefined), 0.05)).rejects.toMatchObject({
      code: 'LOGIN_REFUSED',
      message: 'nobody logged in within 0.05 seconds',
    });
  });

  it('ends when something keeps sending it other requests', async () => {
    const { say, address } = listener();
    const ended = failureOf(providerLogIn(provider, { how: 'browser', say }));
    const redirect = new URL(await address).searchParams.get('redirect_uri') ?? '';
    for (let round = 0; round < 50; round += 1) expect((await fetch(`${redirect}?state=guess`)).status).toBe(404);
    expect(await ended).toMatchObject({ code: 'LOGIN_REFUSED' });
  });
});

it('a provider without TLS that is not on this machine is asked nothing', async () => {
  const elsewhere = { ...provider, issuer: 'http://id.example.com' };
  await expect(providerLogIn(elsewhere, { how: 'device', say: () => undefined })).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
});

it('a provider that does not answer ends with Ctrl-C as well', async () => {
  const asked = Promise.withResolvers<void>();
  const silent = createServer(() => asked.resolve()).listen(0, '127.0.0.1');
  belongings.add(() => {
    silent.close();
    silent.closeAllConnections();
  });
  await new Promise((resolve) => silent.once('listening', resolve));
  const stop = new AbortController();
  const issuer = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const ended = failureOf(providerLogIn({ ...provider, issuer }, { how: 'device', say: () => undefined, signal: stop.signal }));
  await asked.promise;
  stop.abort();
  expect(await ended).toMatchObject({ code: 'LOGIN_REFUSED' });
});
