import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Config, loadConfig } from '../../gateway/config.ts';
import { providerLogIns } from '../../gateway/serve/oidc.ts';
import { changed, environment, writeConfig } from '../config/written.ts';
import { clients, startOidcProvider, type TestProvider } from '../support/oidc-provider.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
const directory = belongings.directory('oidc');
let idp: TestProvider;
let config: Config;
beforeAll(async () => {
  idp = await startOidcProvider(belongings);
});
beforeEach(() => {
  config = configured(`issuer: "${idp.issuer}", client-id: sallyport, native-client-id: ${clients.native.id}`);
});
afterAll(() => belongings.release());

function configured(section?: string): Config {
  const file = changed('listen: { ssh: "127.0.0.1:0" }', 'listen: { ssh: "127.0.0.1:0", https: "127.0.0.1:0" }');
  return loadConfig(writeConfig(directory, section === undefined ? file : `${file}oidc: { ${section} }\n`), environment);
}

let unique = 0;
const token = (email = 'reviewer@example.com') => {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: idp.issuer,
    sub: email,
    aud: clients.native.id,
    iat: now,
    exp: now + 60,
    email,
    email_verified: true,
    jti: `${++unique}`,
  };
  return idp.sign(claims);
};

test('somebody whom the provider knows is let in as the human of the configuration', async () => {
  const logIns = providerLogIns(() => config);
  expect(logIns.provider()).toEqual({ issuer: idp.issuer, clientId: clients.native.id, scopes: ['openid', 'email'] });
  expect(await logIns.verifyProviderToken(await token())).toMatchObject({
    person: { name: 'reviewer@example.com', groups: ['platform'], roles: ['reviewer'], listed: true },
  });
});

test('a reload counts at once, and what was used stays used', async () => {
  const logIns = providerLogIns(() => config);
  const used = await token();
  expect(await logIns.verifyProviderToken(used)).toHaveProperty('person');
  const stranger = await token('stranger@example.com');
  expect(await logIns.verifyProviderToken(stranger)).toHaveProperty('refused');
  config = configured(`issuer: "${idp.issuer}", client-id: ${clients.native.id}, unlisted: true`);
  expect(await logIns.verifyProviderToken(stranger)).toMatchObject({ person: { name: 'stranger@example.com', listed: false } });
  expect(await logIns.verifyProviderToken(used)).toEqual({ refused: 'the ID token was used before' });
  config = configured(`issuer: "${idp.issuer}", client-id: something-else`);
  expect(await logIns.verifyProviderToken(await token())).toEqual({ refused: 'the ID token is meant for another client' });
});

test('a reload that changes nothing of it asks the provider nothing', async () => {
  const logIns = providerLogIns(() => config);
  await logIns.verifyProviderToken(await token());
  const asked = idp.asked.length;
  config = configured(`issuer: "${idp.issuer}", client-id: sallyport, native-client-id: ${clients.native.id}`);
  expect(await logIns.verifyProviderToken(await token())).toHaveProperty('person');
  expect(idp.asked).toHaveLength(asked);
});

test('a browser that began a log-in before a reload may end it after', async () => {
  const logIns = providerLogIns(() => config);
  const begun = await logIns.browser()?.begin('https://127.0.0.1/login/callback', '/');
  config = configured(`issuer: "${idp.issuer}", client-id: sallyport, unlisted: true`);
  const query = new URLSearchParams({ state: new URL(begun?.address ?? '').searchParams.get('state') ?? '', error: 'access_denied' });
  expect(await logIns.browser()?.finish(query, begun?.ticket ?? '')).toEqual({ refused: 'the provider said no: access_denied' });
});

test('without a provider nobody comes in through one, and nothing is asked', async () => {
  config = configured();
  const logIns = providerLogIns(() => config);
  expect(logIns.provider()).toBeNull();
  expect(logIns.browser()).toBeUndefined();
  expect(await logIns.verifyProviderToken(await token())).toEqual({ refused: 'the configuration names no identity provider' });
});

test('a provider that is down is told of as such, and nothing was asked of it before', async () => {
  config = configured('issuer: "http://127.0.0.1:9", client-id: sallyport');
  const logIns = providerLogIns(() => config);
  expect(logIns.provider()).toMatchObject({ issuer: 'http://127.0.0.1:9' });
  await expect(logIns.verifyProviderToken('a.b.c')).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
});
