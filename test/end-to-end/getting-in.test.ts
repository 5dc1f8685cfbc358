import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dbclient, openSshOptions, paramiko, plink, type Route, ssh, sshArguments } from '../support/clients.ts';
import { type KeyPair, type KeyType, makeKey } from '../support/keys.ts';
import { endedSessions, onlySession, sessionsOf } from '../support/recordings.ts';
import { recordedAs } from '../support/records.ts';
import { ended, plainEnvironment, run, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { agentNames, openWorld, type World, webTarget } from '../support/world.ts';

const belongings = new Belongings();
const people = new Map<KeyType, KeyPair>();
let stranger: KeyPair;
let leaver: KeyPair;
let world: World;

beforeAll(async () => {
  const directory = belongings.directory('people');
  for (const type of ['ed25519', 'rsa', 'ecdsa'] as const) people.set(type, await makeKey(directory, type, type));
  [stranger, leaver] = await Promise.all([makeKey(directory, 'stranger'), makeKey(directory, 'leaver')]);
  world = await openWorld(belongings, {
    agents: 20,
    web: { allow: [...agentNames(20), { group: 'platform' }, 'leaver@example.com'] },
    targets: (host) => [{ ...webTarget(host, 'staging') }, { ...webTarget(host, 'vault'), allow: ['someone-else@example.com'] }],
    humans: [
      ...(['ed25519', 'rsa', 'ecdsa'] as const).map((type) => ({
        name: `${type}@example.com`,
        groups: ['platform'],
        'ssh-keys': [people.get(type)?.publicLine],
      })),
      { name: 'someone-else@example.com' },
      { name: 'leaver@example.com', 'ssh-keys': [leaver.publicLine], disabled: true },
    ],
    configuration: {
      limits: { 'sessions-per-principal': 4, lockout: { failures: 5, within: '30m', for: '30m' } },
    },
  });
}, 240_000);
afterAll(() => belongings.release());

/** A route that nobody else's failures lock out: each source address has a count of its own. */
function from(source: string, route: Route): { route: Route; flags: string[] } {
  return { route, flags: ['-o', `BindAddress=${source}`] };
}

describe.concurrent('getting in', () => {
  for (const type of ['ed25519', 'rsa', 'ecdsa'] as const) {
    it(`1 takes a key of type ${type} from every client`, async () => {
      const route = { ...world.agent(), key: people.get(type) as KeyPair };
      const clients = {
        ssh,
        plink,
        dbclient,
        paramiko: (to: Route, command: string) => paramiko(to, 'print(client.exec_command(args[0])[1].read().decode(), end="")', [command]),
      };
      for (const [name, client] of Object.entries(clients)) {
        const done = await client(route, 'echo in');
        expect(done.stdout.toString(), `${name}: ${done.stderr}`).toBe('in\n');
      }
      const sessions = await endedSessions(world.gateway.data, `${type}@example.com`, 4);
      expect(sessions).toHaveLength(4);
      expect(new Set(sessions.map((session) => `${session.target} ${session.protocol} ${session.principalKind}`))).toEqual(
        new Set(['web ssh human']),
      );
    });
  }

  it('1 says for whom an agent acts', async () => {
    const route = world.agent();
    expect((await ssh(route, 'true')).status).toBe(0);
    expect(await onlySession(world.gateway.data, route.principal)).toMatchObject({
      principalKind: 'agent',
      onBehalfOf: 'engineer@example.com',
      state: 'closed',
      target: 'web',
    });
  });

  it('2 refuses an unknown key, and records the refusal', async () => {
    const { route, flags } = from('127.0.0.2', { ...world.agent(), key: stranger });
    const done = await ssh(route, 'echo in', { flags });
    expect(done.status).toBe(255);
    expect(done.stdout).toHaveLength(0);
    expect(done.stderr).toContain('Permission denied');
    const record = await recordedAs(
      world.gateway.data,
      'auth.refused',
      (each) => each.body.key === stranger.fingerprint && each.actor.source.startsWith('127.0.0.2:'),
    );
    expect(record).toMatchObject({ outcome: 'denied', body: { protocol: 'ssh', method: 'publickey', user: 'web' } });
  });

  it('4 offers no method that it would refuse', async () => {
    const route = world.agent();
    const done = await ssh(route, 'true', { flags: ['-v', '-o', 'LogLevel=DEBUG1', '-o', 'PreferredAuthentications=none'] });
    expect(done.stderr.match(/Authentications that can continue: (.*)/)?.[1]?.trim()).toBe('publickey');
  });

  it('5 answers an unknown user and a wrong key alike', async () => {
    const base = { ...world.agent(), key: stranger };
    const tell = async (user: string): Promise<string> => {
      const { route, flags } = from('127.0.0.3', { ...base, user });
      const done = await ssh(route, 'true', { flags: [...flags, '-vvv', '-o', 'LogLevel=DEBUG3'] });
      return done.stderr
        .split('\n')
        .filter((line) => /receive packet|Authentications that can continue|Permission denied|Server host key/.test(line))
        .join('\n')
        .replaceAll(user, 'USER');
    };
    const known = await tell('web');
    expect(known).toContain('Permission denied (publickey)');
    expect(await tell('nothing-of-that-name')).toBe(known);
    expect(await tell('vault')).toBe(known);
  });

  it('6 locks out a source that fails too often, and no other', async () => {
    const base = { ...world.agent(), key: stranger };
    const { route, flags } = from('127.0.0.4', base);
    for (let attempt = 0; attempt < 5; attempt += 1) expect((await ssh(route, 'true', { flags })).status).toBe(255);
    // Now even the right key does not get in from there, and nobody is told why.
    const right = world.agent();
    const locked = await ssh(right, 'echo in', { flags });
    expect(locked.status).toBe(255);
    expect(locked.stdout).toHaveLength(0);
    expect(await sessionsOf(world.gateway.data, right.principal)).toHaveLength(0);
    expect((await ssh(right, 'echo in')).stdout.toString()).toBe('in\n');
  });

  it('6 ends a connection after too many keys', async () => {
    const agentless = world.agent();
    const directory = belongings.directory('many-keys');
    const keys = await Promise.all(Array.from({ length: 8 }, (_, index) => makeKey(directory, `key-${index}`)));
    const { route } = from('127.0.0.5', agentless);
    const flags = ['-o', 'BindAddress=127.0.0.5', '-v', '-o', 'LogLevel=DEBUG1', ...keys.flatMap((key) => ['-i', key.path])];
    const done = await run('ssh', [
      ...openSshOptions({ ...route, key: keys[0] as KeyPair }, flags),
      '-p',
      String(route.port),
      '-l',
      'web',
      route.host,
      'true',
    ]);
    expect(done.status).toBe(255);
    expect(done.stderr.match(/Offering public key/g)?.length ?? 0).toBeLessThanOrEqual(7);
  });

  it('7 names the targets that one may see when the wanted one is unknown', async () => {
    const route = world.agent('no-such-target');
    const done = await ssh(route, 'echo in');
    expect(done.status).not.toBe(0);
    expect(done.stdout).toHaveLength(0);
    expect(done.stderr).toMatch(/no-such-target/);
    expect(done.stderr).toMatch(/web/);
    expect(done.stderr).toMatch(/staging/);
    expect(done.stderr).not.toMatch(/vault/);
    const record = await recordedAs(world.gateway.data, 'session.refused', (each) => each.actor.principal === route.principal);
    expect(record.body).toMatchObject({ code: 'TARGET_UNKNOWN', requested: expect.stringContaining('no-such-target') });
  });

  it('8 denies a target that the policy does not allow, and records it', async () => {
    const route = world.agent('vault');
    const done = await ssh(route, 'echo in');
    expect(done.status).not.toBe(0);
    expect(done.stdout).toHaveLength(0);
    expect(done.stderr).not.toBe('');
    const record = await recordedAs(world.gateway.data, 'session.refused', (each) => each.actor.principal === route.principal);
    expect(record.outcome).toBe('denied');
  });

  it('9 does not let a disabled principal in', async () => {
    const { route, flags } = from('127.0.0.6', { ...world.agent(), key: leaver });
    const done = await ssh(route, 'echo in', { flags });
    expect(done.status).toBe(255);
    expect(done.stderr).toContain('Permission denied');
    const record = await recordedAs(world.gateway.data, 'auth.refused', (each) => each.body.key === leaver.fingerprint);
    expect(record.body.user).toBe('web');
  });

  it('10 holds a principal to the greatest number of sessions, and lets go of ended ones', async () => {
    const route = world.agent();
    const holders = [0, 1, 2, 3].map(() =>
      startProgram('ssh', [...sshArguments(route), 'cat'], { env: plainEnvironment(), stdio: ['pipe', 'pipe', 'ignore'] }),
    );
    for (const holder of holders) belongings.add(() => void holder.kill('SIGKILL'));
    for (const holder of holders) {
      holder.stdin?.write('held\n');
      await new Promise((resolve) => holder.stdout?.once('data', resolve));
    }
    const refused = await ssh(route, 'echo in');
    expect(refused.status).not.toBe(0);
    expect(refused.stdout).toHaveLength(0);
    expect(refused.stderr).toContain('4 sessions');
    const record = await recordedAs(world.gateway.data, 'session.refused', (each) => each.actor.principal === route.principal);
    expect(record.body.code).toBe('TOO_MANY_SESSIONS');
    holders[0]?.stdin?.end();
    await ended(holders[0] as NonNullable<(typeof holders)[0]>);
    await until('there is room for a session again', async () =>
      (await ssh(route, 'echo in')).stdout.toString() === 'in\n' ? true : undefined,
    );
    for (const holder of holders) holder.kill();
    await Promise.all(holders.map(ended));
  });

  it('10 does not count sessions whose client has gone, however fast they follow', async () => {
    const route = world.agent();
    for (let session = 0; session < 8; session += 1) expect((await ssh(route, `echo ${session}`)).stdout.toString()).toBe(`${session}\n`);
  });
});
