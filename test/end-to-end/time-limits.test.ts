import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ssh, sshArguments } from '../support/clients.ts';
import { onlyRecording, onlySession } from '../support/recordings.ts';
import { ended, plainEnvironment, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World, webTarget } from '../support/world.ts';

const belongings = new Belongings();
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, {
    agents: 8,
    targets: (host) => [{ ...webTarget(host, 'impatient'), idle: '6s' }],
    configuration: { limits: { 'keep-alive': '2s' } },
  });
}, 240_000);
afterAll(() => belongings.release());

describe.concurrent('time', () => {
  it('37 ends a session in which nothing happens, and says so', async () => {
    const route = world.agent('impatient');
    const start = performance.now();
    const done = await ssh(route, 'echo up; sleep 100');
    const seconds = (performance.now() - start) / 1000;
    expect(seconds).toBeGreaterThan(5.8);
    expect(seconds).toBeLessThan(60);
    expect(done.status).not.toBe(0);
    expect(done.stdout.toString()).toBe('up\n');
    expect(done.stderr).toMatch(/idle|nothing|no activity/i);
    expect((await onlySession(world.gateway.data, route.principal)).reason).toMatch(/idle|nothing|no activity/i);
  });

  it('37 keeps a session in which something happens', async () => {
    const route = world.agent('impatient');
    const done = await ssh(route, 'for n in 1 2 3 4 5 6 7; do sleep 1; echo $n; done');
    expect(done.status).toBe(0);
    expect(done.stdout.toString()).toBe('1\n2\n3\n4\n5\n6\n7\n');
  });

  it('37 is not fooled into activity by keep-alives', async () => {
    const route = world.agent('impatient');
    const done = await ssh(route, 'sleep 100', { flags: ['-o', 'ServerAliveInterval=1'] });
    expect(done.status).not.toBe(0);
    await onlySession(world.gateway.data, route.principal);
  });

  it("37 answers a client's keep-alives", async () => {
    const route = world.agent();
    // Without answers it would give up after six seconds.
    const done = await ssh(route, 'sleep 8; echo still here', { flags: ['-o', 'ServerAliveInterval=2', '-o', 'ServerAliveCountMax=2'] });
    expect(done.stdout.toString()).toBe('still here\n');
  });

  it('37 notices a client that vanished without a word, and closes the recording', async () => {
    const route = world.agent();
    const hole = await blackHole(world.gateway.host, world.gateway.port);
    const child = startProgram(
      'ssh',
      [
        ...sshArguments({ ...route, port: hole.port }, ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null']),
        'echo up; cat',
      ],
      {
        env: plainEnvironment(),
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    belongings.add(() => void child.kill('SIGKILL'));
    await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
    hole.swallow();
    const session = await onlySession(world.gateway.data, route.principal);
    expect(session.state).toBe('closed');
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.bytes('o').toString()).toBe('up\n');
    child.kill('SIGKILL');
    await ended(child);
  });
});

/** Passes bytes on until it is told to swallow them, without closing anything: a network that went away. */
async function blackHole(host: string, port: number): Promise<{ port: number; swallow: () => void }> {
  let swallowing = false;
  const server = createServer((inner) => {
    const outer = connect({ host, port });
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      from.on('data', (chunk) => {
        if (!swallowing) to.write(chunk);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        if (!swallowing) to.destroy();
      });
    }
    belongings.add(() => {
      inner.destroy();
      outer.destroy();
    });
  }).listen(0, '127.0.0.1');
  belongings.add(() => void server.close());
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, swallow: () => (swallowing = true) };
}
