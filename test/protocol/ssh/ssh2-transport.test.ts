import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { MessageType } from '../../../gateway/protocol/ssh/connection-messages.ts';
import { Ssh2Transport, type TransportLimits } from '../../../gateway/protocol/ssh/ssh2-transport.ts';
import { Belongings } from '../../support/temp.ts';
import { closedWith, data, openChannel, rawSession, request } from './session-world.ts';
import { calm, keyPair, type RawPeer, rawClient, rawServer } from './support.ts';

let belongings = new Belongings();
afterEach(async () => {
  await belongings.release();
  belongings = new Belongings();
});

async function pair(limits: { server?: TransportLimits; client?: TransportLimits }): Promise<{ client: RawPeer; server: RawPeer }> {
  const listening = await rawServer(belongings, limits.server === undefined ? {} : { limits: limits.server });
  const [client, server] = await Promise.all([
    rawClient({ host: '127.0.0.1', port: listening.port }, { username: 'x', password: 'open' }, limits.client ?? calm),
    listening.accepted(),
  ]);
  belongings.add(() => void client.socket.destroy());
  return { client, server };
}

const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => data(from + index, Buffer.alloc(20_000, index)));

describe('the transport', () => {
  it('passes messages of the connection protocol as they are, whatever they are', async () => {
    const { client, server } = await pair({});
    const odd = [
      Buffer.from([80]),
      Buffer.from([127, 1, 2]),
      data(1, Buffer.alloc(0)),
      Buffer.concat([Buffer.from([99]), Buffer.alloc(30_000, 9)]),
    ];
    client.send(...odd);
    server.send(...odd);
    await Promise.all([client, server].map((peer) => peer.until('all', () => (peer.messages.length === odd.length ? true : undefined))));
    expect(client.messages).toEqual(odd);
    expect(server.messages).toEqual(odd);
  });

  for (const who of ['client', 'server'] as const) {
    it(`survives new keys asked for by the ${who} again and again, with messages under way in both directions`, async () => {
      const peers = await pair({ [who]: { rekey: { bytes: 300_000, seconds: 0 }, handshake: 60 } });
      const up = numbered(0, 200);
      const down = numbered(1000, 200);
      for (let index = 0; index < 200; index += 10) {
        peers.client.send(...up.slice(index, index + 10));
        peers.server.send(...down.slice(index, index + 10));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(Object.values(peers).map((peer) => peer.until('all', () => (peer.messages.length === 200 ? true : undefined))));
      expect(Buffer.compare(Buffer.concat(peers.server.messages), Buffer.concat(up))).toBe(0);
      expect(Buffer.compare(Buffer.concat(peers.client.messages), Buffer.concat(down))).toBe(0);
    });
  }

  it('survives both sides asking at once', async () => {
    const limits = { rekey: { bytes: 200_000, seconds: 0 }, handshake: 60 };
    const peers = await pair({ client: limits, server: limits });
    const up = numbered(0, 100);
    peers.client.send(...up);
    peers.server.send(...up);
    await Promise.all(Object.values(peers).map((peer) => peer.until('all', () => (peer.messages.length === 100 ? true : undefined))));
    expect(Buffer.concat(peers.client.messages).equals(Buffer.concat(up))).toBe(true);
  });

  it('finishes a key exchange while it is paused', async () => {
    const { client, server } = await pair({ client: { rekey: { bytes: 100_000, seconds: 0 }, handshake: 60 } });
    client.port.pause();
    client.send(...numbered(0, 20));
    server.send(...numbered(500, 5));
    await server.until('all', () => (server.messages.length === 20 ? true : undefined));
    // A message behind the new keys shows that the exchange is over.
    client.port.resume();
    await client.until('all', () => (client.messages.length === 5 ? true : undefined));
  });

  it('is blocked, not boundless, while keys are exchanged, and cuts off a peer that never finishes', async () => {
    const { proxy, stall } = await stallingProxy((await rawServer(belongings)).port);
    const { port } = proxy.address() as { port: number };
    const client = await rawClient(
      { host: '127.0.0.1', port },
      { username: 'x', password: 'open' },
      { rekey: { bytes: 50_000, seconds: 0 }, handshake: 0.5 },
    );
    stall();
    for (const message of numbered(0, 80)) client.send(message);
    expect(client.port.blocked).toBe(true);
    expect(await client.ended).toContain('not finished in time');
  });

  it('cuts off a peer that begins a key exchange and says nothing more, also when nobody sends', async () => {
    const { client, server } = await pair({ server: { rekey: { bytes: 0, seconds: 0 }, handshake: 0.5 } });
    // The client asks for new keys and then reads nothing.
    client.rekey();
    client.socket.pause();
    expect(await server.ended).toContain('not finished in time');
  });

  it('gives what came before anybody listened in order, and no more than one read of it', async () => {
    const socketServer = createServer();
    socketServer.listen(0, '127.0.0.1');
    await once(socketServer, 'listening');
    belongings.add(() => void socketServer.close());
    const { port } = socketServer.address() as { port: number };
    const key = keyPair().private;
    const ssh = new ssh2.Server({ hostKeys: [key] });
    const transports: Ssh2Transport[] = [];
    ssh.on('connection', (connection) => {
      const socket = (connection as unknown as { _sock: Socket })._sock;
      const transport = new Ssh2Transport(connection, socket, calm);
      connection.on('authentication', (context) => {
        transport.activate();
        context.accept();
        transports.push(transport);
      });
    });
    socketServer.on('connection', (socket) => ssh.injectSocket(socket));
    const client = await rawClient({ host: '127.0.0.1', port }, { username: 'x', password: 'any' });
    belongings.add(() => void client.socket.destroy());
    const sent = numbered(0, 500);
    for (const message of sent) client.send(message);
    await client.until('a full pipe', () => (client.socket.writableLength > 0 ? true : undefined));
    const received: Buffer[] = [];
    await new Promise<void>((resolve) => {
      transports[0]?.attach({
        message: (message) => {
          received.push(Buffer.from(message));
          if (received.length === sent.length) resolve();
        },
        drained: () => undefined,
        closed: () => undefined,
      });
    });
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
  });
});

describe('a session whose keys change', () => {
  it('carries bulk in both directions at once through new keys on both sides', async () => {
    const rekey = { bytes: 1_000_000, seconds: 0 };
    const session = await rawSession(belongings, { listener: { rekey } });
    const { clientId, targetId } = await openChannel(session);
    session.client.send(request(targetId, 'exec', false, 'cat'));
    const count = 1200;
    for (let index = 0; index < count; index += 20) {
      for (let one = 0; one < 20; one += 1) {
        session.client.send(data(targetId, Buffer.alloc(30_000, index + one)));
        session.target.send(data(clientId, Buffer.alloc(30_000, index + one)));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    const all = (peer: RawPeer) => peer.until('everything', () => (peer.of(MessageType.CHANNEL_DATA).length === count ? true : undefined));
    await Promise.all([all(session.client), all(session.target)]);
    session.client.port.end();
    expect((await closedWith(session.gateway)).code).toBeUndefined();
    const [record] = session.gateway.ledger.of('session.close');
    expect(record?.body.bytes).toEqual({ i: count * 30_000, o: count * 30_000, e: 0 });
  });
});

/** Forwards a connection until it is told to forward nothing more towards the client. */
async function stallingProxy(to: number): Promise<{ proxy: Server; stall: () => void }> {
  const { connect } = await import('node:net');
  let stalled = false;
  const proxy = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    near.on('error', () => undefined);
    far.on('error', () => undefined);
    near.pipe(far);
    far.on('data', (bytes) => {
      if (!stalled) near.write(bytes);
    });
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  belongings.add(() => void proxy.close());
  return {
    proxy,
    stall: () => {
      stalled = true;
    },
  };
}
