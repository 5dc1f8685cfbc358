import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Route, ssh, sshArguments } from '../support/clients.ts';
import { channelsOf, onlySession, recordingOf } from '../support/recordings.ts';
import { recordedAs } from '../support/records.ts';
import { ended, plainEnvironment, run, startProgram } from '../support/run.ts';
import { portOf, serveTcp } from '../support/tcp-server.ts';
import { Belongings } from '../support/temp.ts';
import { freePort, isListened, until } from '../support/wait.ts';
import { openWorld, type World, webTarget } from '../support/world.ts';

const belongings = new Belongings();
const blob = randomBytes(300_007);
let world: World;
let echo: Server;
let greeter: Server;

beforeAll(async () => {
  world = await openWorld(belongings, {
    agents: 16,
    targets: (host) => [
      { ...webTarget(host, 'open'), forwarding: ['local', 'remote', 'agent'] },
      { ...webTarget(host, 'local-only'), forwarding: ['local'] },
    ],
  });
  echo = await serveTcp(belongings, (socket) => socket.pipe(socket));
  greeter = await serveTcp(belongings, (socket) => {
    socket.write('220 ready\r\n');
    socket.once('data', (data) => socket.end(`you said ${data}`));
  });
}, 240_000);
afterAll(() => belongings.release());

describe.concurrent('forwarding', () => {
  it('30 carries -L both ways where the target allows it, and records where to and how much', async () => {
    const route = world.agent('open');
    const port = await freePort();
    const stop = await forward(route, ['-L', `${port}:127.0.0.1:${portOf(echo)}`], port);
    expect((await exchange(port, blob)).equals(blob)).toBe(true);
    await stop();
    const recording = await recordingOf(world.gateway.data, (await onlySession(world.gateway.data, route.principal)).id, 0);
    expect(recording.row.kind).toBe('direct-tcpip');
    expect(JSON.stringify(recording.row.detail)).toContain(String(portOf(echo)));
    expect(recording.difference('i', blob)).toBeUndefined();
    expect(recording.difference('o', blob)).toBeUndefined();
  });

  it('30 carries -R both ways where the target allows it, and records it', async () => {
    const route = world.agent('open');
    const port = await freePort();
    const stop = await forward(route, ['-R', `${port}:127.0.0.1:${portOf(echo)}`], port);
    expect((await exchange(port, blob)).equals(blob)).toBe(true);
    await stop();
    const { id } = await onlySession(world.gateway.data, route.principal);
    const channel = (await channelsOf(world.gateway.data, id)).find((each) => each.kind === 'forwarded-tcpip');
    expect(channel).toBeDefined();
    const recording = await recordingOf(world.gateway.data, id, channel?.channel);
    // The target opened it: what it sent is its output, what the client answered is input.
    expect(recording.difference('o', blob)).toBeUndefined();
    expect(recording.difference('i', blob)).toBeUndefined();
  });

  it('30 carries -D where the target allows local forwarding', async () => {
    const route = world.agent('local-only');
    const port = await freePort();
    const stop = await forward(route, ['-D', String(port)], port);
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    socket.write(Buffer.from([5, 1, 0]));
    expect((await once(socket, 'data'))[0]).toEqual(Buffer.from([5, 0]));
    socket.write(Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, portOf(echo) >> 8, portOf(echo) & 255]));
    expect(((await once(socket, 'data'))[0] as Buffer)[1]).toBe(0);
    socket.write('through socks');
    expect(((await once(socket, 'data'))[0] as Buffer).toString()).toBe('through socks');
    socket.destroy();
    await stop();
  });

  for (const [flag, target] of [
    ['-L', 'web'],
    ['-D', 'web'],
    ['-R', 'web'],
    ['-R', 'local-only'],
  ] as const) {
    it(`30 refuses ${flag} unless the target allows it (${target})`, async () => {
      const route = world.agent(target);
      const port = await freePort();
      const argument = flag === '-D' ? String(port) : `${port}:127.0.0.1:${portOf(greeter)}`;
      if (flag === '-R') {
        const done = await ssh(route, 'echo not reached', { flags: [flag, argument, '-o', 'ExitOnForwardFailure=yes'] });
        expect(done.status).toBe(255);
        expect(done.stderr).toContain('remote port forwarding failed');
      } else {
        const stop = await forward(route, [flag, argument], port);
        const opening = flag === '-D' ? Buffer.from([5, 1, 0]) : Buffer.alloc(0);
        const connection = Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, portOf(greeter) >> 8, portOf(greeter) & 255]);
        const answer = await talk(port, flag === '-D' ? [opening, connection] : []);
        expect(answer.toString()).not.toContain('220 ready');
        await stop();
      }
      const decided = await recordedAs(
        world.gateway.data,
        'action.decided',
        (each) => each.actor.principal === route.principal && each.outcome === 'denied',
      );
      expect(decided.body.action).toBe('ssh:forward');
    });
  }

  it('30 goes on serving a session whose forwarding was refused', async () => {
    const route = world.agent();
    const done = await ssh(route, 'echo still here', { flags: ['-R', '0:127.0.0.1:1', '-L', `${await freePort()}:127.0.0.1:1`] });
    expect(done.stdout.toString()).toBe('still here\n');
    expect(done.status).toBe(0);
  });

  it('31 lets the server speak first through -L, eight at a time', async () => {
    const route = world.agent('open');
    const port = await freePort();
    const stop = await forward(route, ['-L', `${port}:127.0.0.1:${portOf(greeter)}`], port);
    const answers = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const socket = connect({ host: '127.0.0.1', port });
        const [greeting] = (await once(socket, 'data')) as [Buffer];
        expect(greeting.toString()).toBe('220 ready\r\n');
        socket.write(`hello ${index}`);
        const parts: Buffer[] = [];
        for await (const part of socket) parts.push(part as Buffer);
        return Buffer.concat(parts).toString();
      }),
    );
    expect(answers).toEqual(Array.from({ length: 8 }, (_, index) => `you said hello ${index}`));
    await stop();
    const { id } = await onlySession(world.gateway.data, route.principal);
    const channels = await channelsOf(world.gateway.data, id);
    expect(channels.filter((channel) => channel.kind === 'direct-tcpip' && channel.bytes.o > 0)).toHaveLength(8);
  });

  it('33 forwards the agent only when asked and allowed', async () => {
    const socket = `${belongings.directory('agent')}/socket`;
    const agent = startProgram('ssh-agent', ['-D', '-a', socket], { env: plainEnvironment(), stdio: 'ignore' });
    belongings.add(async () => {
      agent.kill();
      await ended(agent);
    });
    const env = plainEnvironment({ SSH_AUTH_SOCK: socket });
    await until('the agent answers', async () => ((await run('ssh-add', ['-l'], { env })).status === 1 ? true : undefined));
    await run('ssh-add', ['-q', world.direct.key.path], { env });
    const list = (route: Route, flags: string[]) => ssh(route, 'ssh-add -l', { flags: ['-o', `IdentityAgent=${socket}`, ...flags], env });
    const fingerprint = world.direct.key.fingerprint;
    const asked = world.agent('open');
    expect((await list(asked, ['-A'])).stdout.toString()).toContain(fingerprint);
    expect((await list(world.agent('open'), [])).stdout.toString()).not.toContain(fingerprint);
    const refused = world.agent('local-only');
    expect((await list(refused, ['-A'])).stdout.toString()).not.toContain(fingerprint);
    const { id } = await onlySession(world.gateway.data, asked.principal);
    expect((await channelsOf(world.gateway.data, id)).map((channel) => channel.kind)).toContain('auth-agent');
    await recordedAs(
      world.gateway.data,
      'action.decided',
      (each) => each.actor.principal === refused.principal && each.body.action === 'ssh:agent-forward' && each.outcome === 'denied',
    );
  });
});

/** Starts `ssh -N` with these forwards; gives what stops it. */
async function forward(route: Route, flags: string[], port: number): Promise<() => Promise<void>> {
  const child = startProgram('ssh', sshArguments(route, ['-N', '-o', 'ExitOnForwardFailure=yes', ...flags]), {
    env: plainEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = async (): Promise<void> => {
    child.kill();
    await ended(child);
  };
  belongings.add(stop);
  // listening() would itself open a forwarded connection, so what is looked at is the kernel's table.
  await until(`port ${port} is listened on`, () => (isListened(port) ? true : undefined), { everyMs: 20 });
  return stop;
}

/** Sends everything, then its end; gives everything that came back. */
async function exchange(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.end(bytes);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Sends one message after each answer; gives everything that came back until the other side ended. */
async function talk(port: number, messages: Buffer[]): Promise<Buffer> {
  const socket = connect({ host: '127.0.0.1', port });
  const parts: Buffer[] = [];
  const next = (): void => {
    const message = messages.shift();
    if (message !== undefined) socket.write(message);
  };
  socket.once('connect', next);
  socket.on('data', (part) => {
    parts.push(part);
    next();
  });
  socket.on('error', () => socket.destroy());
  await once(socket, 'close');
  return Buffer.concat(parts);
}
