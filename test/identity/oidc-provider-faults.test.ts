import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { OidcProvider, type OidcProviderParts } from '../../gateway/identity/oidc-provider.ts';
import type { OidcSettings } from '../../gateway/identity/oidc-settings.ts';
import { UsedTokens } from '../../gateway/identity/oidc-used-tokens.ts';
import { Belongings } from '../support/temp.ts';
import { freePort } from '../support/wait.ts';

/* What the certified provider never does: being down, slow, endless, or not what it says it is. */

const belongings = new Belongings();
afterAll(() => belongings.release());

const settings = (issuer: string): OidcSettings => ({
  issuer,
  clientId: 'sallyport',
  scopes: ['openid'],
  nameClaim: 'email',
  groupsClaim: 'groups',
  unlisted: true,
  roles: { reviewer: [], auditor: [], admin: [] },
});

interface Impostor {
  readonly issuer: string;
  asked: number;
  /** Answers from now on. */
  answer: RequestListener;
}

async function impostor(answer: RequestListener): Promise<Impostor> {
  const server = createServer((request, response) => {
    fake.asked += 1;
    response.on('error', () => undefined);
    fake.answer(request, response);
  });
  const fake: Impostor = { issuer: '', asked: 0, answer };
  belongings.add(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return Object.assign(fake, { issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const open = (issuer: string, parts: Partial<OidcProviderParts> = {}) =>
  new OidcProvider(settings(issuer), { used: new UsedTokens(Date.now() - 1000), ...parts });
const logIn = (provider: OidcProvider, token = 'a.b.c') => provider.verify(token, { client: 'native' }, () => new Map());

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const privateJwk = { ...(await exportJWK(privateKey)), kid: 'k' };
const jwk = { ...(await exportJWK(publicKey)), kid: 'k' };
const sign = (issuer: string) => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: 's', aud: 'sallyport', iat: now, exp: now + 60, email: 'a@example.com', email_verified: true };
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey);
};
const bomb = gzipSync('a'.repeat(50_000_000));
const json =
  (value: unknown): RequestListener =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(typeof value === 'string' ? value : JSON.stringify(value));

describe('a provider at which nobody can log in at the moment', () => {
  it('because nothing listens there', async () => {
    const port = await freePort();
    await expect(logIn(open(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      message: `the identity provider http://127.0.0.1:${port} cannot be reached at 127.0.0.1:${port}: ECONNREFUSED`,
    });
  });

  it.each<[string, RequestListener, RegExp]>([
    ['does not answer', () => undefined, /did not answer within 0\.2 seconds/],
    ['answers the head and nothing more', (_q, response) => void response.writeHead(200).write('{'), /did not answer within 0\.2 seconds/],
    [
      'drips, so that every single read succeeds',
      (_q, response) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(drip));
      },
      /did not answer within 0\.2 seconds/,
    ],
    [
      'answers without an end',
      (_q, response) => {
        response.writeHead(200);
        const more = (): void => {
          while (!response.destroyed && response.write('a'.repeat(16_384)));
        };
        response.on('drain', more);
        more();
      },
      /answers with more than 256 KiB/,
    ],
    [
      'answers with a small body that becomes a large one',
      (_q, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
      /answers with more than 256 KiB/,
    ],
    ['hangs up', (request) => void request.socket.destroy(), /cannot be reached/],
    [
      'sends us elsewhere',
      (_q, response) => void response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
      /answers with a redirect at 127\.0\.0\.1:\d+, which is not followed/,
    ],
    [
      'has a captive portal before it',
      (_q, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>'),
      /no JSON/,
    ],
    ['is broken', (_q, response) => void response.writeHead(500).end(), /with status 500/],
    ['is another kind of server', (_q, response) => void response.writeHead(404).end('{}'), /with status 404/],
    ['answers with nothing', json('null'), /what OpenID Connect does not know/],
    ['answers with a list', json([]), /what OpenID Connect does not know/],
    ['answers with half of it', json({ issuer: 'https://id.example.com' }), /does not know, at jwks_uri/],
    [
      'answers for somebody else',
      json({ issuer: 'https://evil.example.com', jwks_uri: 'https://evil.example.com/jwks' }),
      /calls itself "https:\/\/evil\.example\.com"/,
    ],
  ])('because it %s', async (_, answer, message) => {
    const { issuer } = await impostor(answer);
    const started = performance.now();
    // Who answers has the time for it, on a busy machine too.
    const millis = message.source.includes('did not answer') ? 200 : 20_000;
    await expect(logIn(open(issuer, { limits: { millis } }))).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      message: expect.stringMatching(message),
    });
    // Far from as long as it would wait otherwise, and room for a busy machine.
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it.each([
    ['jwks_uri', 'http://id.example.com/jwks'],
    ['jwks_uri', 'file:///etc/passwd'],
    ['jwks_uri', 'https://user:password@id.example.com/jwks'],
    ['authorization_endpoint', 'javascript:alert(1)'],
    ['token_endpoint', 'http://id.example.com/token'],
    ['device_authorization_endpoint', 'gopher://id.example.com/'],
  ])('because its %s is %s', async (name, address) => {
    const fake = await impostor(json({}));
    fake.answer = json({ issuer: fake.issuer, jwks_uri: `${fake.issuer}/jwks`, [name]: address });
    await expect(logIn(open(fake.issuer))).rejects.toMatchObject({ message: expect.stringContaining(`has no safe address for ${name}`) });
  });

  it.each<[string, RequestListener]>([
    ['are not there', (_q, response) => void response.writeHead(404).end()],
    ['are no JSON', json('what')],
    ['are no set', json({ keys: 'none' })],
    ['are elsewhere', (_q, response) => void response.writeHead(307, { location: '/others' }).end()],
    ['have no end', (_q, response) => void response.writeHead(200).end(Buffer.alloc(300_000, ' '))],
    ['are broken', json({ keys: [{ ...jwk, x: 'AAAA' }] })],
    ['are private ones', json({ keys: [privateJwk] })],
  ])('because its keys %s', async (_, keys) => {
    const fake = await impostor(json({}));
    fake.answer = (request, response) =>
      request.url === '/jwks' ? keys(request, response) : json({ issuer: fake.issuer, jwks_uri: `${fake.issuer}/jwks` })(request, response);
    await expect(logIn(open(fake.issuer), await sign(fake.issuer))).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
  });

  it('is asked once by all who come, and again after a moment', async () => {
    const fake = await impostor((_q, response) => void response.writeHead(503).end());
    const provider = open(fake.issuer, { times: { retryMillis: 1000 } });
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => logIn(provider)));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(fake.asked).toBe(1);
    fake.answer = (request, response) =>
      json(request.url === '/jwks' ? { keys: [jwk] } : { issuer: fake.issuer, jwks_uri: `${fake.issuer}/jwks` })(request, response);
    const token = await sign(fake.issuer);
    await expect.poll(() => logIn(provider, token).catch(() => undefined)).toMatchObject({ person: { name: 'a@example.com' } });
  });
});

it('two keys that could both be meant are not tried one after the other', async () => {
  const fake = await impostor(json({}));
  fake.answer = (request, response) =>
    json(request.url === '/jwks' ? { keys: [jwk, { ...jwk }] } : { issuer: fake.issuer, jwks_uri: `${fake.issuer}/jwks` })(
      request,
      response,
    );
  expect(await logIn(open(fake.issuer), await sign(fake.issuer))).toEqual({
    refused: "the ID token does not say which of the provider's keys it is signed with",
  });
});

it('an issuer that is not on this machine is asked over HTTPS only', async () => {
  await expect(logIn(open('http://id.example.com'))).rejects.toMatchObject({
    message: 'the identity provider http://id.example.com would have to be asked over an insecure connection at id.example.com',
  });
});
