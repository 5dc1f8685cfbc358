import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../gateway/config.ts';
import { Belongings } from '../support/temp.ts';
import { environment, faultsOf, keys, valid, writeConfig } from './written.ts';

const belongings = new Belongings();
const directory = belongings.directory('credentials');
afterAll(() => belongings.release());

const ca = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKzTlpcvO8QyAFCyaSbP7iXa0hVH9EDmVnrM6tC0s6i ca';
const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' });
writeFileSync(join(directory, 'jwks.json'), JSON.stringify({ keys: [jwk.publicKey.export({ format: 'jwk' })] }));
writeFileSync(join(directory, 'private.json'), JSON.stringify({ keys: [jwk.privateKey.export({ format: 'jwk' })] }));
writeFileSync(join(directory, 'shared.json'), JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }));
writeFileSync(join(directory, 'no-set.json'), '{}');
writeFileSync(join(directory, 'text.json'), 'keys');

const agents = '[{ subject: "repo:acme/x:*", agent: deploy-bot, targets: [web-1], delegation: true }]';
const workload = (more = 'keys: { file: jwks.json }', its = agents): string =>
  `${valid}workloads: [{ name: ci, issuer: "https://ci.example.com", audience: "https://gw", ${more}, agents: ${its} }]\n`;
const certificates = (section: string): string => `${valid}certificates: ${section}\n`;

test('authorities, a revocation list and lifetimes are taken, with absolute paths', () => {
  const section = `{ authorities: [{ name: company, key: "${ca}" }], revoked: lists/revoked.krl, lifetime: 5m, longest: 2h }`;
  const read = loadConfig(writeConfig(directory, certificates(section)), environment).certificates;
  expect(read).toMatchObject({
    authorities: [{ name: 'company', key: { algorithm: 'ssh-ed25519' } }],
    revoked: join(directory, 'lists/revoked.krl'),
    lifetimeSeconds: 300,
    longestSeconds: 7200,
  });
  const plain = loadConfig(writeConfig(directory, valid), environment);
  expect(plain.certificates).toEqual({ authorities: [], lifetimeSeconds: 900, longestSeconds: 3600 });
  expect(plain.workloads).toEqual([]);
});

test('workloads are taken, with the keys of a file or an address', () => {
  expect(loadConfig(writeConfig(directory, workload()), environment).workloads).toMatchObject([
    {
      name: 'ci',
      issuer: 'https://ci.example.com',
      audience: 'https://gw',
      keys: { file: join(directory, 'jwks.json'), set: { keys: [{ kty: 'EC' }] } },
      subjectClaim: 'sub',
      singleUse: true,
      agents: [{ subject: 'repo:acme/x:*', agent: 'deploy-bot', targets: ['web-1'], delegation: true }],
    },
  ]);
  const more = 'keys: { url: "https://ci.example.com/jwks" }, subject-claim: workload, single-use: false';
  expect(loadConfig(writeConfig(directory, workload(more)), environment).workloads).toMatchObject([
    { keys: { url: 'https://ci.example.com/jwks' }, subjectClaim: 'workload', singleUse: false },
  ]);
});

const principalKey = 'belongs to deploy-bot, who could let in anybody with it. An authority has a key of its own.';
test.each([
  ['an authority with the key of a principal', certificates(`{ authorities: [{ name: x, key: "${keys.bot}" }] }`), principalKey],
  ['an authority twice', certificates(`{ authorities: [{ name: x, key: "${ca}" }, { name: x, key: "${ca}" }] }`), 'the name "x" is taken'],
  ['a key twice', certificates(`{ authorities: [{ name: x, key: "${ca}" }, { name: y, key: "${ca}" }] }`), 'belongs to another authority'],
  ['a damaged key', certificates('{ authorities: [{ name: x, key: "ssh-ed25519 AAAA" }] }'), 'the key is cut off or damaged'],
  ['a lifetime longer than the longest', certificates('{ lifetime: 2h }'), 'certificates would be given for longer than the longest'],
  ['a very long lifetime', certificates('{ longest: 30d }'), '"30d" is not from 30s to 1d'],
  ['a file of keys that is not there', workload('keys: { file: nowhere.json }'), 'there is no file nowhere.json'],
  ['keys that are private', workload('keys: { file: private.json }'), 'it holds a private or secret key'],
  ['keys that are shared secrets', workload('keys: { file: shared.json }'), 'it holds a private or secret key'],
  ['a file without keys', workload('keys: { file: no-set.json }'), 'it is not a JWK set with keys in it'],
  ['a file that is not JSON', workload('keys: { file: text.json }'), 'the file text.json is not JSON'],
  [
    'keys over an open line',
    workload('keys: { url: "http://ci.example.com/jwks" }'),
    '"http://ci.example.com/jwks" is not an https address',
  ],
  ['keys in two places', workload('keys: { url: "https://a", file: jwks.json }'), 'keys have exactly one place'],
  [
    'a subject that is everybody',
    workload(undefined, '[{ subject: "*", agent: deploy-bot }]'),
    'a lone * lets in whoever the issuer knows',
  ],
  ['a star in the middle', workload(undefined, '[{ subject: "a*b", agent: deploy-bot }]'), 'a * stands at the end only'],
  [
    'an agent that is not there',
    workload(undefined, '[{ subject: a, agent: deploy-bit }]'),
    'no agent is named "deploy-bit". Did you mean "deploy-bot"?',
  ],
  ['a human as an agent', workload(undefined, '[{ subject: a, agent: reviewer@example.com }]'), 'no agent is named "reviewer@example.com"'],
  [
    'a target that is not there',
    workload(undefined, '[{ subject: a, agent: deploy-bot, targets: [web-2] }]'),
    'no target is named "web-2"',
  ],
])('%s is a fault', (_what, content, problem) => {
  const faults = faultsOf(directory, content).filter((fault) => fault.includes(problem));
  expect(faults, faultsOf(directory, content).join('\n')).toHaveLength(1);
  expect(faults[0]).toMatch(/^gateway\.yaml:\d+:\d+: /);
});

test('the same issuer and audience twice is a fault', () => {
  const [before, one = ''] = workload().split('workloads: ');
  const two = `${before}workloads:\n  - ${one.trim().slice(1, -1)}\n  - ${one.trim().slice(1, -1).replace('name: ci', 'name: other')}\n`;
  expect(faultsOf(directory, two).join('\n')).toContain('another entry has the same issuer and audience');
});
