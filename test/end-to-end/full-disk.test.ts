import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../gateway/store/database.ts';
import { type Route, ssh, sshArguments } from '../support/clients.ts';
import { sallyport } from '../support/gateway.ts';
import { onlyRecording, onlySession, sessionsOf } from '../support/recordings.ts';
import { recordedAs } from '../support/records.ts';
import { ended, plainEnvironment, startProgram } from '../support/run.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
const MiB = 1024 * 1024;
const RESERVE = 16 * MiB;
let disk: SmallDisk;
let world: World;

beforeAll(async () => {
  disk = await mountSmallDisk(belongings, 128 * MiB);
  world = await openWorld(belongings, {
    agents: 16,
    configuration: { recording: { reserve: '16MiB' } },
    gateway: { data: join(disk.path, 'data') },
  });
}, 240_000);
// A test that fails must not leave the next one without space.
afterEach(() => disk.empty());
afterAll(() => belongings.release());

describe('a disk that fills up', () => {
  it('85 below the reserve, takes no new session, says why, and leaves the running ones alone', async () => {
    const running = world.agent();
    const client = talker(running, 'cat');
    client.type('before\n');
    await client.shows('before\n');
    await disk.fillUpTo(RESERVE - 4 * MiB);
    const refused = world.agent();
    const done = await until('new sessions are refused', async () => {
      const tried = await ssh(refused, 'echo in');
      // A session that was let in just before has its channel refused instead, which ssh tells at a lower log level.
      return tried.status === 0 || tried.stderr === '' ? undefined : tried;
    });
    expect(done.stdout).toHaveLength(0);
    expect(done.stderr, `exit status ${done.status}`).toMatch(/disk|space/);
    const record = await recordedAs(world.gateway.data, 'session.refused', (each) => each.actor.principal === refused.principal);
    expect(record.body.code).toBe('DISK_LOW');
    client.type('after\n');
    await client.shows('before\nafter\n');
    client.end();
    await client.ended;
    expect((await onlyRecording(world.gateway.data, running.principal)).bytes('o').toString()).toBe('before\nafter\n');
    disk.empty();
    await serves();
  });

  it('85 below half of it, ends running sessions in order', async () => {
    const route = world.agent();
    const client = talker(route, 'n=0; while :; do n=$((n+1)); echo "line $n"; sleep 0.01; done');
    await client.shows('line 20\n');
    await disk.fillUpTo(RESERVE / 2 - 2 * MiB);
    await client.ended;
    expect(client.said()).toMatch(/disk|space/);
    disk.empty();
    await serves();
    const session = await onlySession(world.gateway.data, route.principal);
    expect(session.reason).toMatch(/disk|space/);
    expect((await onlyRecording(world.gateway.data, route.principal)).bytes('o').equals(client.seen())).toBe(true);
  });

  it('85 when nothing more can be written, delivers nothing that is not recorded, and recovers by itself', {
    timeout: 240_000,
  }, async () => {
    const routes = [world.agent(), world.agent(), world.agent()] as const;
    const commands = ['seq 1 1000000000', 'openssl enc -aes-128-ctr -K 00 -iv 00 -in /dev/zero 2>/dev/null | base64', 'cat'];
    const clients = routes.map((route, index) => talker(route, commands[index] as string));
    clients[2]?.type('hello\n');
    await clients[0]?.shows('\n1000\n');
    await clients[2]?.shows('hello\n');
    disk.fillToTheBrim();
    const typing = setInterval(() => clients[2]?.type('typed into nothing\n'), 5);
    await Promise.all(clients.map((client) => client.ended));
    clearInterval(typing);
    await world.gateway.logged('failed write', (line) => line.code === 'RECORDING_FAILED');
    const refused = await ssh(world.agent(), 'echo in');
    expect(refused.status).not.toBe(0);
    expect(refused.stdout).toHaveLength(0);
    // Reading needs no free space.
    expect(await sessionsOf(world.gateway.data, routes[0].principal)).toHaveLength(1);

    disk.empty();
    await serves();
    for (const [index, route] of routes.entries()) {
      const recording = await onlyRecording(world.gateway.data, route.principal);
      const recorded = recording.bytes('o');
      const seen = clients[index]?.seen() as Buffer;
      expect(recorded.length, commands[index]).toBeGreaterThanOrEqual(seen.length);
      expect(recorded.subarray(0, seen.length).equals(seen), commands[index]).toBe(true);
    }
  });

  it('86 is told by verify, which finds nothing wrong', async () => {
    // A channel is closed when its last segment is sealed, which may be later than its session ends.
    await until('every channel is closed', async () => ((await openChannels(world.gateway.data)) === 0 ? true : undefined));
    const { status, stdout } = await sallyport(['verify', '--data', world.gateway.data]);
    expect(status, stdout.toString()).toBe(0);
    expect(stdout.toString()).toMatch(/low-disk .*new sessions were refused/);
    expect(stdout.toString()).toMatch(/low-disk .*The session was ended because the disk was almost full/);
  });
});

async function openChannels(data: string): Promise<number> {
  const database = await Database.openForReading(data);
  try {
    return (await database.channels.open()).length;
  } finally {
    await database.close();
  }
}

/** There is service again, without a restart. */
async function serves(): Promise<void> {
  const route = world.agent();
  await until('the gateway serves again', async () => ((await ssh(route, 'echo in')).stdout.toString() === 'in\n' ? true : undefined), {
    withinMs: 60_000,
    everyMs: 300,
  });
}

interface Talker {
  type(text: string): void;
  end(): void;
  shows(text: string): Promise<void>;
  seen(): Buffer;
  said(): string;
  ended: Promise<unknown>;
}

function talker(route: Route, command: string): Talker {
  const child = startProgram('ssh', [...sshArguments(route), command], { env: plainEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
  belongings.add(() => void child.kill('SIGKILL'));
  const chunks: Buffer[] = [];
  let length = 0;
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdin?.on('error', () => undefined); // the session may be over before the typist notices
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    type: (text) => void child.stdin?.write(text),
    end: () => void child.stdin?.end(),
    shows: async (text) => {
      await until(
        `the client shows ${JSON.stringify(text)}`,
        () => (length < 10 * MiB && Buffer.concat(chunks).includes(text) ? true : undefined),
        { everyMs: 10 },
      );
    },
    seen: () => Buffer.concat(chunks),
    said: () => said,
    ended: Promise.all([ended(child), closed]),
  };
}
