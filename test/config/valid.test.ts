import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../gateway/config.ts';
import { makeKey } from '../support/keys.ts';
import { Belongings } from '../support/temp.ts';
import { environment, hostKey, keys, valid, writeConfig } from './written.ts';

const belongings = new Belongings();
const directory = belongings.directory('config');
afterAll(() => belongings.release());

const load = (content: string) => loadConfig(writeConfig(directory, content), environment);

test('what is not said has its default', () => {
  const config = load(valid);
  expect(config.gateway).toEqual({ listen: { ssh: { host: '127.0.0.1', port: 0 } }, data: join(directory, 'data'), name: hostname() });
  const MiB = 1024 * 1024;
  expect(config.recording).toEqual({
    retainSeconds: 400 * 86_400,
    retainByTag: [],
    segment: 4 * MiB,
    segmentSeconds: 60,
    reserve: 512 * MiB,
    backlog: 512 * MiB,
    durability: 'relaxed',
    content: 'digest',
    input: true,
  });
  expect(config.limits).toEqual({
    sessions: 2000,
    sessionsPerPrincipal: 1000,
    channelsPerSession: 64,
    handshake: 20,
    idle: 0,
    connect: 10,
    keepAlive: 15,
    unauthenticated: 200,
    authAttempts: 6,
    lockout: { failures: 20, withinSeconds: 60, forSeconds: 60 },
  });
  expect(config.ssh).toEqual({ rekeyBytes: 1024 * MiB, rekeySeconds: 3600, weakAlgorithms: [] });
  expect(config.targets.get('web-1')).toEqual({
    kind: 'ssh',
    name: 'web-1',
    address: { host: '10.0.0.5', port: 22 },
    hostKey,
    login: 'deploy',
    credential: { env: 'WEB_PASSWORD' },
    tags: {},
    allow: ['deploy-bot', { group: 'platform' }],
    forwarding: [],
    environment: ['LANG', 'LC_*'],
    recording: {},
  });
});

test('principals keep their keys, groups, roles and the human behind them', () => {
  const { principals } = load(valid.replace('name: deploy-bot,', 'name: deploy-bot, disabled: true,'));
  const [algorithm, blob, comment] = keys.reviewer.split(' ');
  expect(principals.get('reviewer@example.com')).toEqual({
    name: 'reviewer@example.com',
    kind: 'human',
    groups: ['platform'],
    sshKeys: [{ algorithm, blob: Buffer.from(blob ?? '', 'base64'), fingerprint: hostKey, comment }],
    operator: ['reviewer'],
    disabled: false,
  });
  expect(principals.get('deploy-bot')).toMatchObject({ kind: 'agent', onBehalfOf: 'reviewer@example.com', operator: [], disabled: true });
});

test('everything that can be said is understood', () => {
  const config = load(`${valid}
  - { name: local, kind: shell, user: nobody, shell: /bin/sh, directory: /tmp, idle: off, environment: [TERM, "GIT_*"] }
  - { name: six, kind: ssh, address: "[fd00::5]:2200", host-key: "${hostKey}", login: root, credential: { password: { env: WEB_PASSWORD } }, tags: { env: prod, constructor: x }, forwarding: [local, remote, agent], idle: 10m, retain: 7d, recording: { content: whole, input: false } }
recording: { retain: 30d, retain-by-tag: [{ tags: { env: prod }, retain: 800d }], segment: 64KiB, segment-after: 5s, reserve: 1MiB, backlog: 1GiB, durability: strict, content: whole, input: false }
limits: { sessions: 1, sessions-per-principal: 2, channels-per-session: 3, handshake: 4s, idle: 5m, connect: 6s, keep-alive: off, unauthenticated: 7, auth-attempts: 8, lockout: { failures: 0, within: 2h, for: 1d } }
ssh: { rekey-bytes: 1MiB, rekey-after: 30s, weak-algorithms: [ssh-rsa, hmac-sha1], banner: "Recorded.\\n" }
`);
  expect(config.targets.get('local')).toEqual({
    kind: 'shell',
    name: 'local',
    user: 'nobody',
    shell: '/bin/sh',
    directory: '/tmp',
    tags: {},
    allow: [],
    environment: ['TERM', 'GIT_*'],
    recording: {},
    idle: 0,
  });
  expect(config.targets.get('six')).toMatchObject({
    address: { host: 'fd00::5', port: 2200 },
    credential: { password: { env: 'WEB_PASSWORD' } },
    tags: { env: 'prod', constructor: 'x' },
    forwarding: ['local', 'remote', 'agent'],
    idle: 600,
    retainSeconds: 7 * 86_400,
    recording: { content: 'whole', input: false },
  });
  expect(config.recording).toMatchObject({
    retainSeconds: 30 * 86_400,
    retainByTag: [{ tags: { env: 'prod' }, retainSeconds: 800 * 86_400 }],
    segment: 65_536,
    segmentSeconds: 5,
    durability: 'strict',
    input: false,
  });
  expect(config.limits).toMatchObject({
    sessions: 1,
    keepAlive: 0,
    idle: 300,
    lockout: { failures: 0, withinSeconds: 7200, forSeconds: 86_400 },
  });
  expect(config.ssh).toEqual({
    rekeyBytes: 1024 * 1024,
    rekeySeconds: 30,
    weakAlgorithms: ['ssh-rsa', 'hmac-sha1'],
    banner: 'Recorded.\n',
  });
});

test('an IPv6 address is listened on', () => {
  expect(load(valid.replace('127.0.0.1:0', '[::1]:2222')).gateway.listen.ssh).toEqual({ host: '::1', port: 2222 });
});

test('paths start at the configuration file, wherever the gateway was started', async () => {
  const elsewhere = belongings.directory('elsewhere');
  mkdirSync(join(elsewhere, 'keys'));
  await makeKey(join(elsewhere, 'keys'), 'web');
  const content = valid
    .replace('{ env: WEB_PASSWORD }', '{ key: { file: keys/web } }')
    .replace('gateway:\n', 'gateway:\n  data: ../data\n');
  const config = loadConfig(writeConfig(elsewhere, content), {});
  expect(config.gateway.data).toBe(join(elsewhere, '..', 'data'));
  expect(config.targets.get('web-1')).toMatchObject({ credential: { key: { file: join(elsewhere, 'keys', 'web') } } });
});

test('the hash is that of the bytes of the file', () => {
  expect(load(valid).hash).toBe(createHash('sha256').update(valid).digest('hex'));
});

test('JSON is YAML', () => {
  const content = JSON.stringify({ gateway: { listen: { ssh: '127.0.0.1:0' } }, targets: [{ name: 'local', kind: 'shell' }] }, null, 2);
  expect([...load(content).targets.keys()]).toEqual(['local']);
});

test('a byte order mark and the line ends of Windows do not matter', () => {
  expect(load(`\ufeff${valid.replaceAll('\n', '\r\n')}`).targets.size).toBe(1);
});

test('nothing of it can be changed', () => {
  const config = load(valid);
  expect(() => Object.assign(config.limits, { sessions: 1 })).toThrow(TypeError);
  expect(() => Object.assign(config.limits.lockout, { failures: 1 })).toThrow(TypeError);
  expect(() => Object.assign(config.targets.get('web-1') ?? {}, { hostKey: 'x' })).toThrow(TypeError);
  const targets: object = config.targets;
  expect(() => (targets as Map<string, unknown>).delete('web-1')).toThrow('read-only');
  expect(() => (targets as Map<string, unknown>).set('web-2', {})).toThrow('read-only');
  expect(config.targets.size).toBe(1);
});
