import { afterEach, describe, expect, it } from 'vitest';
import { MessageType, writeMessage } from '../../../gateway/protocol/ssh/connection-messages.ts';
import { readCast } from '../../recording/read-recording.ts';
import { Belongings } from '../../support/temp.ts';
import { close, closedWith, data, eof, openChannel, openSession, rawSession, request } from './session-world.ts';

let belongings = new Belongings();
afterEach(async () => {
  await belongings.release();
  belongings = new Belongings();
});

describe('a client that breaks the connection protocol', () => {
  const whole: [string, (targetId: number) => Buffer][] = [
    ['data for a channel that is not open', () => data(99, 'x')],
    ['a close for a channel that is not open', () => close(99)],
    ['a window for a channel that is not open', () => writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, 99, 1)],
    ['a second channel with a number in use', () => openSession(7)],
    ['a confirmation that nobody asked for', () => writeMessage(MessageType.CHANNEL_OPEN_CONFIRMATION, 5, 5, 5, 5)],
    ['a refusal that nobody asked for', () => writeMessage(MessageType.CHANNEL_OPEN_FAILURE, 5, 1, 'no', '')],
    ['a reply on a channel that nobody asked for', (id) => writeMessage(MessageType.CHANNEL_SUCCESS, id)],
    ['a global reply that nobody asked for', () => writeMessage(MessageType.REQUEST_SUCCESS)],
    ['extended data, which only a server has', (id) => writeMessage(MessageType.CHANNEL_EXTENDED_DATA, id, 1, 'x')],
    ['a message of an unknown type', () => Buffer.from([127])],
    [
      'data that is longer than its message',
      (id) => Buffer.concat([data(id, 'x').subarray(0, 5), Buffer.from([0, 0, 1, 0]), Buffer.from('x')]),
    ],
    ['bytes behind an EOF', (id) => Buffer.concat([eof(id), Buffer.from('hidden')])],
    ['bytes behind a close', (id) => Buffer.concat([close(id), Buffer.from('hidden')])],
    ['bytes behind a window', (id) => Buffer.concat([writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, id, 1), Buffer.from('hidden')])],
    ['bytes behind a command', (id) => Buffer.concat([request(id, 'exec', true, 'true'), Buffer.from('hidden')])],
    ['bytes behind a shell', (id) => Buffer.concat([request(id, 'shell', true), Buffer.from('hidden')])],
    ['bytes behind a signal', (id) => Buffer.concat([request(id, 'signal', false, 'TERM'), Buffer.from('hidden')])],
    ['bytes behind a resize', (id) => Buffer.concat([request(id, 'window-change', false, 80, 24, 0, 0), Buffer.from('hidden')])],
    ['bytes behind a variable', (id) => Buffer.concat([request(id, 'env', false, 'LANG', 'C'), Buffer.from('hidden')])],
    ['a terminal request cut short', (id) => request(id, 'pty-req', true, 'xterm')],
    ['a channel open cut short', () => Buffer.from([90, 0, 0, 0, 7, 115])],
    ['an empty message type 80', () => Buffer.from([80])],
  ];
  for (const [what, make] of whole) {
    it(`is disconnected for ${what}, and nothing of it reaches the target`, async () => {
      const session = await rawSession(belongings);
      const { targetId } = await openChannel(session);
      const before = session.target.messages.length;
      session.client.send(make(targetId));
      await session.client.ended;
      expect((await closedWith(session.gateway)).code).toBe('PROTOCOL_VIOLATION');
      expect(session.target.messages.slice(before)).toEqual([]);
    });
  }

  it('may not speak on a channel that it has not confirmed', async () => {
    const session = await rawSession(belongings, { forwarding: ['remote'] });
    await openChannel(session);
    session.client.send(writeMessage(MessageType.GLOBAL_REQUEST, 'tcpip-forward', false, '127.0.0.1', 8080));
    await session.target.next(MessageType.GLOBAL_REQUEST);
    session.target.send(writeMessage(MessageType.CHANNEL_OPEN, 'forwarded-tcpip', 33, 1000, 1000, '127.0.0.1', 8080, '192.0.2.1', 5));
    await session.client.next(MessageType.CHANNEL_OPEN);
    session.client.send(data(33, 'too early'));
    await session.client.ended;
    expect((await closedWith(session.gateway)).code).toBe('PROTOCOL_VIOLATION');
    expect(session.target.of(MessageType.CHANNEL_DATA)).toEqual([]);
  });

  it('gets a second command on one channel refused, with a trace in the recording', async () => {
    const session = await rawSession(belongings);
    const { targetId, clientId } = await openChannel(session);
    session.client.send(request(targetId, 'exec', true, 'first'), request(targetId, 'exec', true, 'second'));
    await session.target.next(MessageType.CHANNEL_REQUEST);
    session.target.send(writeMessage(MessageType.CHANNEL_SUCCESS, clientId));
    await session.client.next(MessageType.CHANNEL_FAILURE);
    expect(
      session.client.messages
        .filter((message) => message[0] === MessageType.CHANNEL_SUCCESS || message[0] === MessageType.CHANNEL_FAILURE)
        .map((message) => message[0]),
    ).toEqual([MessageType.CHANNEL_SUCCESS, MessageType.CHANNEL_FAILURE]);
    expect(session.target.of(MessageType.CHANNEL_REQUEST)).toHaveLength(1);
  });

  it('may try another command when the target has refused the first, as PuTTY does for SFTP', async () => {
    const { session, targetId, clientId } = await refusedSftp();
    session.client.send(request(targetId, 'exec', true, 'sftp-server'));
    await session.target.next(MessageType.CHANNEL_REQUEST, 1);
    session.target.send(writeMessage(MessageType.CHANNEL_SUCCESS, clientId));
    await session.client.next(MessageType.CHANNEL_SUCCESS);
    session.client.port.end();
    await closedWith(session.gateway);
    expect(session.gateway.ledger.of('action.finished').map(({ outcome, body }) => [body.action, outcome])).toEqual([
      ['ssh:subsystem', 'failure'],
      ['ssh:exec', 'success'],
    ]);
  });

  it('is recorded whole again when the target has refused SFTP: what follows is not described by operations', async () => {
    const { session, targetId, clientId } = await refusedSftp();
    session.client.send(request(targetId, 'exec', true, 'bash'), data(targetId, 'rm -rf /srv\n'));
    await session.target.next(MessageType.CHANNEL_DATA);
    session.target.send(data(clientId, 'done\n'));
    await session.client.next(MessageType.CHANNEL_DATA);
    session.client.port.end();
    await closedWith(session.gateway);
    const [open] = session.gateway.ledger.of('session.open');
    const { events } = readCast(session.gateway.data, open?.session ?? '');
    expect(events.filter(({ code }) => code === 'i' || code === 'o').map(({ data: text }) => text)).toEqual(['rm -rf /srv\n', 'done\n']);
  });

  it('gets replies in the order of its requests, whoever answers them', async () => {
    const session = await rawSession(belongings);
    const { targetId, clientId } = await openChannel(session);
    session.client.send(
      request(targetId, 'env', true, 'LANG', 'C'),
      request(targetId, 'env', true, 'SECRET', 'x'),
      request(targetId, 'shell', true),
      request(targetId, 'x11-req', true, false, 'a', 'b', 0),
    );
    await session.target.next(MessageType.CHANNEL_REQUEST, 1);
    session.target.send(writeMessage(MessageType.CHANNEL_FAILURE, clientId), writeMessage(MessageType.CHANNEL_SUCCESS, clientId));
    await session.client.until('four replies', () => (session.client.messages.length >= 5 ? true : undefined));
    expect(session.client.messages.slice(1).map((message) => message[0])).toEqual([100, 100, 99, 100]);
  });

  it('is not listened to any more while it does not take the answers that it asks for', async () => {
    const session = await rawSession(belongings);
    session.client.socket.pause();
    const ask = writeMessage(MessageType.GLOBAL_REQUEST, 'nothing-known', true);
    // 40 bytes a request: without a bound the answers to 400,000 of them would wait in the gateway.
    let sent = 0;
    while (sent < 400_000 && session.client.socket.writableLength < 1.2 * 1024 * 1024) {
      for (let burst = 0; burst < 2000; burst += 1) session.client.send(ask);
      sent += 2000;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(session.client.socket.writableLength).toBeGreaterThan(1024 * 1024);
    session.client.socket.resume();
    const answered = await session.client.until('all answers', () =>
      session.client.of(MessageType.REQUEST_FAILURE).length === sent ? true : undefined,
    );
    expect(answered).toBe(true);
  });

  it('cannot fill the ledger of all with denied forwards', async () => {
    const session = await rawSession(belongings);
    const { records } = session.gateway.parts;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, records.pending);
    }, 1);
    const forward = writeMessage(MessageType.GLOBAL_REQUEST, 'tcpip-forward', true, '0.0.0.0', 80);
    for (let count = 0; count < 20_000; count += 1) session.client.send(forward);
    await session.client.until('all refusals', () => (session.client.of(MessageType.REQUEST_FAILURE).length === 20_000 ? true : undefined));
    clearInterval(watch);
    expect(most).toBeLessThan(8000);
    expect(session.gateway.ledger.of('action.decided').length).toBeGreaterThan(19_000);
  });

  it('gets no more channels at once than it may have', async () => {
    const session = await rawSession(belongings, { limits: { channelsPerSession: 3 } });
    for (let id = 0; id < 200; id += 1) session.client.send(openSession(id));
    await session.client.until('refusals', () => (session.client.of(MessageType.CHANNEL_OPEN_FAILURE).length === 197 ? true : undefined));
    await session.target.next(MessageType.CHANNEL_OPEN, 2);
    expect(session.target.of(MessageType.CHANNEL_OPEN)).toHaveLength(3);
  });

  it('may ask for as many variables as it likes; what is not allowed never reaches the target', async () => {
    const session = await rawSession(belongings);
    const { targetId } = await openChannel(session);
    const big = 'x'.repeat(30_000);
    for (let count = 0; count < 300; count += 1) session.client.send(request(targetId, 'env', false, `SECRET_${count}`, big));
    session.client.send(request(targetId, 'env', false, 'LANG', big));
    const passed = await session.target.next(MessageType.CHANNEL_REQUEST);
    expect(passed.toString('latin1')).toContain('LANG');
    expect(session.target.of(MessageType.CHANNEL_REQUEST)).toHaveLength(1);
  });

  it('has its command recorded by the very bytes, also when they are not UTF-8', async () => {
    const session = await rawSession(belongings);
    const { targetId } = await openChannel(session);
    const command = Buffer.from([0x65, 0x63, 0x68, 0x6f, 0x20, 0xff, 0xfe, 0x00]);
    session.client.send(request(targetId, 'exec', false, command));
    expect((await session.target.next(MessageType.CHANNEL_REQUEST)).subarray(-command.length)).toEqual(command);
    session.client.port.end();
    await closedWith(session.gateway);
    const decided = session.gateway.ledger.of('action.decided').find(({ body }) => body.action === 'ssh:exec');
    expect(decided?.body.facts.commandBytes).toBe(command.toString('base64'));
  });

  it('may close in any order, and the channel is over once', async () => {
    const session = await rawSession(belongings);
    const orders: ('client' | 'target')[][] = [
      ['client', 'target'],
      ['target', 'client'],
    ];
    for (const [index, order] of orders.entries()) {
      const { clientId, targetId } = await openChannel(session, 10 + index, 100 + index);
      session.client.send(eof(targetId), eof(targetId), data(targetId, 'after the end'));
      session.target.send(eof(clientId));
      for (const side of order) {
        const [sender, id] = side === 'client' ? [session.client, targetId] : [session.target, clientId];
        sender.send(close(id));
        // Once both have closed, the number is free and whoever uses it is in the wrong.
        if (side === order[0]) sender.send(data(id, 'after the close'), close(id), request(id, 'exec', true, 'late'));
        const other = side === 'client' ? session.target : session.client;
        await other.next(MessageType.CHANNEL_CLOSE, index);
      }
    }
    expect(session.target.messages.some((message) => message.includes('after the close') || message.includes('late'))).toBe(false);
    expect(session.client.messages.some((message) => message.includes('after the close'))).toBe(false);
    session.client.port.end();
    expect((await closedWith(session.gateway)).code).toBeUndefined();
    expect(session.gateway.ledger.of('channel.close')).toHaveLength(2);
  });

  it('that goes while a command runs leaves one end of it in the records', async () => {
    const session = await rawSession(belongings);
    const { targetId } = await openChannel(session);
    session.client.send(request(targetId, 'exec', false, 'sleep 1'));
    await session.target.next(MessageType.CHANNEL_REQUEST);
    session.client.socket.destroy();
    await closedWith(session.gateway);
    expect(session.gateway.ledger.of('action.finished')).toHaveLength(1);
    expect(session.gateway.ledger.of('session.close')).toHaveLength(1);
  });
});

/** A session with one channel, on which the target has refused to start SFTP. */
async function refusedSftp() {
  const session = await rawSession(belongings);
  const { targetId, clientId } = await openChannel(session);
  session.client.send(request(targetId, 'subsystem', true, 'sftp'));
  await session.target.next(MessageType.CHANNEL_REQUEST);
  session.target.send(writeMessage(MessageType.CHANNEL_FAILURE, clientId));
  await session.client.next(MessageType.CHANNEL_FAILURE);
  return { session, targetId, clientId };
}
