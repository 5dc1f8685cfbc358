import { once } from 'node:events';
import { connect } from 'node:net';
import ssh2, { type AnyAuthMethod } from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import { keyPair, rawClient, shellTarget, type TestGateway, testGateway } from './support.ts';

let belongings = new Belongings();
afterEach(async () => {
  await belongings.release();
  belongings = new Belongings();
});

/** Tries these methods in turn; tells which methods the gateway named, and how it ended. */
function attempt(gateway: TestGateway, methods: AnyAuthMethod[]): Promise<{ named: Set<string>; ready: boolean }> {
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    const named = new Set<string>();
    let ready = false;
    client.on('ready', () => {
      ready = true;
      client.end();
    });
    client.on('error', () => undefined);
    client.on('close', () => resolve({ named, ready }));
    const left: AnyAuthMethod[] = [{ type: 'none', username: 'sh' }, ...methods];
    client.connect({
      host: gateway.host,
      port: gateway.port,
      username: 'sh',
      authHandler: (remaining, _partial, next) => {
        for (const method of (remaining ?? []) as string[]) named.add(method);
        next(left.shift() ?? (false as never));
      },
    });
  });
}

const refusals = (gateway: TestGateway) =>
  until('a record', () => (gateway.ledger.of('auth.refused').length > 0 ? gateway.ledger.of('auth.refused') : undefined));

describe('logging in', () => {
  it('is offered by public key and nothing else, also to who tries a password', async () => {
    const gateway = await testGateway(belongings, { targets: [shellTarget()] });
    const { named, ready } = await attempt(gateway, [{ type: 'password', username: 'sh', password: 'open' }]);
    expect([...named]).toEqual(['publickey']);
    expect(ready).toBe(false);
    const [record] = await refusals(gateway);
    expect(record?.body).toMatchObject({ method: 'password', user: 'sh' });
    expect(JSON.stringify(gateway.ledger.stored.map(({ record: kept }) => kept))).not.toContain('open"');
  });

  it('ends after so many refused keys, with one record', async () => {
    const gateway = await testGateway(belongings, { targets: [shellTarget()] });
    const strangers = Array.from({ length: 6 }, () => ({ type: 'publickey' as const, username: 'sh', key: keyPair().private }));
    const { ready } = await attempt(gateway, [...strangers, { type: 'publickey', username: 'sh', key: gateway.key }]);
    expect(ready).toBe(false);
    expect(await refusals(gateway)).toHaveLength(1);
  });

  it('needs the private half: a known key with a signature that is not its own is refused and recorded', async () => {
    const gateway = await testGateway(belongings, { targets: [shellTarget()] });
    const parsed = ssh2.utils.parseKey(gateway.key);
    if (parsed instanceof Error) throw parsed;
    const forged = Object.assign(Object.create(parsed) as typeof parsed, { sign: () => Buffer.alloc(64, 7) });
    const { ready } = await attempt(gateway, [{ type: 'publickey', username: 'sh', key: forged as never }]);
    expect(ready).toBe(false);
    expect((await refusals(gateway))[0]?.body.reason).toBe('the signature does not verify');
  });

  it('by an RSA key takes SHA-2, and SHA-1 only when it is named', async () => {
    const rsa = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 });
    const parsed = ssh2.utils.parseKey(rsa.private);
    if (parsed instanceof Error) throw parsed;
    // A client that knows nothing of SHA-2 signs with plain ssh-rsa whatever it is asked for.
    const old = async (gateway: TestGateway) => {
      const client = new ssh2.Client();
      const socket = connect(gateway.port, gateway.host);
      await once(socket, 'connect');
      client.connect({ sock: socket, username: 'sh', privateKey: rsa.private });
      const protocol = (client as unknown as { _protocol: { authPK(...args: unknown[]): void } })._protocol;
      const authPK = protocol.authPK.bind(protocol);
      protocol.authPK = (user, key, _algorithm, sign) =>
        authPK(
          user,
          key,
          'ssh-rsa',
          sign === undefined ? undefined : (blob: Buffer, done: (signature: Buffer) => void) => done(parsed.sign(blob, 'sha1')),
        );
      return new Promise<boolean>((resolve) => {
        client.on('ready', () => {
          resolve(true);
          client.end();
        });
        client.on('error', () => resolve(false));
      });
    };
    const strict = await testGateway(belongings, { targets: [shellTarget()], publicKeys: [rsa.public] });
    expect((await attempt(strict, [{ type: 'publickey', username: 'sh', key: rsa.private }])).ready).toBe(true);
    expect(await old(strict)).toBe(false);
    const lenient = await testGateway(belongings, {
      targets: [shellTarget()],
      publicKeys: [rsa.public],
      listener: { weakAlgorithms: ['ssh-rsa'] },
    });
    expect(await old(lenient)).toBe(true);
  });
});

describe('closing the listener', () => {
  it('does not wait for who is connected', async () => {
    const gateway = await testGateway(belongings, { targets: [shellTarget()] });
    const peer = await rawClient(gateway, { username: 'sh', privateKey: gateway.key });
    await gateway.listener.close();
    expect(peer.closed).toBe(false);
    peer.port.end();
  });
});
