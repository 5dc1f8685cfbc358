import type { Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import ssh2 from 'ssh2';
import { afterAll, describe, expect, it } from 'vitest';
import { FieldReader, MessageType, readChannelOpenFailure, writeMessage } from '../../../gateway/protocol/ssh/connection-messages.ts';
import { Ssh2Transport } from '../../../gateway/protocol/ssh/ssh2-transport.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import { data, openSession, PACKET, request } from './session-world.ts';
import {
  calm,
  keyPair,
  RawPeer,
  rawClient,
  rawServer,
  sshTarget,
  type TestGateway,
  type TestGatewayOptions,
  testGateway,
} from './support.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const openJump = (id: number, host: string, port: number, window = 2 * 1024 * 1024) =>
  writeMessage(MessageType.CHANNEL_OPEN, 'direct-tcpip', id, window, PACKET, host, port, '127.0.0.1', 1);

async function world(options: Partial<TestGatewayOptions> = {}) {
  const server = await rawServer(belongings);
  const gateway = await testGateway(belongings, { ...options, targets: [sshTarget(server)] });
  return { server, gateway };
}

function outer(gateway: TestGateway): Promise<RawPeer> {
  return rawClient(gateway, { username: 'somebody', privateKey: gateway.key });
}

describe('a connection that jumps', () => {
  it('is held back from end to end when its client stops reading, and loses nothing', async () => {
    const { server, gateway } = await world();
    const client = new ssh2.Client();
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve).once('error', reject);
      client.connect({ host: gateway.host, port: gateway.port, username: 'somebody', privateKey: gateway.key });
    });
    belongings.add(() => void client.destroy());
    const channel = await new Promise<ssh2.ClientChannel>((resolve, reject) => {
      client.forwardOut('127.0.0.1', 1, 'web', 22, (error, opened) => (error === undefined ? resolve(opened) : reject(error)));
    });
    const through = new ssh2.Client();
    through.connect({ sock: channel, username: 'root', privateKey: gateway.key, readyTimeout: 0 });
    const port = new Ssh2Transport(through, channel, calm);
    await new Promise<void>((resolve, reject) => {
      through.once('error', reject).once('ready', () => {
        port.activate();
        resolve();
      });
    });
    const inner = new RawPeer(port, channel as unknown as Socket, through);
    const target = await server.accepted();
    // A window without end, so that nothing but the way itself holds the target back.
    inner.send(openSession(7, 0xffff_ffff));
    await target.next(MessageType.CHANNEL_OPEN);
    target.send(writeMessage(MessageType.CHANNEL_OPEN_CONFIRMATION, 7, 70, 2 * 1024 * 1024, PACKET));
    await inner.next(MessageType.CHANNEL_OPEN_CONFIRMATION);
    port.pause();
    const total = 96 * 1024 * 1024;
    const piece = Buffer.alloc(PACKET, 'x');
    for (let bytes = 0; bytes < total; bytes += piece.length) target.send(data(7, piece));
    let before = -1;
    const taken = await until(
      'nothing moves any more',
      () => {
        const now = total - target.socket.writableLength;
        const still = now === before;
        before = now;
        return still ? now : undefined;
      },
      { everyMs: 250 },
    );
    // Windows, buffers of sockets and what the kernel holds of three loopback connections; nowhere near what was sent.
    expect(taken).toBeLessThan(32 * 1024 * 1024);
    port.resume();
    let received = 0;
    await inner.until('everything', () => {
      received += inner.messages
        .splice(0)
        .reduce((sum, message) => sum + (message[0] === MessageType.CHANNEL_DATA ? message.length - 9 : 0), 0);
      return received >= total ? true : undefined;
    });
    expect(received).toBe(total);
  });

  it('takes its connections with it when it goes', async () => {
    const { server, gateway } = await world();
    const client = await outer(gateway);
    const inner = await nested(client, gateway, 'root');
    const target = await server.accepted();
    expect(gateway.parts.live.size).toBe(1);
    client.socket.destroy();
    await target.ended;
    await gateway.parts.live.drain();
    expect(gateway.ledger.of('session.open')[0]?.body.via).toMatchObject({ principal: 'deploy-bot' });
    expect(gateway.ledger.of('session.close')).toHaveLength(1);
    inner.abort();
  });

  it('is let go when the gateway shuts down, although its time is not over', async () => {
    const { gateway } = await world({ limits: { handshake: 60 } });
    const client = await outer(gateway);
    await gateway.parts.live.drain();
    await client.ended;
    expect(gateway.ledger.of('session.refused')[0]?.body.requested).toBe('somebody');
  });

  it('guesses keys through a jump as it would without: its source is locked out', async () => {
    const { gateway } = await world({ lockout: { failures: 2 } });
    const client = await outer(gateway);
    for (const id of [1, 2]) {
      await expect(nested(client, { key: keyPair().private }, 'root', id)).rejects.toThrow(/authentication methods failed/i);
      await until('a record of it', () => gateway.ledger.of('auth.refused')[id - 1]);
    }
    expect(gateway.ledger.of('auth.refused').map(({ actor }) => actor.source)).toEqual(Array(2).fill(sourceOf(client)));
    client.send(openJump(3, 'web', 22));
    const closed = await client.until('the third is closed', () =>
      client.of(MessageType.CHANNEL_CLOSE).find((message) => message.readUInt32BE(1) === 3),
    );
    expect(closed).toBeDefined();
    expect(client.of(MessageType.CHANNEL_DATA).filter((message) => message.readUInt32BE(1) === 3)).toEqual([]);
    await expect(outer(gateway)).rejects.toThrow();
    client.socket.destroy();
  });

  it('is answered about other things too, and what it asks for a session waits for the answer', async () => {
    const { gateway } = await world();
    const client = await outer(gateway);
    client.send(writeMessage(MessageType.GLOBAL_REQUEST, 'keepalive@openssh.com', true));
    await client.next(MessageType.REQUEST_FAILURE);
    client.send(openJump(1, '192.0.2.1', 22), openSession(2), request(0, 'exec', true, 'true'));
    const failure = readChannelOpenFailure(await client.next(MessageType.CHANNEL_OPEN_FAILURE));
    expect(failure).toMatchObject({ recipient: 1, description: expect.stringContaining('there is no SSH target at 192.0.2.1:22') });
    await client.next(MessageType.CHANNEL_OPEN_CONFIRMATION);
    const notice = await client.next(MessageType.CHANNEL_EXTENDED_DATA);
    expect(new FieldReader(notice, 9).text()).toContain('there is no target named "somebody"');
    expect(gateway.ledger.of('session.refused').map(({ body }) => body.requested)).toEqual(
      expect.arrayContaining(['direct-tcpip 192.0.2.1:22', 'somebody']),
    );
    client.socket.destroy();
  });

  it.each([
    ['a request that is cut short', openJump(1, 'web', 22).subarray(0, -2)],
    ['a request with bytes behind it', Buffer.concat([openJump(1, 'web', 22), Buffer.from('more')])],
    ['the name of a host that is longer than any', openJump(1, 'a'.repeat(300), 22)],
  ])('is ended for %s', async (_what, message) => {
    const { gateway } = await world();
    const client = await outer(gateway);
    client.send(message);
    await client.ended;
    expect(gateway.ledger.of('session.open')).toEqual([]);
  });

  it('is ended for data beyond its window', async () => {
    const { gateway } = await world();
    const client = await outer(gateway);
    client.send(openJump(1, 'web', 22));
    const id = new FieldReader(await client.next(MessageType.CHANNEL_OPEN_CONFIRMATION), 5).uint32();
    // What is no SSH is not read any more, so that the window does not grow.
    for (let bytes = 0; bytes < 8 * 1024 * 1024 && !client.closed; bytes += PACKET) client.send(data(id, Buffer.alloc(PACKET)));
    await client.ended;
  });

  it('that asks for refused jumps without end has only so many decided at once', async () => {
    const { gateway } = await world();
    const client = await outer(gateway);
    for (let id = 0; id < 400; id += 1) client.send(openJump(id, '192.0.2.1', 22));
    await client.until('all are answered', () => (client.of(MessageType.CHANNEL_OPEN_FAILURE).length === 400 ? true : undefined));
    const reasons = client.of(MessageType.CHANNEL_OPEN_FAILURE).map((message) => readChannelOpenFailure(message).description);
    expect(reasons.some((reason) => reason.includes('may have 16 channels at once'))).toBe(true);
    client.socket.destroy();
  });
});

function sourceOf(client: RawPeer): string {
  return `127.0.0.1:${client.socket.localPort}`;
}

/** Logs in through a channel of raw messages, with this number on the client's side. */
async function nested(client: RawPeer, { key }: { key: string }, user: string, number = 1): Promise<{ abort(): void }> {
  const earlier = client.of(MessageType.CHANNEL_OPEN_CONFIRMATION).length;
  client.send(openJump(number, 'web', 22));
  const id = new FieldReader(await client.next(MessageType.CHANNEL_OPEN_CONFIRMATION, earlier), 5).uint32();
  const incoming = new PassThrough();
  let seen = 0;
  const feeding = client.until('the end', () => {
    const all = client.of(MessageType.CHANNEL_DATA).filter((message) => message.readUInt32BE(1) === number);
    for (; seen < all.length; seen += 1) incoming.write(Buffer.from((all[seen] as Buffer).subarray(9)));
    return undefined;
  });
  feeding.catch(() => incoming.destroy());
  const sock = Duplex.from({
    readable: incoming,
    writable: async (source: AsyncIterable<Buffer>) => {
      for await (const bytes of source) client.send(data(id, bytes));
      client.send(writeMessage(MessageType.CHANNEL_CLOSE, id));
    },
  });
  const through = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    through.once('ready', resolve).once('error', reject);
    through.connect({ sock, username: user, privateKey: key });
  }).finally(() => through.on('error', () => undefined));
  return { abort: () => through.destroy() };
}
