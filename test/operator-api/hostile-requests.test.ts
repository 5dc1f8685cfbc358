import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Belongings } from '../support/temp.ts';
import { raw, type Served, serve } from './served.ts';
import { RawWebSocket } from './web-socket.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

let served: Served;
beforeAll(async () => {
  served = await serve(belongings, 300);
});

/** The status of every answer that the server gave on one connection. */
const statuses = (answers: string) => [...answers.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

const close = 'Connection: close\r\n';

describe('a path that leads elsewhere', () => {
  test.each([
    '/ledger/../sallyport.db',
    '/ledger/tile/../../keys/ledger.key',
    '/ledger/tile/0/../../../keys/ledger.key',
    '/ledger/%2e%2e/keys/ledger.key',
    '/ledger/tile/%2e%2e/%2e%2e/keys/ledger.key',
    '/ledger/tile/..%2f..%2fkeys/ledger.key',
    '/ledger/tile/0/000%00',
    '/ledger/tile/0/000%2ep/1',
    '/ledger/tile/0/000.p/1/..',
    '/ledger//checkpoint',
    '//ledger/checkpoint',
    '/ledger/./checkpoint',
    '/ledger\\checkpoint',
    '/ledger/tile/0/000;x',
    '/ledger/tile/0/%E0%A4%A',
    '/ledger/tile/%',
    `/ledger/tile/0/${'x999/'.repeat(2000)}000`,
    '/keys/https.key',
    '/control.sock',
  ])('leads nowhere: %s', async (path) => {
    const answer = await raw(served, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${close}\r\n`);
    expect(statuses(answer)).toHaveLength(1);
    expect([400, 404, 414, 431]).toContain(statuses(answer)[0]);
    expect(answer).toContain('application/problem+json');
    expect(answer).not.toMatch(/PRIVATE KEY|SQLite/);
    expect(answer).not.toContain(served.directory);
  });

  test('is no other when it comes as a whole address', async () => {
    const answer = await raw(
      served,
      `GET https://elsewhere.example/../keys/ledger.key HTTP/1.1\r\nHost: elsewhere.example\r\n${close}\r\n`,
    );
    expect(statuses(answer)).toEqual([404]);
  });
});

describe('what is no request, or two in one', () => {
  const post = 'POST /healthz HTTP/1.1\r\nHost: localhost\r\n';
  const second = 'GET /ledger/checkpoint HTTP/1.1\r\nHost: localhost\r\n\r\n';

  test.each([
    ['a length and chunks', `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${second}`],
    ['chunks and a length', `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${second}`],
    ['two lengths', `${post}Content-Length: 0\r\nContent-Length: ${second.length}\r\n\r\n${second}`],
    ['a length with a sign', `${post}Content-Length: +0\r\n\r\n${second}`],
    ['a length that is none', `${post}Content-Length: 1e1\r\n\r\n${second}`],
    ['chunks not at the end', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${second}`],
    ['a space before the colon', `${post}Content-Length : ${second.length}\r\n\r\n${second}`],
    ['a header that goes on in the next line', `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n`],
    ['a line that ends with a line feed alone', `GET /healthz HTTP/1.1\nHost: localhost\n\n${second}`],
    ['a zero byte in a header', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['the beginning of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['bytes', Buffer.alloc(4096, 0xff)],
  ])('is refused as a whole: %s', async (_what, bytes) => {
    const answer = await raw(served, bytes);
    expect(statuses(answer)).toEqual([400]);
    expect(answer).toMatch(/"code":"REQUEST_INVALID"/);
    expect(answer).toMatch(/Connection: close/i);
  });

  test('a request that is refused takes the connection with it, so that its body is not read as the next', async () => {
    const answer = await raw(served, `${post}Content-Length: ${second.length}\r\n\r\n${second}${second}`);
    expect(statuses(answer)).toEqual([405]);
  });

  test('a body under another coding is not taken for a request', async () => {
    const answer = await raw(served, `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${second}`);
    expect(statuses(answer)[0]).toBe(405);
    expect(answer).not.toMatch(/HTTP\/1\.1 200/);
  });

  test('a request without a host is refused', async () => {
    expect(statuses(await raw(served, 'GET /healthz HTTP/1.1\r\n\r\n'))).toEqual([400]);
  });

  test('headers beyond 16 KiB are refused as such', async () => {
    const one = await raw(served, `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    const many = await raw(served, `GET /healthz HTTP/1.1\r\nHost: localhost\r\n${'X: 1\r\n'.repeat(5000)}\r\n`);
    const path = await raw(served, `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect([one, many, path].map(statuses)).toEqual([[431], [431], [431]]);
  });

  test('a body that never ends is not waited for', async () => {
    const answer = await raw(served, `${post}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
    expect(statuses(answer)).toEqual([405]);
  });

  test('plain HTTP on the HTTPS port ends without an answer', async () => {
    const socket = connectTcp({ host: '127.0.0.1', port: served.port });
    socket.on('error', () => undefined);
    let answer = '';
    socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'close');
    expect(answer).not.toContain('HTTP/1.1 200');
  });
});

describe('a client that wants to upgrade where there is no WebSocket', () => {
  const upgrade = 'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const last = `GET /healthz HTTP/1.1\r\nHost: localhost\r\n${close}\r\n`;
  const paths = ['/healthz', '/nothing', '/api/whoami', '/openapi.json', '/api/events/', '/api/for-admins%2f', '//api/events'];

  test.each(paths)('is answered as any other, and may ask again: %s', async (path) => {
    const { socket, ended } = await RawWebSocket.open({ port: served.port, path });
    let more = '';
    socket.on('data', (bytes: Buffer) => (more += bytes.toString('latin1')));
    socket.write(last);
    await ended;
    expect(statuses(more)).toEqual([200]);
  });

  test('has its connection ended where there is one for others', async () => {
    expect(statuses(await raw(served, `GET /api/for-admins?a=b HTTP/1.1\r\n${upgrade}`))).toEqual([401]);
  });

  test('keeps no listener from closing', async () => {
    const other = await serve(belongings, 1);
    const opened = await Promise.all(paths.map((path) => RawWebSocket.open({ port: other.port, path })));
    await other.listener.close();
    await Promise.all(opened.map(({ ended }) => ended));
  });
});

describe('a client that is slow on purpose', () => {
  test('loses its connection, whether in the handshake, the headers or after them', { timeout: 240_000 }, async () => {
    const started = performance.now();
    const ended = async (socket: Socket): Promise<number> => {
      socket.on('error', () => undefined);
      socket.resume();
      await once(socket, 'close');
      return performance.now() - started;
    };
    const tcp = () => connectTcp({ host: '127.0.0.1', port: served.port });
    const tls = (first: string, dribble = false) => {
      const socket = connect({ host: '127.0.0.1', port: served.port, ca: served.certificate.chain, servername: 'localhost' }, () => {
        socket.write(first);
      });
      const timer = dribble ? setInterval(() => socket.write('X: y\r\n'), 700) : undefined;
      socket.once('close', () => clearInterval(timer));
      return socket;
    };
    // Nothing is at this address, so the body is read before that is said.
    const slowBody = 'POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n';
    const silent = tcp();
    const halfHello = tcp();
    halfHello.write(Buffer.from([0x16, 0x03, 0x01, 0x02]));
    const lives = await Promise.all(
      [silent, halfHello, tls(''), tls('GET /he'), tls('GET /healthz HTTP/1.1\r\n', true), tls(`${slowBody}\r\n`, true)].map(ended),
    );
    for (const life of lives) expect(life).toBeLessThan(45_000);
  });
});

test('nothing of all this was a defect, and no answer or log line has a secret', () => {
  const log = served.log.lines.join('\n');
  expect(log).not.toMatch(/INTERNAL|PRIVATE KEY/);
  expect(log).not.toContain(join(served.directory, 'keys'));
});
