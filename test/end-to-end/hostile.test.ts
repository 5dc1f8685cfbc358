import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paramiko, ssh } from '../support/clients.ts';
import { indexed } from '../support/indexed.ts';
import { descendants, killIfThere, processFacts } from '../support/processes.ts';
import { endedSessions, onlyRecording } from '../support/recordings.ts';
import { ended, plainEnvironment, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { type AgentRoute, openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
const MiB = 1024 * 1024;
const HANDSHAKE_SECONDS = 5;
const HANDSHAKE_DEFAULT = 20;
let world: World;
let regular: AgentRoute;
beforeAll(async () => {
  world = await openWorld(belongings, {
    agents: 12,
    configuration: { limits: { handshake: `${HANDSHAKE_SECONDS}s` } },
    gateway: { openFiles: 15_000, tellsHeld: true },
  });
  // What is loaded on first use is not what these tests are about.
  regular = world.agent();
  await stillServes();
  await indexed(world.gateway.data);
}, 240_000);
afterAll(() => belongings.release());

describe('strangers', () => {
  it('13 who knock and leave cost nothing', async () => {
    const before = await gatewayFacts();
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const socket = await stranger();
          if (index % 3 === 0) socket.resetAndDestroy();
          else socket.destroy();
        }),
      );
    }
    await stillServes();
    await filesClosed(before.openFiles);
    expect(await grownSince(before)).toBeLessThan(8);
  });

  for (const [who, speak] of [
    ['say nothing', async () => undefined],
    ['never end their greeting', (socket) => drip(socket, Buffer.from(`SSH-2.0-${'x'.repeat(200)}`))],
    ['greet and then fall silent', (socket) => void socket.write('SSH-2.0-scanner\r\n')],
    [
      'stop in the middle of the key exchange',
      (socket) =>
        void socket.write(Buffer.concat([Buffer.from('SSH-2.0-scanner\r\n'), Buffer.from('0000010c0a14', 'hex'), randomBytes(16)])),
    ],
    [
      'announce a packet of 4 GiB',
      (socket) => void socket.write(Buffer.concat([Buffer.from('SSH-2.0-scanner\r\n'), Buffer.from('fffffffc0a14', 'hex')])),
    ],
    ['speak HTTP', (socket) => void socket.write('GET / HTTP/1.1\r\nHost: gateway\r\n\r\n')],
    ['send random bytes', (socket) => void socket.write(randomBytes(100_000))],
    [
      'send random bytes after a greeting',
      (socket) => void socket.write(Buffer.concat([Buffer.from('SSH-2.0-scanner\r\n'), randomBytes(100_000)])),
    ],
    ['send a greeting without end', (socket) => flood(socket)],
  ] as [string, (socket: Socket) => Promise<void> | void][]) {
    it(`13 who ${who} are sent away in time`, async () => {
      const before = await gatewayFacts();
      const start = performance.now();
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const socket = await stranger();
          const closed = once(socket, 'close');
          await speak(socket);
          await closed;
        }),
      );
      // Sooner than without the setting, which is what a busy machine has room for.
      expect((performance.now() - start) / 1000).toBeLessThan(HANDSHAKE_DEFAULT - 2);
      await stillServes();
      await filesClosed(before.openFiles);
      expect(await grownSince(before)).toBeLessThan(8);
    });
  }

  it('13 who come 10,000 at a time keep nobody out', { timeout: 240_000 }, async () => {
    const before = await gatewayFacts();
    const program = join(fileURLToPath(new URL('.', import.meta.url)), '../support/silent-crowd.ts');
    const crowd = startProgram(
      'prlimit',
      ['--nofile=15000:15000', process.execPath, program, world.gateway.host, String(world.gateway.port), '10000', '127.0.0.9'],
      {
        env: plainEnvironment(),
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    belongings.add(() => void crowd.kill('SIGKILL'));
    const tried = once(crowd.stdout as NonNullable<typeof crowd.stdout>, 'data') as Promise<[Buffer]>;
    const meanwhile = world.agent();
    const during = await ssh(meanwhile, 'echo in');
    const [opened] = await tried;
    expect(Number(opened.toString())).toBeGreaterThan(0);
    const after = await ssh(meanwhile, 'echo in');
    expect(during.stdout.toString(), during.stderr).toBe('in\n');
    expect(after.stdout.toString(), after.stderr).toBe('in\n');
    expect(await grownSince(before)).toBeLessThan(16);
    crowd.stdin?.end();
    await ended(crowd);
    await filesClosed(before.openFiles);
    await endedSessions(world.gateway.data, meanwhile.principal, 2);
  });
});

describe('clients', () => {
  it('23 who open a window of 1 GB and never read do not fill the memory', { timeout: 240_000 }, async () => {
    const route = world.agent();
    const before = await gatewayFacts();
    const self = process.pid;
    const known = new Set(descendants(self));
    const stuck = paramiko(route, neverReads);
    const python = await until('the client has stopped reading', () => descendants(self).find((pid) => !known.has(pid) && isStopped(pid)));
    // Nothing announces that memory does not grow: this is how long the target gets to flood.
    await delay(4000);
    const growth = await grownSince(before);
    await stillServes();
    killIfThere(python);
    await stuck;
    expect(growth).toBeLessThan(16);
    await onlyRecording(world.gateway.data, route.principal);
  });

  it('23 who send without end to a target that does not read do not fill the memory', { timeout: 240_000 }, async () => {
    const route = world.agent();
    const before = await gatewayFacts();
    const zeros = Buffer.alloc(64 * 1024);
    async function* endless(): AsyncIterable<Buffer> {
      for (;;) yield zeros;
    }
    const enough = join(belongings.directory('enough'), 'enough');
    const sending = ssh(route, `while [ ! -e ${enough} ]; do sleep 0.1; done; exit 6`, { input: endless() });
    // Nothing announces that memory does not grow: this is how long the client gets to send.
    await delay(3000);
    const growth = await grownSince(before);
    writeFileSync(enough, '');
    expect((await sending).status).toBe(6);
    expect(growth).toBeLessThan(16);
    await onlyRecording(world.gateway.data, route.principal);
  });
});

async function stranger(): Promise<Socket> {
  const socket = connect({ host: world.gateway.host, port: world.gateway.port, localAddress: '127.0.0.8' });
  socket.on('error', () => socket.destroy());
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

async function drip(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    if (socket.destroyed) return;
    socket.write(Buffer.from([byte]));
    await delay(50);
  }
}

async function flood(socket: Socket): Promise<void> {
  const line = Buffer.alloc(64 * 1024, 'a');
  while (!socket.destroyed) {
    if (!socket.write(line)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
  }
}

interface GatewayFacts {
  held: number;
  openFiles: number;
}

async function gatewayFacts(): Promise<GatewayFacts> {
  return { held: await world.gateway.held(), openFiles: processFacts(world.gateway.pid).openFiles };
}

/** In MiB. */
async function grownSince({ held }: GatewayFacts): Promise<number> {
  return ((await world.gateway.held()) - held) / MiB;
}

async function stillServes(): Promise<void> {
  const served = await ssh(regular, 'echo in');
  expect(served.stdout.toString(), served.stderr).toBe('in\n');
}

/** The gateway lets go of every file and socket above what it had. */
async function filesClosed(before: number): Promise<void> {
  await until(`the gateway has no more than ${before} files open`, () =>
    processFacts(world.gateway.pid).openFiles <= before ? true : undefined,
  );
}

function isStopped(pid: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false; // it ended meanwhile
  }
}

/** Offers a window of 1 GB, starts a flood and stops itself: from then on not even the socket is read. */
const neverReads = `
import os, signal
channel = transport.open_session(window_size=2**30, max_packet_size=2**15)
channel.exec_command('cat /dev/zero')
channel.recv(1)
os.kill(os.getpid(), signal.SIGSTOP)
`;
