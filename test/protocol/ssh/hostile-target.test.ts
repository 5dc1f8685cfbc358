import { afterEach, describe, expect, it } from 'vitest';
import { MessageType, writeMessage } from '../../../gateway/protocol/ssh/connection-messages.ts';
import { heldBytes } from '../../support/held-memory.ts';
import { Belongings } from '../../support/temp.ts';
import { close, closedWith, confirm, data, openChannel, openSession, rawSession, request } from './session-world.ts';

let belongings = new Belongings();
afterEach(async () => {
  await belongings.release();
  belongings = new Belongings();
});

describe('a target that breaks the connection protocol', () => {
  const faults: [string, (clientId: number) => Buffer][] = [
    ['data for a channel that is not open', () => data(99, 'x')],
    ['a confirmation that nobody asked for', () => confirm(99, 5)],
    ['a second confirmation', (id) => confirm(id, 71)],
    ['a refusal of a channel that is open', (id) => writeMessage(MessageType.CHANNEL_OPEN_FAILURE, id, 1, 'no', '')],
    ['a reply that nobody asked for', (id) => writeMessage(MessageType.CHANNEL_SUCCESS, id)],
    ['a global reply that nobody asked for', () => writeMessage(MessageType.REQUEST_FAILURE)],
    ['extended data of an unknown type', (id) => writeMessage(MessageType.CHANNEL_EXTENDED_DATA, id, 9, 'x')],
    ['bytes behind an exit status', (id) => Buffer.concat([request(id, 'exit-status', false, 0), Buffer.from('hidden')])],
    ['bytes behind a keep-alive', (id) => Buffer.concat([request(id, 'keepalive@openssh.com', true), Buffer.from('hidden')])],
    ['bytes behind a close', (id) => Buffer.concat([close(id), Buffer.from('hidden')])],
    ['a message of an unknown type', () => Buffer.from([101, 1, 2, 3])],
    ['an exit status cut short', (id) => request(id, 'exit-status', false)],
  ];
  for (const [what, make] of faults) {
    it(`is cut off for ${what}, and nothing of it reaches the client`, async () => {
      const session = await rawSession(belongings);
      const { clientId } = await openChannel(session);
      const before = session.client.messages.length;
      session.target.send(make(clientId));
      await session.client.ended;
      expect((await closedWith(session.gateway)).code).toBe('PROTOCOL_VIOLATION');
      expect(session.client.messages.slice(before)).toEqual([]);
    });
  }

  it('may not give two channels the same number', async () => {
    const session = await rawSession(belongings);
    await openChannel(session, 7, 70);
    session.client.send(openSession(8));
    await session.target.next(MessageType.CHANNEL_OPEN, 1);
    session.target.send(confirm(8, 70));
    await session.client.ended;
    expect((await closedWith(session.gateway)).code).toBe('PROTOCOL_VIOLATION');
  });

  it('opens no channel towards the client unless the client asked for such', async () => {
    const session = await rawSession(belongings, { forwarding: ['local', 'remote', 'agent'] });
    await openChannel(session);
    const opens = [
      writeMessage(MessageType.CHANNEL_OPEN, 'forwarded-tcpip', 1, 1000, 1000, '127.0.0.1', 80, '192.0.2.1', 5),
      writeMessage(MessageType.CHANNEL_OPEN, 'auth-agent@openssh.com', 2, 1000, 1000),
      writeMessage(MessageType.CHANNEL_OPEN, 'x11', 3, 1000, 1000, '192.0.2.1', 5),
      writeMessage(MessageType.CHANNEL_OPEN, 'session', 4, 1000, 1000),
      writeMessage(MessageType.CHANNEL_OPEN, 'direct-tcpip', 5, 1000, 1000, '127.0.0.1', 80, '192.0.2.1', 5),
    ];
    session.target.send(...opens);
    await session.target.next(MessageType.CHANNEL_OPEN_FAILURE, opens.length - 1);
    expect(session.client.of(MessageType.CHANNEL_OPEN)).toEqual([]);
    expect(session.client.closed).toBe(false);
  });

  it('has requests that nobody understands refused, recorded and kept from the client', async () => {
    const session = await rawSession(belongings);
    const { clientId } = await openChannel(session);
    session.target.send(request(clientId, 'keepalive@openssh.com', true), request(clientId, 'smuggle@example.com', true, 'hidden'));
    await session.client.next(MessageType.CHANNEL_REQUEST);
    session.client.send(writeMessage(MessageType.CHANNEL_SUCCESS, 70));
    await session.target.next(MessageType.CHANNEL_FAILURE);
    expect(session.target.messages.slice(-2).map((message) => message[0])).toEqual([
      MessageType.CHANNEL_SUCCESS,
      MessageType.CHANNEL_FAILURE,
    ]);
    expect(session.client.of(MessageType.CHANNEL_REQUEST)).toHaveLength(1);
  });

  it('is answered about its host keys without the client hearing of it', async () => {
    const session = await rawSession(belongings);
    await openChannel(session);
    session.target.send(writeMessage(MessageType.GLOBAL_REQUEST, 'hostkeys-prove-00@openssh.com', true, 'x'));
    await session.target.next(MessageType.REQUEST_FAILURE);
    expect(session.client.of(MessageType.GLOBAL_REQUEST)).toEqual([]);
  });

  it('sends the client more than its window without the gateway keeping any of it', async () => {
    const session = await rawSession(belongings);
    const { clientId } = await openChannel(session);
    session.client.socket.pause();
    const piece = data(clientId, Buffer.alloc(32_000, 'x'));
    const before = heldBytes();
    // The gateway stops reading; what it does not read waits here, at the hostile side.
    for (let count = 0; count < 1000; count += 1) {
      session.target.send(piece);
      if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await session.target.until('stopped', () => (session.target.port.blocked ? true : undefined));
    const waiting = session.target.socket.writableLength;
    expect(waiting).toBeGreaterThan(10 * 1024 * 1024);
    expect(heldBytes() - before - waiting).toBeLessThan(12 * 1024 * 1024);
    session.client.socket.resume();
    await session.client.until('everything', () => (session.client.of(MessageType.CHANNEL_DATA).length === 1000 ? true : undefined));
  });

  it('tells why it ended, and that is in the record', async () => {
    const session = await rawSession(belongings);
    await openChannel(session);
    session.target.send(writeMessage(MessageType.DISCONNECT, 2, 'the target is tired', ''));
    session.target.socket.end();
    await session.client.ended;
    expect((await closedWith(session.gateway)).reason).toContain('the target is tired');
  });

  it('that closes at once after its last output loses none of it', async () => {
    const session = await rawSession(belongings);
    const { clientId } = await openChannel(session);
    for (let count = 0; count < 60; count += 1) session.target.send(data(clientId, Buffer.alloc(30_000, count)));
    session.target.port.end();
    await session.client.ended;
    expect(session.client.of(MessageType.CHANNEL_DATA)).toHaveLength(60);
  });

  it('that is asked for a forward answers the forward, also when a keep-alive is under way', async () => {
    const session = await rawSession(belongings, { forwarding: ['remote'], limits: { keepAlive: 1 }, recording: { durability: 'strict' } });
    await openChannel(session);
    await session.target.next(MessageType.GLOBAL_REQUEST);
    session.client.send(writeMessage(MessageType.GLOBAL_REQUEST, 'tcpip-forward', true, '127.0.0.1', 0));
    await session.target.next(MessageType.GLOBAL_REQUEST, 1);
    for (const asked of session.target.of(MessageType.GLOBAL_REQUEST)) {
      session.target.send(
        asked.includes('keepalive') ? writeMessage(MessageType.REQUEST_FAILURE) : writeMessage(MessageType.REQUEST_SUCCESS, 4711),
      );
    }
    expect(await session.client.next(MessageType.REQUEST_SUCCESS)).toEqual(writeMessage(MessageType.REQUEST_SUCCESS, 4711));
  });
});
