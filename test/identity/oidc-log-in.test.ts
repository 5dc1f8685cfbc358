import { createHmac } from 'node:crypto';
import { exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { providerLogIn } from '../../gateway/commands/oidc-flows.ts';
import { OidcProvider } from '../../gateway/identity/oidc-provider.ts';
import type { OidcOutcome, OidcSettings } from '../../gateway/identity/oidc-settings.ts';
import { UsedTokens } from '../../gateway/identity/oidc-used-tokens.ts';
import type { Principal } from '../../gateway/identity/principal.ts';
import { clients, startOidcProvider, type TestProvider } from '../support/oidc-provider.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
let idp: TestProvider;
let settings: OidcSettings;
beforeAll(async () => {
  idp = await startOidcProvider(belongings);
  settings = settingsFor(idp);
});
beforeEach(() => {
  idp.person = { sub: 'user-1', email: 'engineer@example.com', email_verified: true };
});
afterAll(() => belongings.release());

function settingsFor({ issuer }: TestProvider): OidcSettings {
  return {
    issuer,
    clientId: clients.browser.id,
    nativeClientId: clients.native.id,
    scopes: ['openid', 'email', 'groups'],
    nameClaim: 'email',
    groupsClaim: 'groups',
    unlisted: false,
    roles: { reviewer: ['sre'], auditor: [], admin: [] },
  };
}

const engineer: Principal = {
  name: 'engineer@example.com',
  kind: 'human',
  groups: ['platform'],
  sshKeys: [],
  operator: ['auditor'],
  disabled: false,
};
const principals = new Map([[engineer.name, engineer]]);
// A second ago: `iat` has no fractions, and tests make tokens at once.
const memory = () => new UsedTokens(Date.now() - 1000);
const opened = (changed: Partial<OidcSettings> = {}, times = {}) =>
  new OidcProvider({ ...settings, ...changed }, { used: memory(), times });
const verify = (provider: OidcProvider, token: string, nonce?: string): Promise<OidcOutcome> =>
  provider.verify(token, { client: 'native', nonce }, () => principals);

const seconds = () => Math.floor(Date.now() / 1000);
let unique = 0;
/** Claims that the provider could have written, with some of them changed; undefined leaves one out. */
function claims(changed: Record<string, unknown> = {}): JWTPayload {
  const usual = {
    iss: idp.issuer,
    sub: 'user-1',
    aud: clients.native.id,
    exp: seconds() + 600,
    iat: seconds(),
    email: 'engineer@example.com',
    email_verified: true,
    jti: `token-${++unique}`,
  };
  return Object.fromEntries(Object.entries({ ...usual, ...changed }).filter(([, value]) => value !== undefined));
}

/** Logs in at the provider as its `person` does. */
async function logIn(how: 'device' | 'browser', client: string = clients.native.id) {
  const address = Promise.withResolvers<string>();
  const say = (line: string): void => {
    const found = /(?:or open|on this machine:)\s(\S+)/.exec(line)?.[1];
    if (found !== undefined) address.resolve(found);
  };
  const flow = providerLogIn({ issuer: idp.issuer, clientId: client, scopes: [...settings.scopes] }, { how, say });
  if (how === 'browser') await fetch(await idp.browse(await address.promise));
  else await idp.approveDevice(await address.promise);
  return flow;
}

describe('somebody who has logged in at a real provider', () => {
  it('is known by the code flow, with what the provider says of how', async () => {
    idp.person = { ...idp.person, groups: ['sre', '/staff', 'platform'], amr: ['pwd', 'otp'], acr: 'urn:example:strong' };
    const { idToken, nonce } = await logIn('browser');
    expect(await verify(opened(), idToken, nonce)).toEqual({
      person: {
        name: 'engineer@example.com',
        listed: true,
        groups: ['platform', 'sre', '/staff'],
        claimedGroups: ['sre', '/staff', 'platform'],
        roles: ['reviewer', 'auditor'],
        issuer: idp.issuer,
        subject: 'user-1',
        amr: ['pwd', 'otp'],
        acr: 'urn:example:strong',
      },
    });
  });

  it('is known by the device flow', async () => {
    idp.paceDevices = 1;
    const { idToken, nonce } = await logIn('device');
    expect(nonce).toBeUndefined();
    expect(await verify(opened(), idToken)).toMatchObject({
      person: { name: 'engineer@example.com', groups: ['platform'], roles: ['auditor'] },
    });
  });

  it('is not let in with a token that another client got', async () => {
    const { idToken, nonce } = await logIn('browser', clients.other.id);
    expect(await verify(opened(), idToken, nonce)).toEqual({ refused: 'the ID token is meant for another client' });
  });

  it('is not let in with the nonce of another log-in, or none', async () => {
    const { idToken, nonce } = await logIn('browser');
    const refused = 'the ID token does not belong to this log-in: its nonce is another one';
    expect(await verify(opened(), idToken, `${nonce}x`)).toEqual({ refused });
    expect(await verify(opened(), idToken)).toEqual({ refused });
    expect(await verify(opened(), await idp.sign(claims()), 'a nonce')).toEqual({ refused });
  });
});

describe('an ID token', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['expired', { exp: -31 }, 'the ID token has expired'],
    ['that does not expire', { exp: undefined }, 'the ID token has no "exp"'],
    ['that is no longer fresh', { iat: -331, exp: 3600 }, 'the ID token was issued 331 seconds ago, and is good for 300'],
    ['of the future', { iat: 35 }, 'the ID token was issued in the future: compare the clocks of gateway and provider'],
    ['without a time', { iat: undefined }, 'the ID token has no "iat"'],
    ['not valid yet', { nbf: 60 }, 'the ID token has a wrong "nbf"'],
  ])('%s is refused', async (_, times, refused) => {
    const changed = Object.fromEntries(
      Object.entries(times).map(([name, value]) => [name, value === undefined ? undefined : seconds() + Number(value)]),
    );
    expect(await verify(opened(), await idp.sign(claims(changed)))).toEqual({ refused });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['of another issuer', { iss: 'https://evil.example.com' }, 'the ID token is of another issuer'],
    ['of an issuer that differs in a slash', { iss: 'SLASH' }, 'the ID token is of another issuer'],
    ['for another client', { aud: 'sallyport-cli2' }, 'the ID token is meant for another client'],
    ['for the client of the browser', { aud: clients.browser.id }, 'the ID token is meant for another client'],
    ['for others as well', { aud: [clients.native.id, 'wiki'] }, 'the ID token is meant for others as well'],
    ['that another client asked for', { azp: 'wiki' }, 'the ID token was issued to another client'],
    ['without an audience', { aud: undefined }, 'the ID token has no "aud"'],
    ['without a subject', { sub: undefined }, 'the ID token has no "sub"'],
    ['with an empty subject', { sub: '' }, 'the ID token has no subject that can be written down'],
    ['with a subject that drives a terminal', { sub: '\u001b[2J' }, 'the ID token has no subject that can be written down'],
    ['that ends a session (back-channel log-out)', { events: {} }, 'it is a token about an event, not an ID token'],
  ])('%s is refused', async (_, changed, refused) => {
    const made = claims(changed.iss === 'SLASH' ? { iss: `${idp.issuer}/` } : changed);
    expect(await verify(opened(), await idp.sign(made))).toEqual({ refused });
  });

  it('for this client alone is taken in a list as well', async () => {
    expect(await verify(opened(), await idp.sign(claims({ aud: [clients.native.id], azp: clients.native.id })))).toHaveProperty('person');
  });

  it('that is an access token or a log-out token is refused', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'logout+jwt'])
      expect(await verify(opened(), await idp.sign(claims(), { typ }))).toEqual({
        refused: `it is a token of type "${typ}", not an ID token`,
      });
    expect(await verify(opened(), await idp.sign(claims(), { typ: 'JWT' }))).toHaveProperty('person');
  });

  it('that was changed in any part is refused', async () => {
    const [header = '', payload = '', signature = ''] = (await idp.sign(claims())).split('.');
    const forged = Buffer.from(JSON.stringify(claims({ email: 'admin@example.com' }))).toString('base64url');
    const refused = 'the signature of the ID token is wrong';
    expect(await verify(opened(), [header, forged, signature].join('.'))).toEqual({ refused });
    const other = signature.startsWith('A') ? 'B' : 'A';
    expect(await verify(opened(), [header, payload, `${other}${signature.slice(1)}`].join('.'))).toEqual({ refused });
    expect(await verify(opened(), `${header}.${payload}.`)).toEqual({ refused });
  });

  it('that nobody has signed is refused, in every way of saying so', async () => {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const alg of ['none', 'None', 'NONE', '']) {
      const token = `${encode({ alg, typ: 'JWT' })}.${encode(claims())}.`;
      expect(await verify(opened(), token)).toHaveProperty('refused');
    }
  });

  it('that is signed with a text that everybody has is refused: the public key, the client secret', async () => {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const pem = await exportSPKI(idp.publicKey());
    for (const secret of [pem, pem.trim(), clients.browser.secret, '']) {
      for (const kid of ['key-1', undefined]) {
        const signed = `${encode({ alg: 'HS256', kid })}.${encode(claims())}`;
        const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
        expect(await verify(opened(), token)).toEqual({ refused: 'the ID token is signed with an algorithm that is not accepted' });
      }
    }
  });

  it('that brings its own key is refused', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await (await import('jose')).exportJWK(publicKey);
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'RS256', kid: 'key-1', jwk, jku: `${idp.issuer}/mine` })
      .sign(privateKey);
    expect(await verify(opened(), token)).toEqual({ refused: 'the signature of the ID token is wrong' });
  });

  it.each([
    ['nothing', ''],
    ['words', 'let me in'],
    ['dots', '...'],
    ['five parts', 'a.b.c.d.e'],
    ['a header that is no JSON', 'AAAA.AAAA.AAAA'],
    ['a null header', `${Buffer.from('null').toString('base64url')}.e30.AA`],
    ['65,537 characters', 'a'.repeat(65_537)],
  ])('that is %s is refused', async (_, token) => {
    expect(await verify(opened(), token)).toEqual({ refused: expect.stringMatching(/cannot be read|can be read|too long|not accepted/) });
  });
});

describe('a token that was used', () => {
  it('is refused, also when the same is written in another way', async () => {
    const provider = opened();
    const token = await idp.sign(claims());
    expect(await verify(provider, token)).toHaveProperty('person');
    const refused = 'the ID token was used before';
    expect(await verify(provider, token)).toEqual({ refused });
    // The last character of 256 bytes in base64url has four bits that no decoder looks at.
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(token.at(-1) ?? '');
    const other = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[last ^ 1] ?? '';
    expect(Buffer.from(`${token.slice(0, -1)}${other}`.split('.')[2] ?? '', 'base64url')).toEqual(
      Buffer.from(token.split('.')[2] ?? '', 'base64url'),
    );
    expect(await verify(provider, `${token.slice(0, -1)}${other}`)).toHaveProperty('refused');
  });

  it('is refused when its ECDSA signature is turned into the other one that fits', async () => {
    const elliptic = await startOidcProvider(belongings, { alg: 'ES256' });
    const provider = new OidcProvider(settingsFor(elliptic), { used: memory() });
    const token = await elliptic.sign(claims({ iss: elliptic.issuer }));
    const [header = '', payload = '', signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const s = n - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
    const twin = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]).toString('base64url');
    expect(await verify(provider, `${header}.${payload}.${twin}`)).toHaveProperty('person');
    expect(await verify(provider, token)).toEqual({ refused: 'the ID token was used before' });
  });

  it('is used by one of many who come with it at the same moment', async () => {
    const provider = opened();
    const token = await idp.sign(claims());
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => verify(provider, token)));
    expect(outcomes.filter(({ person }) => person !== undefined)).toHaveLength(1);
  });

  it('is not used up by a refusal that has nothing to do with it', async () => {
    const provider = opened();
    const token = await idp.sign(claims());
    expect(await verify(provider, token, 'wrong nonce')).toHaveProperty('refused');
    expect(await verify(provider, token)).toHaveProperty('person');
  });

  it('before the gateway was started again does not count after it', () => {
    const used = new UsedTokens(1_000_000_500);
    expect(used.use('a', 999_999, 1_000_001_000)).toBe('the ID token was issued before the gateway started: log in once more');
    expect(used.use('a', 1_000_000, 1_000_001_000)).toBeUndefined();
  });

  it('is remembered until it is stale and no longer, and no more of them than there is room for', () => {
    const used = new UsedTokens(0, 3);
    for (const name of ['a', 'b', 'c']) expect(used.use(name, 100, 100_000)).toBeUndefined();
    expect(used.use('d', 100, 100_000)).toBe('too many people have logged in within minutes: wait a little');
    expect(used.use('a', 100, 430_000)).toBe('the ID token was used before');
    expect(used.use('d', 430, 431_000)).toBeUndefined();
  });
});

describe('the keys of the provider', () => {
  it('are fetched once, and again when a token is signed with another one', async () => {
    const changing = await startOidcProvider(belongings);
    const provider = new OidcProvider(settingsFor(changing), { used: memory(), times: { restMillis: 0 } });
    const made = () => claims({ iss: changing.issuer });
    const before = await changing.sign(made());
    expect(await verify(provider, before)).toHaveProperty('person');
    expect(await verify(provider, await changing.sign(made()))).toHaveProperty('person');
    const withdrawn = await changing.sign(made());
    await changing.rotate();
    expect(await verify(provider, await changing.sign(made()))).toHaveProperty('person');
    expect(await verify(provider, withdrawn)).toEqual({ refused: 'the ID token is signed with a key that the provider does not have' });
    expect(changing.asked.filter((path) => path === 'GET /jwks')).toHaveLength(3);
    expect(changing.asked.filter((path) => path.includes('.well-known'))).toHaveLength(1);
  });

  it('are not fetched for every stranger who names one that does not exist', async () => {
    const provider = opened();
    await verify(provider, await idp.sign(claims()));
    const before = idp.asked.length;
    for (let round = 0; round < 20; round += 1)
      expect(await verify(provider, await idp.sign(claims(), { kid: `made-up-${round}` }))).toEqual({
        refused: 'the ID token is signed with a key that the provider does not have',
      });
    expect(idp.asked).toHaveLength(before);
  });

  it('are fetched anew after a while, so that a withdrawn one does not count for ever', async () => {
    const changing = await startOidcProvider(belongings);
    const provider = new OidcProvider(settingsFor(changing), { used: memory(), times: { keysMillis: 0 } });
    const withdrawn = await changing.sign(claims({ iss: changing.issuer }));
    expect(await verify(provider, await changing.sign(claims({ iss: changing.issuer })))).toHaveProperty('person');
    await changing.rotate();
    expect(await verify(provider, withdrawn)).toHaveProperty('refused');
  });
});
