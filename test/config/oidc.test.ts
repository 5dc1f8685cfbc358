import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../gateway/config.ts';
import { Belongings } from '../support/temp.ts';
import { changed, environment, faultsOf, valid, writeConfig } from './written.ts';

const belongings = new Belongings();
const directory = belongings.directory('oidc');
afterAll(() => belongings.release());

const withHttps = changed('listen: { ssh: "127.0.0.1:0" }', 'listen: { ssh: "127.0.0.1:0", https: "127.0.0.1:0" }');
const configured = (section: string) => `${withHttps}oidc: ${section}\n`;

test('a provider is taken with what is usual, and with everything', () => {
  const plain = '{ issuer: "https://id.example.com/realms/ops", client-id: sallyport }';
  expect(loadConfig(writeConfig(directory, configured(plain)), environment).oidc).toEqual({
    issuer: 'https://id.example.com/realms/ops',
    clientId: 'sallyport',
    scopes: ['openid', 'email'],
    nameClaim: 'email',
    groupsClaim: 'groups',
    unlisted: false,
    roles: { reviewer: [], auditor: [], admin: [] },
  });
  const whole = `
  issuer: http://127.0.0.1:8080
  client-id: sallyport
  client-secret: { env: CLIENT_SECRET }
  native-client-id: sallyport-cli
  scopes: [openid, groups]
  name-claim: https://example.com/name
  groups-claim: roles
  unlisted: true
  redirect: https://bastion.example.com/login/callback
  roles: { reviewer: ["/eu/ops", "Domain Users"], admin: [root] }`;
  expect(loadConfig(writeConfig(directory, configured(whole)), { ...environment, CLIENT_SECRET: 'x' }).oidc).toEqual({
    issuer: 'http://127.0.0.1:8080',
    clientId: 'sallyport',
    clientSecret: { env: 'CLIENT_SECRET' },
    nativeClientId: 'sallyport-cli',
    scopes: ['openid', 'groups'],
    nameClaim: 'https://example.com/name',
    groupsClaim: 'roles',
    unlisted: true,
    redirect: 'https://bastion.example.com/login/callback',
    roles: { reviewer: ['/eu/ops', 'Domain Users'], auditor: [], admin: ['root'] },
  });
  expect(loadConfig(writeConfig(directory, valid), environment).oidc).toBeUndefined();
});

const issuer = 'issuer: "https://id.example.com"';
const base = `${issuer}, client-id: sallyport`;

test.each([
  ['no issuer', '{ client-id: sallyport }', '"issuer" is missing'],
  ['no client', `{ ${issuer} }`, '"client-id" is missing'],
  ['an issuer without TLS', '{ issuer: "http://id.example.com", client-id: x }', '"http://id.example.com" has no https:'],
  ['an issuer whose name only begins like this machine', '{ issuer: "http://127.0.0.1.example.com", client-id: x }', 'has no https:'],
  ['an issuer with a password', '{ issuer: "https://a:b@id.example.com", client-id: x }', 'has a password in it'],
  ['an issuer with a query', '{ issuer: "https://id.example.com?x=1", client-id: x }', 'has a query'],
  ['an issuer that is a name', '{ issuer: id.example.com, client-id: x }', '"id.example.com" is no address'],
  ['an issuer of another kind', '{ issuer: "file:///etc/passwd", client-id: x }', 'is no address'],
  ['a secret in the file itself', `{ ${base}, client-secret: hunter2 }`, 'stands where a reference to a secret belongs'],
  ['a secret that is not there', `{ ${base}, client-secret: { env: NOT_SET } }`, 'NOT_SET is not set'],
  ['a secret whose file is not there', `{ ${base}, client-secret: { file: missing } }`, 'there is no file'],
  ['scopes without openid', `{ ${base}, scopes: [email] }`, 'without the scope openid there is no ID token'],
  ['a scope of two words', `{ ${base}, scopes: [openid, "a b"] }`, '"a b" does not have the right form'],
  ['a claim that is none', `{ ${base}, name-claim: "e mail" }`, '"e mail" does not have the right form'],
  ['a claim that every object has', `{ ${base}, groups-claim: __proto__ }`, '"__proto__" does not have the right form'],
  ['a group with a line end', `{ ${base}, roles: { admin: ["a\\nb"] } }`, 'does not have the right form'],
  ['a role that does not exist', `{ ${base}, roles: { root: [x] } }`, 'unknown key "root"'],
  ['a way back without TLS', `{ ${base}, redirect: "http://bastion.example.com/login/callback" }`, 'is no address with https:'],
  ['a way back to elsewhere', `{ ${base}, redirect: "https://bastion.example.com/callback" }`, 'does not end in /login/callback'],
  ['a typing mistake', `{ ${base}, client-secert: { env: X } }`, 'unknown key "client-secert"'],
  ['text', 'https://id.example.com', 'text stands where a section belongs'],
])('%s is a fault with its mend', (_, section, problem) => {
  const faults = faultsOf(directory, configured(section));
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(problem);
  expect(faults[0]).toMatch(/^gateway\.yaml:\d+:\d+: .*\. [A-Z]/);
  expect(faults[0]).not.toContain('hunter2');
});

test('a provider that nobody could come from is a fault', () => {
  expect(faultsOf(directory, `${valid}oidc: { ${base} }\n`)).toEqual([
    expect.stringContaining('people log in over HTTPS, and nothing listens for it'),
  ]);
});
