import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SOCKET_HIGH_WATER } from '../../contract/desktop-bridge.ts';
import { openPinnedSocket } from '../../electron/gateway/pinned-socket.ts';
import { FrameReader, MessageReader } from '../../electron/gateway/socket-frames.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { openTestDesk, type TestDesk } from './test-desk.ts';
import { frame, type StrangeServer, startStrangeServer } from './test-server.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;
const PING = 0x89;

let server: StrangeServer;
let test: TestDesk;

beforeAll(async () => {
  server = await startStrangeServer(belongings);
  test = await openTestDesk(belongings);
  const { id } = await test.desk.inUse.trust({ origin: server.origin, fingerprint: server.fingerprint, name: 'strange' });
  const logIn = { token: 'sp_x', operator: 'ada', roles: [], expires: '2999-01-01T00:00:00Z' };
  await test.desk.inUse.loggedIn(test.desk.inUse.known.get(id), logIn);
});

const messages = (socket: string) =>
  test.events.flatMap((event) => (event.event === 'socket.message' && event.socket === socket ? [event] : []));
const ends = (socket: string) =>
  test.events.flatMap((event) => (event.event === 'socket.closed' && event.socket === socket ? [event] : []));

async function open(): Promise<string> {
  const socket = randomUUID();
  await test.ask('app.info', {});
  await test.ask('socket.open', { socket, path: '/api/events' });
  return socket;
}

describe('a page that is slow', () => {
  it('stops the reading of a socket until it has taken what it was sent, and misses nothing', async () => {
    const count = 64;
    const bytes = 512 * 1024;
    let written = 0;
    server.socket = (wire) => {
      for (let number = 0; number < count; number += 1) wire.write(frame(BINARY, Buffer.alloc(bytes, number)), () => (written += 1));
    };
    const socket = await open();
    await until('the first megabytes', () => messages(socket).length * bytes >= SOCKET_HIGH_WATER || undefined);
    // As much as the system holds between the two is written besides, and no more: the sender is held up.
    const [seen, sent] = [messages(socket).length, written];
    await test.ask('settings.get', {});
    expect(messages(socket)).toHaveLength(seen);
    expect(seen * bytes).toBeLessThan(SOCKET_HIGH_WATER + 2 * bytes);
    expect(sent).toBeLessThan(count);

    for (let taken = 0; taken < count; taken += 1) {
      const next = await until(`message ${taken}`, () => messages(socket)[taken]);
      expect((next.data as Uint8Array)[0]).toBe(taken);
      await test.ask('socket.taken', { socket, bytes: next.bytes });
    }
    expect(messages(socket)).toHaveLength(count);
    await test.ask('socket.close', { socket });
  });

  it('is not drowned in empty messages either', async () => {
    server.socket = (wire) => wire.write(Buffer.concat(Array<Buffer>(200_000).fill(frame(TEXT, ''))));
    const socket = await open();
    await until('many', () => messages(socket).length >= 65_536 || undefined);
    await test.ask('settings.get', {});
    expect(messages(socket).length).toBeLessThan(66_000);
    await test.desk.pageGone();
  });

  it('has a bounded number of sockets, and one of a name', async () => {
    server.socket = () => undefined;
    const sockets = await Promise.all(Array.from({ length: 64 }, open));
    expect(await test.refusal('socket.open', { socket: randomUUID(), path: '/api/events' })).toBe('REQUEST_INVALID');
    await test.ask('socket.close', { socket: sockets[0] ?? '' });
    expect(await test.refusal('socket.open', { socket: sockets[1] ?? '', path: '/api/events' })).toBe('REQUEST_INVALID');
    await test.desk.pageGone();
  });

  it('is told of the end of each when another gateway is in use', async () => {
    server.socket = () => undefined;
    const socket = await open();
    const here = test.desk.inUse.known.current();
    const other = await test.desk.inUse.trust({ origin: 'https://127.0.0.1:1', fingerprint: server.fingerprint, name: 'other' });
    await test.desk.inUse.use(other.id);
    expect(ends(socket)).toMatchObject([{ reason: 'another gateway is in use' }]);
    await test.desk.inUse.use(here?.id ?? '');
  });
});

describe('a server that does not keep to the standard', () => {
  const listen = (wireBytes: Buffer[]) => {
    server.socket = (wire) => {
      for (const piece of wireBytes) wire.write(piece);
    };
    const heard: (string | Buffer)[] = [];
    const closed = Promise.withResolvers<[number, string]>();
    const opened = openPinnedSocket(
      server,
      { path: '/', token: undefined },
      { message: (data) => heard.push(data), closed: (code, reason) => closed.resolve([code, reason]) },
    );
    return { heard, closed: opened.then(() => closed.promise) };
  };

  it.each<[string, Buffer]>([
    ['a frame that it masks', Buffer.from([TEXT, 0x81, 0, 0, 0, 0, 0x41])],
    ['an extension that nobody agreed on', frame(TEXT | 0x40, 'x')],
    ['a continuation of nothing', frame(0x80, 'x')],
    ['a message within a message', Buffer.concat([frame(0x01, 'a'), frame(TEXT, 'b')])],
    ['an opcode that means nothing', frame(0x83, 'x')],
    ['a control frame in parts', frame(0x09, 'x')],
    ['a control frame that is too long', frame(PING, 'x'.repeat(126))],
    ['text that is not UTF-8', frame(TEXT, Buffer.from([0xc3, 0x28]))],
    ['a message of exabytes', Buffer.from([BINARY, 127, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
  ])('is left: %s', async (_what, bytes) => {
    const { heard, closed } = listen([frame(TEXT, 'before'), bytes, frame(TEXT, 'after')]);
    const [code, reason] = await closed;
    expect([heard, code]).toEqual([['before'], 1006]);
    expect(reason).toContain('not a WebSocket message');
  });

  it('is heard out when it does, and its code and reason are told', async () => {
    const { heard, closed } = listen([
      frame(PING, 'there?'),
      frame(0x01, 'one '),
      frame(PING, 'still there?'),
      frame(0x80, 'message'),
      frame(CLOSE, Buffer.concat([Buffer.of(0x10, 0x00), Buffer.from('the end')])),
    ]);
    expect(await closed).toEqual([4096, 'the end']);
    expect(heard).toEqual(['one message']);
  });
});

describe('frames', () => {
  it('are the same however they are cut', () => {
    const message = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.uint8Array({ maxLength: 70_000 }));
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map((each) => frame(typeof each === 'string' ? TEXT : BINARY, each)));
        const [frames, whole] = [new FrameReader(100_000), new MessageReader(100_000)];
        const heard: (string | Uint8Array)[] = [];
        for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
          const length = cuts[cut % cuts.length] ?? 1;
          frames.push(bytes.subarray(at, at + length));
          at += length;
          for (let next = frames.take(); next !== undefined; next = frames.take()) {
            const taken = whole.take(next);
            if (taken !== undefined) heard.push(typeof taken === 'string' ? taken : new Uint8Array(taken));
          }
        }
        expect(heard).toEqual(sent);
      }),
      { numRuns: 60 },
    );
  });
});
