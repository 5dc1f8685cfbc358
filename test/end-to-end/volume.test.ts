import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { difference } from '../support/cast.ts';
import { ssh } from '../support/clients.ts';
import { KnownBytes } from '../support/known-bytes.ts';
import { forgetPeak, processFacts } from '../support/processes.ts';
import { onlyRecording, recordingOf, sessionsOf } from '../support/recordings.ts';
import { Belongings } from '../support/temp.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
const MB = 1_000_000;
const MiB = 1024 * 1024;
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, { agents: 12, host: { settings: ['RekeyLimit 20M'] }, gateway: { tellsHeld: true } });
}, 240_000);
afterAll(() => belongings.release());

describe('much data', () => {
  it('23 carries 600 MB out and 600 MB in with flat memory, all of it accounted for', { timeout: 240_000 }, async () => {
    const route = world.agent();
    await ssh(route, 'head -c 20000000 /dev/zero', { onStdout: () => undefined });
    const before = processFacts(world.gateway.pid).resident;
    const held = await world.gateway.held();

    forgetPeak(world.gateway.pid);
    const received = createHash('sha256');
    const out = await ssh(route, new KnownBytes(600 * MB).command, { onStdout: (chunk) => received.update(chunk), timeoutMs: 200_000 });
    expect(out.status, out.stderr).toBe(0);
    const growthOut = processFacts(world.gateway.pid).residentPeak - before;

    forgetPeak(world.gateway.pid);
    const sent = await ssh(route, 'sha256sum', { input: new KnownBytes(600 * MB).stream(), timeoutMs: 200_000 });
    expect(sent.status, sent.stderr).toBe(0);
    const growthIn = processFacts(world.gateway.pid).residentPeak - before;

    const expected = createHash('sha256');
    for (const chunk of new KnownBytes(600 * MB).take(600 * MB)) expected.update(chunk);
    const digest = expected.digest('hex');
    expect(received.digest('hex')).toBe(digest);
    expect(sent.stdout.toString()).toBe(`${digest}  -\n`);

    const [, first, second] = await sessionsOf(world.gateway.data, route.principal);
    const outwards = await recordingOf(world.gateway.data, first?.id as string);
    expect(difference(outwards.pieces.o, new KnownBytes(600 * MB))).toBeUndefined();
    const inwards = await recordingOf(world.gateway.data, second?.id as string);
    expect(difference(inwards.pieces.i, new KnownBytes(600 * MB))).toBeUndefined();

    // A sealer works on a stretch of 4 MiB at a time, and sockets hold little. Beside that lies as much garbage as the
    // collector leaves, of three threads: far less than what went through.
    expect(growthOut / MiB).toBeLessThan(400);
    expect(growthIn / MiB).toBeLessThan(400);
    expect(((await world.gateway.held()) - held) / MiB).toBeLessThan(16);
  });

  it('23 carries much text exactly', async () => {
    const route = world.agent();
    const done = await ssh(route, 'seq 1 3000000');
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(done.stdout.length).toBe(22_888_896);
    expect(recording.bytes('o').equals(done.stdout)).toBe(true);
  });

  for (const [promise, flags] of [
    ['by volume', ['-o', 'RekeyLimit=1M']],
    ['by time', ['-o', 'RekeyLimit=default 1s']],
  ] as const) {
    it(`38 keeps going while the client re-keys ${promise}`, async () => {
      const route = world.agent();
      const done = await throughWhileSlow(world, route, flags);
      expect(done.kexes).toBeGreaterThan(2);
    });
  }
});

describe('re-keying by the gateway', () => {
  it('38 happens by volume and by time, in the middle of traffic', async () => {
    const apart = await openWorld(belongings, { agents: 4, configuration: { ssh: { 'rekey-bytes': '1MiB', 'rekey-after': '1s' } } });
    const route = apart.agent();
    const done = await throughWhileSlow(apart, route, []);
    expect(done.kexes).toBeGreaterThan(2);
    const recording = await onlyRecording(apart.gateway.data, route.principal);
    expect(recording.row.exit).toEqual({ status: 0 });
    // Quiet for longer than the time between two keys, in both directions.
    const quiet = apart.agent();
    const slow = await ssh(quiet, 'for n in 1 2 3 4; do sleep 0.7; echo $n; done; cat', { input: 'end\n' });
    expect(slow.stdout.toString()).toBe('1\n2\n3\n4\nend\n');
  });
});

/** 12 MB through `cat`, in bursts over some seconds; tells how many key exchanges the client saw. */
async function throughWhileSlow(world: World, route: AgentRoute, flags: readonly string[]): Promise<{ kexes: number }> {
  const source = new KnownBytes(12 * MB);
  const received = createHash('sha256');
  async function* bursts(): AsyncIterable<Buffer> {
    let sent = 0;
    for (const chunk of source.take(source.length)) {
      yield chunk;
      sent += chunk.length;
      if (sent % (3 * MiB) < chunk.length) await new Promise((resolve) => setTimeout(resolve, 900));
    }
  }
  const done = await ssh(route, 'cat', {
    flags: [...flags, '-v', '-o', 'LogLevel=DEBUG1'],
    input: bursts(),
    onStdout: (chunk) => received.update(chunk),
  });
  expect(
    done.status,
    `${done.stderr}\n${JSON.stringify(await sessionsOf(world.gateway.data, route.principal))}\n${world.gateway.log()}`,
  ).toBe(0);
  const expected = createHash('sha256');
  for (const chunk of new KnownBytes(12 * MB).take(12 * MB)) expected.update(chunk);
  expect(received.digest('hex')).toBe(expected.digest('hex'));
  return { kexes: done.stderr.match(/SSH2_MSG_KEXINIT received/g)?.length ?? 0 };
}
