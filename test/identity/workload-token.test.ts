import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { UsedOnce } from '../../gateway/base/used-once.ts';
import { agentOf, type WorkloadIssuer } from '../../gateway/identity/workload.ts';
import { verifyingKeys } from '../../gateway/identity/workload-keys.ts';
import { exchangeWorkloadToken, type WorkloadTrust } from '../../gateway/identity/workload-token.ts';
import { selfSigned } from '../../gateway/operator-api/self-signed.ts';
import { makeTokenIssuer, type TokenIssuer } from '../support/certificates.ts';
import { principals } from './certificate-support.ts';

const ISSUER = 'https://ci.example.com';
const AUDIENCE = 'https://gateway.example.com';
/** Stands still: a busy machine takes its time, and a token is not from the future for that. */
const now = Math.floor(Date.now() / 1000);
let ci: TokenIssuer;
let impostor: TokenIssuer;
beforeAll(async () => {
  vi.useFakeTimers({ now: now * 1000, toFake: ['Date'] });
  [ci, impostor] = await Promise.all([makeTokenIssuer(ISSUER, 'ES256'), makeTokenIssuer(ISSUER, 'ES256')]);
});

const agents = [
  { subject: 'repo:acme/web:main', agent: 'deploy-bot', targets: ['web-1'], delegation: false },
  { subject: 'repo:acme/delegating:*', agent: 'deploy-bot', delegation: true },
  { subject: 'repo:acme/orphan', agent: 'orphan-bot', delegation: true },
  { subject: 'repo:acme/human', agent: 'engineer@example.com', delegation: true },
];

function trust(more: Partial<WorkloadIssuer> = {}, spent = new UsedOnce(100_000)): WorkloadTrust {
  const keys = { file: 'jwks.json', set: ci.keys as never };
  const workload = { name: 'ci', issuer: ISSUER, audience: AUDIENCE, keys, subjectClaim: 'sub', singleUse: true, agents, ...more };
  return { principals, spent, issuers: [{ workload, keys: verifyingKeys(workload.keys) }] };
}

const main = { sub: 'repo:acme/web:main' };

describe('a token of a configured issuer', () => {
  test('speaks of an agent, who acts for the human of the configuration', async () => {
    expect(await exchangeWorkloadToken(await ci.token({ ...main, jti: 'build-7' }), trust(), now)).toEqual({
      agent: principals.get('deploy-bot'),
      onBehalfOf: 'engineer@example.com',
      delegated: false,
      workload: 'ci',
      targets: ['web-1'],
      proof: { method: 'workload-token', workload: 'ci', issuer: ISSUER, subject: 'repo:acme/web:main', id: 'build-7' },
    });
  });

  test('names its workload in the claim that the configuration says', async () => {
    const token = () => ci.token({ sub: 'system:serviceaccount:x', workload: 'repo:acme/web:main' });
    expect(await exchangeWorkloadToken(await token(), trust({ subjectClaim: 'workload' }), now)).toMatchObject({
      onBehalfOf: 'engineer@example.com',
    });
    expect(await exchangeWorkloadToken(await token(), trust({ subjectClaim: 'other' }), now)).toMatchObject({
      refused: 'the claim other of the token is missing',
    });
  });

  test('with an act claim speaks of the actor, and of the human for whom it acts', async () => {
    const act = { sub: 'repo:acme/delegating:x', act: { sub: 'orchestrator' } };
    expect(await exchangeWorkloadToken(await ci.token({ sub: 'reviewer@example.com', act }), trust(), now)).toMatchObject({
      agent: { name: 'deploy-bot' },
      onBehalfOf: 'reviewer@example.com',
      delegated: true,
      proof: { subject: 'repo:acme/delegating:x', actors: ['repo:acme/delegating:x', 'orchestrator'] },
    });
    const configured = { sub: 'engineer@example.com', act: { sub: 'repo:acme/web:main' } };
    expect(await exchangeWorkloadToken(await ci.token(configured), trust(), now)).toMatchObject({
      onBehalfOf: 'engineer@example.com',
      delegated: false,
    });
  });

  const refused: [what: string, claims: Record<string, unknown>, options: Parameters<TokenIssuer['token']>[1], reason: string | RegExp][] =
    [
      ['for another audience', main, { audience: 'https://elsewhere.example.com' }, 'the token is for another audience'],
      ['that has expired', main, { issuedAt: now - 400, expiresIn: 300 }, /"exp" claim/],
      ['from the future', main, { issuedAt: now + 120 }, 'the token is from the future'],
      ['that is good for very long', main, { expiresIn: 86_400 }, 'the token is good for longer than an hour'],
      ['that is not good yet', { ...main, nbf: now + 300 }, {}, /"nbf" claim/],
      ['of a workload that is not listed', { sub: 'repo:acme/web:main2' }, {}, 'no agent is the workload "repo:acme/web:main2" of ci'],
      ['without a subject', {}, {}, 'the claim sub of the token is missing'],
      ['whose subject is no text', { sub: 7 }, {}, /claim/],
      ['of an agent of a disabled human', { sub: 'repo:acme/orphan' }, {}, 'orphan-bot acts for former@example.com, who is disabled'],
      ['that would make a human an agent', { sub: 'repo:acme/human' }, {}, 'engineer@example.com is no agent of the configuration'],
      [
        'for a human, of an agent that may not be delegated to',
        { sub: 'reviewer@example.com', act: main },
        {},
        'deploy-bot may not act for reviewer@example.com',
      ],
      [
        'for a disabled human',
        { sub: 'former@example.com', act: { sub: 'repo:acme/delegating:x' } },
        {},
        'deploy-bot acts for former@example.com, who is disabled',
      ],
      ['for an agent', { sub: 'orphan-bot', act: { sub: 'repo:acme/delegating:x' } }, {}, 'deploy-bot acts for nobody who is known'],
      ['for nobody', { act: { sub: 'repo:acme/delegating:x' } }, {}, 'the token has an actor and says not for whom it acts'],
      ['with an actor who is nobody', { ...main, act: {} }, {}, 'the act claim of the token is not as RFC 8693 has it'],
      [
        'with an actor that is no object',
        { ...main, act: 'repo:acme/web:main' },
        {},
        'the act claim of the token is not as RFC 8693 has it',
      ],
      [
        'with a very long chain of actors',
        { ...main, act: { sub: 'a', act: { sub: 'b', act: { sub: 'c', act: { sub: 'd', act: { sub: 'e' } } } } } },
        {},
        'the act claim of the token is not as RFC 8693 has it',
      ],
      ['that is very long', { ...main, padding: 'x'.repeat(16_384) }, {}, 'the token has more than 16384 characters'],
    ];
  test.each(refused)('is refused when it is one %s', async (_what, claims, options, reason) => {
    const answer = await exchangeWorkloadToken(await ci.token(claims, options), trust(), now);
    expect(answer.refused).toMatch(reason);
  });

  test('is taken once, also when another one has its id', async () => {
    const spent = new UsedOnce(100_000);
    const token = await ci.token({ ...main, jti: 'a' });
    expect((await exchangeWorkloadToken(token, trust({}, spent), now)).refused).toBeUndefined();
    expect((await exchangeWorkloadToken(token, trust({}, spent), now)).refused).toBe('the token was used before');
    expect((await exchangeWorkloadToken(await ci.token({ ...main, jti: 'a', x: 1 }), trust({}, spent), now)).refused).toBe(
      'the token was used before',
    );
    expect((await exchangeWorkloadToken(await ci.token({ ...main, jti: 'b' }), trust({}, spent), now)).refused).toBeUndefined();
    const without = await ci.token(main);
    const together = await Promise.all([1, 2, 3].map(() => exchangeWorkloadToken(without, trust({}, spent), now)));
    expect(together.filter(({ refused }) => refused === undefined)).toHaveLength(1);
    expect((await exchangeWorkloadToken(without, trust({ singleUse: false }, spent), now)).refused).toBeUndefined();
  });

  test('that is refused is not spent', async () => {
    const spent = new UsedOnce(100_000);
    const token = await ci.token(main);
    expect((await exchangeWorkloadToken(token, trust({ agents: [] }, spent), now)).refused).toMatch(/^no agent/);
    expect((await exchangeWorkloadToken(token, trust({}, spent), now)).refused).toBeUndefined();
  });
});

describe('what is no token of a configured issuer is refused', () => {
  test('one that somebody else signed in its name', async () => {
    expect(await exchangeWorkloadToken(await impostor.token(main), trust(), now)).toMatchObject({
      refused: expect.stringMatching(/^the token is not good/),
      subject: main.sub,
    });
  });

  test('one of an issuer that is not configured', async () => {
    const other = await makeTokenIssuer('https://other.example.com');
    expect(await exchangeWorkloadToken(await other.token(main), trust(), now)).toEqual({
      refused: 'the issuer of the token is not in the configuration',
      subject: main.sub,
    });
  });

  test('one without signature, and one signed with the public key as if it were a secret', async () => {
    const [header, payload] = (await ci.token(main)).split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    for (const token of [`${none}.${payload}.`, `${header}.${payload}.`, `${header}.${payload}`])
      expect((await exchangeWorkloadToken(token, trust(), now)).refused).toBeTypeOf('string');
    const secret = Buffer.from(JSON.stringify(ci.keys.keys[0]));
    const shared = await new SignJWT(main)
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(secret);
    expect((await exchangeWorkloadToken(shared, trust(), now)).refused).toMatch(/"alg"/);
  });

  test('one that does not say until when it is good, or since when', async () => {
    const { privateKey } = await keysOf();
    for (const claims of [{ iat: now }, { exp: now + 60 }]) {
      const token = await new SignJWT({ ...main, ...claims })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .sign(privateKey.key);
      expect((await exchangeWorkloadToken(token, trust({ keys: privateKey.keys }), now)).refused).toMatch(/"(exp|iat)" claim/);
    }
  });

  test('one changed in any character', async () => {
    const token = await ci.token(main);
    const tried = [...token].flatMap((character, at) =>
      at % 7 === 0 && character !== '.' ? [`${token.slice(0, at)}${character === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`] : [],
    );
    // Of the last character some bits mean nothing.
    const answers = await Promise.all(
      tried.filter((text) => text.slice(0, -1) !== token.slice(0, -1)).map((text) => exchangeWorkloadToken(text, trust(), now)),
    );
    expect(answers.length).toBeGreaterThan(40);
    expect(answers.filter(({ refused }) => refused === undefined)).toEqual([]);
  });

  test('anything at all, and nothing is thrown', async () => {
    const part = fc.oneof(
      fc.base64String({ maxLength: 60 }),
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ maxLength: 80 }),
          fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
        ),
        async (text) => {
          expect((await exchangeWorkloadToken(text, trust(), now)).refused).toBeTypeOf('string');
        },
      ),
      { numRuns: 500 },
    );
  });
});

async function keysOf() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey: { key: privateKey, keys: { file: 'x', set: { keys: [await exportJWK(publicKey)] } } } };
}

test('an exact subject counts before a longer beginning, and that before a shorter one', () => {
  const of = (subject: string) =>
    agentOf({ agents: ['a:*', 'a:b*', 'a:b'].map((text) => ({ subject: text, agent: text, delegation: false })) }, subject)?.agent;
  expect(['a:b', 'a:bc', 'a:x', 'a', 'b', 'a:', 'a:*'].map(of)).toEqual(['a:b', 'a:b*', 'a:*', undefined, undefined, 'a:*', 'a:*']);
});

test('spent tokens are remembered while they are good and no longer, and never more than there is room for', () => {
  const spent = new UsedOnce(3);
  expect([1, 2, 3].map((n) => spent.take(`t${n}`, 100 + n, 50))).toEqual(['taken', 'taken', 'taken']);
  expect(spent.take('t1', 101, 60)).toBe('used');
  expect(spent.take('t4', 200, 60)).toBe('full');
  expect(spent.take('t4', 200, 102)).toBe('taken');
  expect(spent.remembered).toBe(2);
});

describe('keys at an address', () => {
  const before = getCACertificates('default');
  afterAll(() => setDefaultCACertificates(before));

  async function served(
    answer: (path: string) => { status?: number; headers?: Record<string, string>; body: string },
  ): Promise<{ url: string; asked: string[] }> {
    const { certificate, key } = selfSigned({
      commonName: 'localhost',
      names: ['localhost'],
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 600_000),
    });
    setDefaultCACertificates([...before, certificate]);
    const asked: string[] = [];
    const server = createServer({ cert: certificate, key }, (request, response) => {
      asked.push(request.url ?? '');
      const { status = 200, headers = {}, body } = answer(request.url ?? '');
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `https://localhost:${(server.address() as AddressInfo).port}/keys`, asked };
  }

  test('are fetched once for many tokens', async () => {
    const { url, asked } = await served(() => ({ body: JSON.stringify(ci.keys) }));
    const shared = trust({ keys: { url } });
    for (let n = 0; n < 3; n += 1)
      expect((await exchangeWorkloadToken(await ci.token({ ...main, jti: `n${n}` }), shared, now)).refused).toBeUndefined();
    // A stranger's key id is looked for at most once in a while.
    const other = await new SignJWT(main)
      .setProtectedHeader({ alg: 'ES256', kid: 'two' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign((await keysOf()).privateKey.key);
    for (let n = 0; n < 5; n += 1) expect((await exchangeWorkloadToken(other, shared, now)).refused).toMatch(/^the token is not good/);
    expect(asked).toEqual(['/keys']);
  });

  const bad: [what: string, answer: Parameters<typeof served>[0]][] = [
    [
      'leads elsewhere',
      (path) => (path === '/keys' ? { status: 302, headers: { location: '/other' }, body: '' } : { body: JSON.stringify(ci.keys) }),
    ],
    ['answers with an error', () => ({ status: 500, body: '' })],
    ['has no end', () => ({ body: JSON.stringify({ ...ci.keys, padding: 'x'.repeat(300_000) }) })],
    ['is not JSON', () => ({ body: 'keys' })],
    ['holds private keys', () => ({ body: JSON.stringify({ keys: [{ ...ci.keys.keys[0], d: 'secret' }] }) })],
  ];
  test.each(bad)('that %s verify nothing', async (_what, answer) => {
    const { url, asked } = await served(answer);
    expect(await exchangeWorkloadToken(await ci.token(main), trust({ keys: { url } }), now)).toMatchObject({
      refused: expect.stringMatching(/^the keys of the issuer could not be had/),
      unreachable: true,
    });
    expect(asked).toEqual(['/keys']);
  });
});
