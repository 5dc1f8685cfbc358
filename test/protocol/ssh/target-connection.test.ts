import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import ssh2, { type AuthContext } from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../gateway/base/secret.ts';
import type { SshTargetSettings } from '../../../gateway/protocol/ssh/ssh-target.ts';
import { connectToTarget, fingerprintOf } from '../../../gateway/protocol/ssh/target-connection.ts';
import { Belongings } from '../../support/temp.ts';
import { fastest, freePort } from '../../support/wait.ts';
import { keyPair } from './support.ts';

let belongings = new Belongings();
afterEach(async () => {
  await belongings.release();
  belongings = new Belongings();
});

/** For what comes to its end; a key with a passphrase alone takes half a second. */
const options = { connect: 30, handshake: 30, weakAlgorithms: [], ident: 'Sallyport_test', rekey: { bytes: 0, seconds: 0 } };
/** For what never does. */
const hurried = { ...options, connect: 1 };
const login = { password: new Secret('open') };

function target(port: number, hostKey: string): SshTargetSettings {
  return {
    name: 'web',
    kind: 'ssh',
    tags: {},
    address: { host: '127.0.0.1', port },
    hostKey,
    login: 'root',
    environment: [],
    recording: {},
  };
}

async function listening(server: Server | ssh2.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  belongings.add(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Accepts connections and does this with them; counts the bytes that come. */
async function tcpServer(greet: (socket: Socket) => void): Promise<{ port: number; received: () => number }> {
  let received = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    belongings.add(() => void socket.destroy());
    greet(socket);
  });
  return { port: await listening(server), received: () => received };
}

function blobOf(privateKey: string): Buffer {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  return parsed.getPublicSSH();
}

async function sshServer(hostKeys: string[], decide: (context: AuthContext) => void): Promise<number> {
  const server = new ssh2.Server({ hostKeys }, (connection) => {
    connection.on('error', () => undefined);
    connection.on('authentication', decide);
  });
  return listening(server);
}

const ed25519 = keyPair();
const ecdsa = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
const accept = (context: AuthContext) => (context.method === 'none' ? context.reject(['password']) : context.accept());

describe('a target', () => {
  it('is reached by whichever of its host keys is pinned, also the second time', async () => {
    const port = await sshServer([ed25519.private, ecdsa.private], accept);
    for (const pinned of [ecdsa, ed25519, ecdsa]) {
      const transport = await connectToTarget(target(port, fingerprintOf(blobOf(pinned.private))), login, options, Promise.resolve());
      transport.end();
    }
  });

  it('with another host key is refused with the remedy, and no log-in is tried', async () => {
    let tried = 0;
    const port = await sshServer([ed25519.private], (context) => {
      tried += 1;
      accept(context);
    });
    const changed = connectToTarget(target(port, fingerprintOf(blobOf(ecdsa.private))), login, options, Promise.resolve());
    await expect(changed).rejects.toMatchObject({ code: 'TARGET_HOST_KEY_CHANGED', remedy: expect.stringContaining('host-key') });
    expect(tried).toBe(0);
  });

  it('that refuses connections is said to be unreachable', async () => {
    await expect(connectToTarget(target(await freePort(), 'SHA256:x'), login, options, Promise.resolve())).rejects.toMatchObject({
      code: 'TARGET_UNREACHABLE',
    });
  });

  const stages: [string, (socket: Socket) => void][] = [
    ['accepts and is silent', () => undefined],
    ['names itself and is silent', (socket) => void socket.write('SSH-2.0-silent\r\n')],
  ];
  for (const [what, greet] of stages) {
    it(`that ${what} is given up in time`, async () => {
      const { port } = await tcpServer(greet);
      const took = await fastest(2500, () =>
        expect(connectToTarget(target(port, 'SHA256:x'), login, hurried, Promise.resolve())).rejects.toMatchObject({
          code: 'TARGET_TIMEOUT',
        }),
      );
      // The whole handshake has thirty seconds; this is the first part of it, with room for a busy machine.
      expect(took).toBeLessThan(15_000);
    });
  }

  it('that never decides about the log-in is given up in time', async () => {
    const port = await sshServer([ed25519.private], () => undefined);
    await expect(
      connectToTarget(target(port, fingerprintOf(blobOf(ed25519.private))), login, hurried, Promise.resolve()),
    ).rejects.toMatchObject({ code: 'TARGET_TIMEOUT' });
  });

  it('that speaks something else, or hangs up, is said to be no SSH server', async () => {
    const http = await tcpServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(connectToTarget(target(http.port, 'SHA256:x'), login, options, Promise.resolve())).rejects.toMatchObject({
      code: 'TARGET_LOST',
    });
  });

  it('that refuses the password is said to have', async () => {
    const port = await sshServer([ed25519.private], (context) => context.reject(['password']));
    await expect(
      connectToTarget(target(port, fingerprintOf(blobOf(ed25519.private))), login, options, Promise.resolve()),
    ).rejects.toMatchObject({ code: 'TARGET_LOGIN_REFUSED' });
  });

  it('that offers nothing but keyboard-interactive gets the password as the answer', async () => {
    const port = await sshServer([ed25519.private], (context) => {
      if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
      context.prompt([{ prompt: 'Password: ', echo: false }], (answers) => (answers?.[0] === 'open' ? context.accept() : context.reject()));
    });
    const transport = await connectToTarget(target(port, fingerprintOf(blobOf(ed25519.private))), login, options, Promise.resolve());
    transport.end();
  });

  it('is logged in to with a key that has a passphrase', async () => {
    const key = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256, passphrase: 'secret', cipher: 'aes256-ctr' });
    const port = await sshServer([ed25519.private], (context) =>
      context.method === 'publickey' ? context.accept() : context.reject(['publickey']),
    );
    const there = target(port, fingerprintOf(blobOf(ed25519.private)));
    const transport = await connectToTarget(
      there,
      { privateKey: new Secret(key.private), passphrase: new Secret('secret') },
      options,
      Promise.resolve(),
    );
    transport.end();
    await expect(
      connectToTarget(there, { privateKey: new Secret(key.private), passphrase: new Secret('wrong') }, options, Promise.resolve()),
    ).rejects.toMatchObject({ code: 'TARGET_CREDENTIAL_MISSING' });
  });

  it('gets its first byte when the session is in the ledger, and none when it cannot be', async () => {
    const { port, received } = await tcpServer((socket) => void socket.write('SSH-2.0-waiting\r\n'));
    let durable: () => void = () => undefined;
    const promised = new Promise<void>((resolve) => {
      durable = resolve;
    });
    const attempt = connectToTarget(target(port, 'SHA256:x'), login, hurried, promised).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(received()).toBe(0);
    durable();
    await attempt;
    expect(received()).toBeGreaterThan(0);
    const before = received();
    const failing = Promise.reject(new Error('no ledger'));
    // As runSession does, which waits for it beside the connection.
    failing.catch(() => undefined);
    await expect(connectToTarget(target(port, 'SHA256:x'), login, hurried, failing)).rejects.toThrow();
    expect(received()).toBe(before);
  });
});
