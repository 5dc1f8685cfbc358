import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Route, ssh, sshArguments } from '../support/clients.ts';
import { indexed } from '../support/indexed.ts';
import { processFacts } from '../support/processes.ts';
import { channelsOf, endedSessions, onlySession, recordingOf, sessionsOf } from '../support/recordings.ts';
import { ended, plainEnvironment, run, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, { agents: 8, gateway: { tellsHeld: true } });
}, 240_000);
afterAll(() => belongings.release());

describe('many at once', () => {
  it('34 carries ten channels at once over one connection, each with its own recording', async () => {
    const route = world.agent();
    const master = await controlMaster(route);
    const outputs = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        ssh(route, `cat; for n in $(seq 200); do echo "${index}: $n"; done; exit ${index}`, {
          flags: master.flags,
          input: `input of ${index}\n`,
        }),
      ),
    );
    await master.stop();
    const lines = (index: number) => `input of ${index}\n${Array.from({ length: 200 }, (_, n) => `${index}: ${n + 1}\n`).join('')}`;
    outputs.forEach((done, index) => {
      expect(done.status, done.stderr).toBe(index);
      expect(done.stdout.toString()).toBe(lines(index));
    });
    const session = await onlySession(world.gateway.data, route.principal);
    expect(session.channels).toBe(10);
    const channels = await channelsOf(world.gateway.data, session.id);
    await Promise.all(
      channels.map(async ({ channel }) => {
        const recording = await recordingOf(world.gateway.data, session.id, channel);
        const index = recording.row.exit?.status ?? -1;
        expect(recording.bytes('o').toString()).toBe(lines(index));
        expect(recording.bytes('i').toString()).toBe(`input of ${index}\n`);
      }),
    );
    expect(new Set(channels.map((channel) => channel.exit?.status)).size).toBe(10);
  });

  it('34 is fair: a channel that floods does not stop another one', async () => {
    const route = world.agent();
    const master = await controlMaster(route);
    const enough = join(belongings.directory('enough'), 'enough');
    const command = `while [ ! -e ${enough} ]; do head -c 1000000 /dev/zero; done`;
    const received = Promise.withResolvers<void>();
    const flood = ssh(route, command, { flags: master.flags, onStdout: () => received.resolve() });
    await received.promise;
    // It goes on for as long as these take.
    for (let time = 0; time < 5; time += 1) expect((await ssh(route, 'echo ok', { flags: master.flags })).stdout.toString()).toBe('ok\n');
    writeFileSync(enough, '');
    expect((await flood).status).toBe(0);
    await master.stop();
  });

  it('41 leaks nothing over 1,000 short commands', { timeout: 300_000 }, async () => {
    const route = world.agent();
    const once = async (flags: readonly string[] = []) => {
      const done = await ssh(route, 'echo short', { flags });
      expect({ status: done.status, stdout: done.stdout.toString(), stderr: done.stderr }).toEqual({
        status: 0,
        stdout: 'short\n',
        stderr: '',
      });
    };
    // Warm-up: what is loaded and cached on first use is no leak, and a heap grows to its size.
    await many(50, () => once());
    const warming = await controlMaster(route);
    await many(250, () => once(warming.flags));
    await warming.stop();
    const before = await settled();
    await many(150, () => once());
    const master = await controlMaster(route);
    await many(850, () => once(master.flags));
    await master.stop();
    const sessions = await endedSessions(world.gateway.data, route.principal, 202);
    expect(sessions.reduce((sum, session) => sum + session.channels, 0)).toBe(50 + 250 + 150 + 850);
    const after = await settled(before.openFiles);
    expect(after.openFiles).toBeLessThanOrEqual(before.openFiles);
    expect((after.held - before.held) / 1024 / 1024).toBeLessThan(8);
    // Heaps grow to their size meanwhile, and the thread that indexes has its own.
    expect((after.resident - before.resident) / 1024 / 1024).toBeLessThan(250);
  });
});

/** Three at a time: enough to keep two cores busy. */
async function many(count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all([worker(), worker(), worker()]);
}

/** What the gateway holds when no session is left. */
async function settled(files?: number): Promise<{ openFiles: number; resident: number; held: number }> {
  await until('all sessions are over', async () => ((await allOver()) ? true : undefined), { everyMs: 300, withinMs: 120_000 });
  await indexed(world.gateway.data);
  if (files !== undefined)
    await until('files are closed', () => (processFacts(world.gateway.pid).openFiles <= files ? true : undefined)).catch(() => undefined);
  return { ...processFacts(world.gateway.pid), held: await world.gateway.held() };
}

async function allOver(): Promise<boolean> {
  const done = await Promise.all(['agent-1', 'agent-2', 'agent-3'].map((principal) => sessionsOf(world.gateway.data, principal)));
  return done.flat().every((session) => session.state !== 'live');
}

/** One connection that others share; `flags` make a client use it. */
async function controlMaster(route: Route): Promise<{ flags: string[]; stop: () => Promise<void> }> {
  const socket = join(belongings.directory('mux'), 's');
  const child = startProgram('ssh', sshArguments(route, ['-M', '-N', '-S', socket]), { env: plainEnvironment(), stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    child.kill();
    await ended(child);
  };
  belongings.add(stop);
  const flags = ['-S', socket, '-o', 'ControlMaster=no'];
  await until('the master connection is up', async () =>
    (await run('ssh', sshArguments(route, [...flags, '-O', 'check']))).status === 0 ? true : undefined,
  );
  return { flags, stop };
}
