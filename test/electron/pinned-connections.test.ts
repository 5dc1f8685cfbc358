import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lookAtGateway } from '../../electron/gateway/look-at-gateway.ts';
import { askOperation } from '../../electron/gateway/operations-client.ts';
import { PinnedClient } from '../../electron/gateway/pinned-client.ts';
import { gatewayOrigin, type PinnedGateway } from '../../electron/gateway/pinned-connection.ts';
import { openPinnedSocket, type PinnedSocket } from '../../electron/gateway/pinned-socket.ts';
import { loadOrMakeCertificate, namesOf } from '../../gateway/operator-api/own-certificate.ts';
import { logIn, makeOperators } from '../operator-api/api-client.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { portOf } from '../support/tcp-server.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const ADA = 'ada@example.com';
let gateway: Gateway;
let token: string;
/** The gateway's own pin, at the address of the switch. */
let pinned: PinnedGateway;
/** What somebody who stands between has read, in the clear. */
let overheard: Buffer[];
let mallory: { port: number; left: number };
/** A wire that leads to the gateway, or to somebody else. */
let wire: { to: number; cut(): void; readonly port: number };
let client: PinnedClient;

beforeAll(async () => {
  const directory = belongings.directory('pinned');
  const { humans, keyOf } = await makeOperators(directory, { [ADA]: ['auditor'] });
  gateway = await startGateway(belongings, { configuration: { humans, agents: [], targets: [] }, https: true });
  token = await logIn(gateway, ADA, keyOf(ADA));
  const { fingerprint256 } = new X509Certificate(readFileSync(join(gateway.data, 'keys', 'https.crt')));
  mallory = await startMallory();
  wire = await startWire(gateway.httpsPort);
  pinned = { origin: `https://127.0.0.1:${wire.port}`, fingerprint: fingerprint256 };
});

beforeEach(() => {
  wire.to = gateway.httpsPort;
  overheard = [];
  mallory.left = 0;
  client?.close();
  client = new PinnedClient(pinned);
  belongings.add(() => client.close());
});

/** Speaks TLS with a certificate of its own for the same name, and writes down whatever it is told. */
async function startMallory() {
  const directory = belongings.directory('mallory');
  mkdirSync(join(directory, 'keys'));
  const { chain, key } = await loadOrMakeCertificate(directory, namesOf('127.0.0.1'), new Date());
  const server = createTlsServer({ cert: chain, key }, (socket) => {
    socket.on('data', (piece: Buffer) => overheard.push(piece));
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  // Whoever leaves at once may do so before the handshake is over on this side.
  server.on('connection', (socket: Socket) => socket.on('close', () => (state.left += 1)));
  const state = { port: await listen(server), left: 0 };
  return state;
}

async function startWire(first: number) {
  const sockets = new Set<Socket>();
  const state = {
    to: first,
    port: 0,
    cut: () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port: state.to });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  state.port = await listen(server);
  belongings.add(() => state.cut());
  return state;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  belongings.add(() => void server.close());
  return portOf(server);
}

async function openEvents(): Promise<{ socket: PinnedSocket; closed: Promise<[number, string]> }> {
  const closed = Promise.withResolvers<[number, string]>();
  const socket = await openPinnedSocket(
    pinned,
    { path: '/api/events', token },
    { message: () => undefined, closed: (code, reason) => closed.resolve([code, reason]) },
  );
  return { socket, closed: closed.promise };
}

/** When the connection is over, and all of it was read. */
async function expectNothingOverheard(): Promise<void> {
  await until('the connection to be over', () => mallory.left > 0 || undefined);
  expect(Buffer.concat(overheard).toString()).toBe('');
}

describe('a gateway that shows the certificate which was trusted', () => {
  it('answers, over connections that are kept', async () => {
    await expect(askOperation(client, 'gateway.status', {}, { token })).resolves.toMatchObject({ ready: true });
    const answers = await Promise.all(Array.from({ length: 40 }, () => client.ask({ method: 'GET', path: '/healthz' })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('is asked again when a connection that was kept turns out to be cut', async () => {
    await client.ask({ method: 'GET', path: '/healthz' });
    wire.cut();
    expect(await client.ask({ method: 'GET', path: '/healthz' })).toMatchObject({ status: 200 });
  });

  it('opens a WebSocket to whoever is logged in, and says why not to others', async () => {
    const { socket, closed } = await openEvents();
    socket.close();
    expect(await closed).toEqual([1000, '']);
    const refused = openPinnedSocket(
      pinned,
      { path: '/api/events', token: undefined },
      { message: () => undefined, closed: () => undefined },
    );
    await expect(refused).rejects.toMatchObject({ code: 'LOGIN_REQUIRED' });
  });

  it('tells what it is by its certificate, before anything was trusted', async () => {
    expect(await lookAtGateway(pinned.origin)).toMatchObject({
      fingerprint: pinned.fingerprint,
      vouchedFor: false,
      selfSigned: true,
      names: expect.arrayContaining(['127.0.0.1']),
    });
  });
});

describe('somebody who stands between, with another certificate', () => {
  it('is not told a single byte of a request', async () => {
    wire.to = mallory.port;
    const asked = client.ask({ method: 'POST', path: '/api/logout', body: '{}', token });
    await expect(asked).rejects.toMatchObject({ code: 'GATEWAY_MISMATCH', message: expect.stringContaining('another certificate') });
    await expectNothingOverheard();
  });

  it('is not told a single byte of a request that goes on after the real gateway was there', async () => {
    await client.ask({ method: 'GET', path: '/healthz', token });
    wire.to = mallory.port;
    wire.cut();
    await expect(client.ask({ method: 'GET', path: '/api/whoami', token })).rejects.toMatchObject({ code: 'GATEWAY_MISMATCH' });
    await expectNothingOverheard();
  });

  it('is not told a single byte of a WebSocket, nor of one that is opened anew', async () => {
    const { closed } = await openEvents();
    wire.to = mallory.port;
    wire.cut();
    expect(await closed).toEqual([1006, 'the connection was lost']);
    await expect(openEvents()).rejects.toMatchObject({ code: 'GATEWAY_MISMATCH' });
    await expectNothingOverheard();
  });
});

describe('a gateway that is not there', () => {
  it('is told of as such, with what to do', async () => {
    const nobody = await listen(createServer((socket) => socket.destroy()));
    const cut = new PinnedClient({ ...pinned, origin: `https://127.0.0.1:${nobody}` });
    await expect(cut.ask({ method: 'GET', path: '/healthz' })).rejects.toMatchObject({
      code: 'GATEWAY_UNREACHABLE',
      remedy: expect.any(String),
    });
  });
});

describe('an address that a person writes', () => {
  it.each([
    ['bastion.example.com', 'https://bastion.example.com:7443'],
    ['bastion.example.com:8443', 'https://bastion.example.com:8443'],
    [' https://BASTION.example.com ', 'https://bastion.example.com'],
    ['https://[::1]:7443', 'https://[::1]:7443'],
  ])('%j is %s', (text, origin) => expect(gatewayOrigin(text)).toBe(origin));

  it.each([
    'http://bastion',
    'https://a:b@bastion',
    'https://bastion/api',
    'https://bastion/?x',
    'https://bastion/#x',
    'file:///etc/passwd',
    '',
    'a b',
  ])('%j is none', (text) => expect(() => gatewayOrigin(text)).toThrow(expect.objectContaining({ code: 'USAGE' })));
});
