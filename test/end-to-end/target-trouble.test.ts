import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dbclient, plink, sftp, ssh, sshArguments } from '../support/clients.ts';
import { makeKey } from '../support/keys.ts';
import { onlySession, recordingOf } from '../support/recordings.ts';
import { ended, plainEnvironment, startProgram } from '../support/run.ts';
import { makePasswordUser, startTargetHost, type TargetHost } from '../support/sshd.ts';
import { portOf, serveTcp } from '../support/tcp-server.ts';
import { Belongings } from '../support/temp.ts';
import { freePort } from '../support/wait.ts';
import { openWorld, type World, webTarget } from '../support/world.ts';

const belongings = new Belongings();
let world: World;
let changing: TargetHost;
let dying: TargetHost;

beforeAll(async () => {
  const silent = await serveTcp(belongings, (socket) => socket.resume());
  const hangsUp = await serveTcp(belongings, (socket) => socket.destroy());
  const notSsh = await serveTcp(belongings, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const wrongKey = await makeKey(belongings.directory('wrong'), 'wrong');
  const user = await makePasswordUser(belongings);
  [changing, dying] = await Promise.all([startTargetHost(belongings), startTargetHost(belongings)]);
  const closed = await freePort();
  world = await openWorld(belongings, {
    agents: 20,
    targets: (host) => [
      { ...webTarget(host, 'password'), login: user.name, credential: { password: { env: 'TARGET_PASSWORD' } } },
      { ...webTarget(host, 'wrong-password'), login: user.name, credential: { password: { env: 'WRONG_PASSWORD' } } },
      { ...webTarget(host, 'wrong-key'), credential: { key: { file: wrongKey.path } } },
      { ...webTarget(host, 'refused'), address: `127.0.0.1:${closed}` },
      { ...webTarget(host, 'silent'), address: `127.0.0.1:${portOf(silent)}` },
      { ...webTarget(host, 'hangs-up'), address: `127.0.0.1:${portOf(hangsUp)}` },
      { ...webTarget(host, 'not-ssh'), address: `127.0.0.1:${portOf(notSsh)}` },
      webTarget(changing, 'changing'),
      webTarget(dying, 'dying'),
    ],
    configuration: { limits: { connect: '4s' } },
    gateway: { env: { TARGET_PASSWORD: user.password, WRONG_PASSWORD: 'not the password' } },
  });
}, 240_000);
afterAll(() => belongings.release());

describe.concurrent('a target', () => {
  it('1 may want a password, which the agent never sees', async () => {
    const route = world.agent('password');
    const done = await ssh(route, 'id -un; cat', { input: 'hello\n' });
    expect(done.stdout.toString()).toMatch(/^sally[0-9a-f]{8}\nhello\n$/);
    expect(done.status).toBe(0);
  });

  for (const [target, code, words] of [
    ['refused', 'TARGET_UNREACHABLE', /reached|refused/i],
    ['silent', 'TARGET_TIMEOUT', /4 s/],
    ['hangs-up', 'TARGET_LOST', /hangs-up/],
    ['not-ssh', 'TARGET_LOST', /not-ssh/],
    ['wrong-password', 'TARGET_LOGIN_REFUSED', /refused/],
    ['wrong-key', 'TARGET_LOGIN_REFUSED', /refused/],
  ] as const) {
    it(`36 that fails (${target}) is told of in words, with an exit status that is not 0`, async () => {
      const route = world.agent(target);
      const done = await ssh(route, 'echo in', { timeoutMs: 60_000 });
      expect(done.status).toBe(255);
      expect(done.stdout).toHaveLength(0);
      expect(done.stderr).toContain(target);
      expect(done.stderr).toMatch(words);
      expect(done.stderr).not.toContain('not the password');
      const session = await onlySession(world.gateway.data, route.principal);
      expect(session).toMatchObject({ state: 'closed', target });
      expect(world.gateway.log()).toContain(code);
    });
  }

  it('36 that fails is told of to every client', async () => {
    for (const client of [plink, dbclient]) {
      const done = await client(world.agent('refused'), 'echo in');
      expect(done.status).not.toBe(0);
      expect(done.stderr).toContain('sallyport: refused (127.0.0.1:');
    }
    const files = await sftp(world.agent('refused'), ['ls']);
    expect(files.status).not.toBe(0);
    expect(files.stderr).toContain('sallyport: refused (127.0.0.1:');
  });

  it('35 with a changed host key is not connected to, and the remedy is said', async () => {
    const route = world.agent('changing');
    expect((await ssh(route, 'echo in')).stdout.toString()).toBe('in\n');
    await changing.stop();
    const other = await makeKey(belongings.directory('other-host-key'), 'other');
    await changing.start(other);
    const again = world.agent('changing');
    const done = await ssh(again, 'echo in');
    expect(done.status).toBe(255);
    expect(done.stdout).toHaveLength(0);
    expect(done.stderr).toContain(other.fingerprint);
    expect(done.stderr).toContain('host-key');
    expect(changing.log().match(/Accepted publickey/g)).toHaveLength(1);
    await onlySession(world.gateway.data, again.principal);
  });

  it('36 that goes away in the middle of a session ends it, and what was seen is recorded', async () => {
    const route = world.agent('dying');
    const child = startProgram('ssh', [...sshArguments(route), 'echo before; cat'], {
      env: plainEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    belongings.add(() => void child.kill('SIGKILL'));
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    // The program may be gone before its last words have been read.
    const closed = once(child, 'close');
    const [seen] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer];
    expect(seen.toString()).toBe('before\n');
    await dying.stop();
    expect((await ended(child)).status).not.toBe(0);
    await closed;
    expect(said).not.toBe('');
    const session = await onlySession(world.gateway.data, route.principal);
    expect(session.reason).toMatch(/dying|target|lost|closed/i);
    expect((await recordingOf(world.gateway.data, session.id)).bytes('o').toString()).toContain('before\n');
  });
});
