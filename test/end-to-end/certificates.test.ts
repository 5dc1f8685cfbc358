import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/base/clock.ts';
import { createLog } from '../../gateway/base/log.ts';
import { loadConfig } from '../../gateway/config.ts';
import { openEvidence } from '../../gateway/evidence.ts';
import { AttemptLimiter } from '../../gateway/identity/attempt-limiter.ts';
import { credentialOperations } from '../../gateway/operator-api/credential-operations.ts';
import { openCredentials } from '../../gateway/serve/credentials.ts';
import {
  blobOf,
  describeCertificate,
  makeCertifiedKey,
  makeRevocationList,
  makeTokenIssuer,
  replaceBlob,
} from '../support/certificates.ts';
import { paramiko, type Route, ssh } from '../support/clients.ts';
import { type KeyPair, makeKey } from '../support/keys.ts';
import { recordedAs, recordsOf } from '../support/records.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World, webTarget } from '../support/world.ts';

const belongings = new Belongings();
const directory = belongings.directory('certificates');
const data = join(belongings.directory('data'), 'data');
let world: World;
let company: KeyPair;
let rsaAuthority: KeyPair;
let stranger: KeyPair;
let listed: KeyPair;
let revocations: string;
/** Made by the gateway's own authority for what a token said, before the gateway runs. */
const own = new Map<string, { key: KeyPair; serial: string }>();

const humans = [{ name: 'engineer@example.com' }, { name: 'reviewer@example.com' }, { name: 'former@example.com', disabled: true }];

beforeAll(async () => {
  [company, rsaAuthority, stranger, listed] = await Promise.all([
    makeKey(directory, 'company-ca'),
    makeKey(directory, 'rsa-ca', 'rsa'),
    makeKey(directory, 'stranger-ca'),
    makeKey(directory, 'listed'),
  ]);
  const revoked = await makeRevocationList(directory, company, ['serial: 666', 'serial: 1000-1010', 'id: lost-laptop']);
  revocations = revoked;
  const { workloads } = await issueFromTokens();
  // A server whose administrator trusts both authorities, and lets agent-1 log in as root.
  const [trusted, allowed] = [join(directory, 'trusted'), join(directory, 'allowed')];
  writeFileSync(trusted, `${company.publicLine}\n${readFileSync(join(data, 'keys', 'ssh-ca.pub'), 'utf8')}`);
  writeFileSync(allowed, 'agent-1\n');
  world = await openWorld(belongings, {
    agents: 3,
    host: { settings: [`TrustedUserCAKeys ${trusted}`, `AuthorizedPrincipalsFile ${allowed}`] },
    web: { allow: ['agent-1', 'agent-2', 'agent-3', 'listed@example.com'] },
    targets: (host) => [webTarget(host, 'staging')],
    humans: [...humans.slice(1), { name: 'listed@example.com', 'ssh-keys': [listed.publicLine] }],
    configuration: {
      certificates: {
        authorities: [
          { name: 'company', key: company.publicLine },
          { name: 'rsa', key: rsaAuthority.publicLine },
        ],
        revoked,
      },
      workloads,
    },
    gateway: { data },
  });
}, 240_000);
afterAll(() => belongings.release());

/** The operations on the data directory of a gateway that does not run: what they do has to hold when it starts. */
async function issueFromTokens(): Promise<{ workloads: object[] }> {
  const issuer = await makeTokenIssuer('https://ci.example.com');
  const keys = join(directory, 'jwks.json');
  writeFileSync(keys, JSON.stringify(issuer.keys));
  const workloads = [
    {
      name: 'ci',
      issuer: issuer.issuer,
      audience: 'https://gateway.example.com',
      keys: { file: keys },
      agents: [
        { subject: 'repo:acme/web:ref:refs/heads/main', agent: 'agent-1', targets: ['web'] },
        { subject: 'repo:acme/delegating:*', agent: 'agent-2', delegation: true },
      ],
    },
  ];
  const file = join(directory, 'before.yaml');
  const agents = ['agent-1', 'agent-2'].map((name) => ({ name, 'on-behalf-of': 'engineer@example.com' }));
  const targets = [{ name: 'web', kind: 'shell' }];
  writeFileSync(file, JSON.stringify({ gateway: { listen: { ssh: '127.0.0.1:0' } }, humans, agents, targets, workloads }));
  const config = loadConfig(file);
  const log = createLog('silent');
  const clock = systemClock;
  const evidence = await openEvidence(config, data, { clock, log });
  const { database, records } = evidence;
  try {
    const credentials = await openCredentials(data, { database, clock, log });
    const operations = credentialOperations({
      clock,
      log,
      records,
      limiter: new AttemptLimiter(config.limits.lockout),
      locks: { lockOn: () => undefined },
      gatewayName: 'bastion-1',
      hostKey: 'ssh-ed25519 AAAA',
      certificates: database.certificates,
      revoked: credentials.revoked,
      authority: credentials.authority,
      inForce: () => exchange,
    });
    const exchange = credentials.exchangeOf(config);
    const asking = {
      actor: { principal: 'unknown', kind: 'unknown' as const, source: '192.0.2.9:40000' },
      signal: new AbortController().signal,
    };
    for (const [name, claims] of Object.entries({
      good: { sub: 'repo:acme/web:ref:refs/heads/main' },
      revoked: { sub: 'repo:acme/web:ref:refs/heads/main', jti: 'two' },
      delegated: { sub: 'reviewer@example.com', act: { sub: 'repo:acme/delegating:ref:refs/heads/x' } },
    })) {
      const key = await makeKey(directory, `own-${name}`);
      const { certificate, serial } = await operations['credential.issue'](
        { key: key.publicLine, token: await issuer.token(claims) },
        asking,
      );
      writeFileSync(`${key.path}-cert.pub`, `${certificate}\n`);
      own.set(name, { key, serial });
    }
    await operations['credential.revoke']({ serial: own.get('revoked')?.serial ?? '', reason: 'the laptop was stolen' }, asking);
    expect((await operations['credential.authority']()).authority).toBe(readFileSync(join(data, 'keys', 'ssh-ca.pub'), 'utf8').trim());
    await records.flush();
  } finally {
    await evidence.close();
  }
  return { workloads };
}

/** A way in for whoever has this key, and the certificate beside it. */
function routeOf(key: KeyPair, target = 'web'): Route {
  const { principal: _, ...route } = { ...base(), key, user: target };
  return route;
}

let first: ReturnType<World['agent']> | undefined;
function base(): ReturnType<World['agent']> {
  first ??= world.agent();
  return first;
}

let address = 0;
/** An address that nobody else connects from, so that its records are easily found. */
function nextAddress(): string {
  address += 1;
  return `127.0.2.${address}`;
}

describe.concurrent('certificates', () => {
  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    it(`3 lets in whom a trusted authority certified, with a key of type ${type}`, async () => {
      const { key } = await makeCertifiedKey(directory, `good-${type}`, {
        ca: company,
        type,
        id: `good-${type}`,
        serial: 42,
        principals: ['root', 'agent-1'],
        validity: '-1m:+1h',
      });
      const done = await ssh(routeOf(key), 'echo in', { flags: ['-v', '-o', 'LogLevel=DEBUG1'] });
      expect(done.stdout.toString(), done.stderr).toBe('in\n');
      const open = await recordedAs(data, 'session.open', ({ actor }) => actor.authentication?.certificate?.id === `good-${type}`);
      expect(open.actor).toMatchObject({
        principal: 'agent-1',
        kind: 'agent',
        onBehalfOf: 'engineer@example.com',
        authentication: { method: 'certificate', key: key.fingerprint, certificate: { serial: '42', ca: company.fingerprint } },
      });
    });
  }

  it('takes one that an RSA authority signed with SHA-2', async () => {
    const { key } = await makeCertifiedKey(directory, 'rsa-signed', {
      ca: rsaAuthority,
      principals: ['agent-1'],
      signature: 'rsa-sha2-256',
    });
    expect((await ssh(routeOf(key), 'echo in')).stdout.toString()).toBe('in\n');
  });

  it('takes one from the source addresses that it names', async () => {
    const { key } = await makeCertifiedKey(directory, 'near', {
      ca: company,
      principals: ['agent-1'],
      options: ['source-address=10.0.0.0/8,127.0.0.0/8,::1/128'],
    });
    expect((await ssh(routeOf(key), 'echo in')).stdout.toString()).toBe('in\n');
  });

  it('opens a jump through the gateway as it does a connection, with its source address and its targets', async () => {
    const [near, far] = await Promise.all(
      ['127.0.0.1/32', '10.0.0.0/8'].map(async (network, index) => {
        const options = [`source-address=${network}`];
        return (await makeCertifiedKey(directory, `jump-${index}`, { ca: company, id: `jump-${index}`, principals: ['agent-1'], options }))
          .key;
      }),
    );
    const jump = async (inner: KeyPair, target = 'web') => {
      const config = join(directory, `${randomUUID()}.ssh_config`);
      const { host, port } = base();
      const outer = own.get('good')?.key.path;
      const common = [
        'UserKnownHostsFile /dev/null',
        'StrictHostKeyChecking no',
        'BatchMode yes',
        'IdentitiesOnly yes',
        'IdentityAgent none',
      ];
      const gate = [`HostName ${host}`, `Port ${port}`, 'User somebody', `IdentityFile ${outer}`];
      writeFileSync(config, ['Host gate', ...gate, 'Host !gate *', `IdentityFile ${inner.path}`, 'Host *', ...common, ''].join('\n'), {
        mode: 0o600,
      });
      return run('ssh', ['-F', config, '-J', 'gate', `root@${target}`, 'echo in']);
    };
    expect((await jump(near ?? expect.fail())).stdout.toString()).toBe('in\n');
    const open = await recordedAs(data, 'session.open', ({ actor }) => actor.authentication?.certificate?.id === 'jump-0');
    expect(open.body.via?.principal).toBe('agent-1');
    expect((await jump(far ?? expect.fail())).stderr).toContain('Permission denied');
    // The token's certificate is good for web alone, in a connection through another one too.
    const beyond = await jump(own.get('good')?.key ?? expect.fail(), 'staging');
    expect(beyond.status).not.toBe(0);
    expect(beyond.stdout.toString()).toBe('');
    await recordedAs(data, 'session.refused', ({ target, body }) => target.name === 'staging' && body.requested.startsWith('direct-tcpip'));
  });

  it('runs its forced command instead of what is asked for, and gives no terminal that it does not permit', async () => {
    const options = ['force-command=echo forced', 'no-pty'];
    const { key } = await makeCertifiedKey(directory, 'forced', { ca: company, principals: ['agent-3'], options });
    expect((await ssh(routeOf(key), 'echo asked')).stdout.toString()).toBe('forced\n');
    const terminal = await ssh(routeOf(key), undefined, { flags: ['-tt'] });
    expect(terminal.stderr).toContain('PTY allocation request failed');
  });

  it('lets in the agent that a token was exchanged for, at its targets and no others', async () => {
    const { key, serial } = own.get('good') ?? expect.fail();
    expect(await describeCertificate(`${key.path}-cert.pub`)).toMatch(
      /Key ID: "agent-1 for engineer@example.com, by workload ci \(repo:acme\/web:ref:refs\/heads\/main\)"[\s\S]*identity@sallyport.dev[\s\S]*permit-pty/,
    );
    expect((await ssh(routeOf(key), 'echo in')).stdout.toString()).toBe('in\n');
    const open = await recordedAs(data, 'session.open', ({ actor }) => actor.authentication?.certificate?.serial === serial);
    expect(open.actor).toMatchObject({
      principal: 'agent-1',
      onBehalfOf: 'engineer@example.com',
      authentication: { method: 'certificate' },
    });
    const [issued] = (await recordsOf(data, 'credential.issued')).filter(({ body }) => body.id === serial);
    expect(issued?.body).toMatchObject({
      principal: 'agent-1',
      key: key.fingerprint,
      targets: ['web'],
      proof: { issuer: 'https://ci.example.com', subject: 'repo:acme/web:ref:refs/heads/main' },
    });
    const elsewhere = await ssh(routeOf(key, 'staging'), 'echo in');
    expect(elsewhere.status).not.toBe(0);
    expect(elsewhere.stderr).toContain('your certificate is not good for staging');
    const refused = await recordedAs(
      data,
      'session.refused',
      ({ actor, body }) => body.requested === 'staging' && actor.authentication?.certificate?.serial === serial,
    );
    expect(refused).toMatchObject({ body: { code: 'ACCESS_DENIED' }, target: { name: 'staging', kind: 'ssh' } });
  });

  it('lets in an agent for the human whom the act claim of a token names', async () => {
    const { key, serial } = own.get('delegated') ?? expect.fail();
    expect((await ssh(routeOf(key), 'echo in')).stdout.toString()).toBe('in\n');
    const open = await recordedAs(data, 'session.open', ({ actor }) => actor.authentication?.certificate?.serial === serial);
    expect(open.actor).toMatchObject({ principal: 'agent-2', kind: 'agent', onBehalfOf: 'reviewer@example.com' });
  });

  /** Paramiko shows what OpenSSH's client would not. */
  const refusals: Record<string, { make: () => Promise<KeyPair>; reason: string; client?: typeof paramiko }> = {
    expired: { make: certified({ validity: '-2h:-1h' }), reason: 'the certificate has expired' },
    'not valid yet': { make: certified({ validity: '+1h:+2h' }), reason: 'the certificate is not valid yet' },
    'of a principal who is not known': {
      make: certified({ principals: ['root', 'nobody'] }),
      reason: 'the certificate names no principal that is known',
    },
    'without principals': { make: certified({ principals: [] }), reason: 'the certificate names no principal' },
    'of two principals': {
      make: certified({ principals: ['agent-1', 'agent-2'] }),
      reason: 'the certificate names more than one principal that is known',
    },
    'for another source address': {
      make: certified({ options: ['source-address=10.0.0.0/8'] }),
      reason: 'the certificate is not for this source address',
    },
    'of an authority that is not trusted': {
      make: async () => certified({ ca: stranger })(),
      reason: 'that signed the certificate is not trusted',
    },
    'with a critical option that is not known': {
      make: certified({ options: ['critical:shiny@example.com=yes'] }),
      reason: 'which is not known here',
    },
    'for hosts': { make: certified({ host: true }), reason: 'it is a certificate for hosts, not for users', client: paramiko },
    'revoked by its serial number in a list': { make: certified({ serial: 666 }), reason: 'its serial number is revoked' },
    'revoked by a range in a list': { make: certified({ serial: 1004 }), reason: 'its serial number is revoked' },
    'revoked by its key id in a list': { make: certified({ id: 'lost-laptop' }), reason: 'its key id is revoked' },
    'of a disabled principal': { make: certified({ principals: ['former@example.com'] }), reason: 'former@example.com is disabled' },
    'of an RSA authority that signs with SHA-1': {
      make: async () => certified({ ca: rsaAuthority, signature: 'ssh-rsa' })(),
      reason: 'it uses SHA-1',
      client: paramiko,
    },
    'of its own authority, revoked by serial before a restart': {
      make: async () => own.get('revoked')?.key ?? expect.fail(),
      reason: 'its serial number is revoked',
    },
    'forged in one byte': {
      make: changed((blob) => blob.map((byte, at) => (at === blob.length - 100 ? byte ^ 1 : byte))),
      reason: "the authority's signature is not good",
      client: paramiko,
    },
    'of a key that the client does not hold': {
      make: async () => {
        const [holder, thief] = await Promise.all([certified({})(), certified({})()]);
        writeFileSync(`${thief.path}-cert.pub`, readFileSync(`${holder.path}-cert.pub`));
        return thief;
      },
      reason: 'the signature does not verify',
      client: paramiko,
    },
    truncated: { make: changed((blob) => blob.subarray(0, -1)), reason: 'cut off', client: paramiko },
    oversized: {
      make: certified({ principals: Array.from({ length: 200 }, (_, n) => `${'x'.repeat(90)}${n}`) }),
      reason: 'more than 16384 bytes',
    },
  };

  let made = 0;
  function certified(options: Partial<Parameters<typeof makeCertifiedKey>[2]>): () => Promise<KeyPair> {
    return async () => {
      made += 1;
      const { key } = await makeCertifiedKey(directory, `refused-${made}`, {
        ca: company,
        principals: ['agent-1'],
        validity: '-1m:+1h',
        ...options,
      });
      return key;
    };
  }
  function changed(change: (blob: Buffer) => Uint8Array): () => Promise<KeyPair> {
    return async () => {
      const key = await certified({})();
      replaceBlob(`${key.path}-cert.pub`, change(blobOf(`${key.path}-cert.pub`)));
      return key;
    };
  }

  for (const [what, { make, reason, client }] of Object.entries(refusals)) {
    it(`3 refuses one that is ${what}, with a record`, async () => {
      const route = routeOf(await make());
      const source = client === undefined ? nextAddress() : '127.0.0.1';
      const done =
        client === undefined ? await ssh(route, 'echo in', { flags: ['-o', `BindAddress=${source}`] }) : await client(route, 'print("in")');
      expect(done.status).not.toBe(0);
      expect(done.stdout.toString()).toBe('');
      expect(done.stderr).toMatch(/Permission denied \(publickey\)|AuthenticationException/);
      const record = await recordedAs(
        data,
        'auth.refused',
        ({ actor, body }) => actor.source.startsWith(`${source}:`) && (client === undefined || body.reason.includes(reason)),
      );
      expect(record.body.reason).toContain(reason);
      expect(record).toMatchObject({
        outcome: 'denied',
        actor: { principal: 'unknown' },
        body: { method: 'certificate', user: 'web', protocol: 'ssh' },
      });
    });
  }
});

describe("the gateway's own certificates", () => {
  it('open no other server, even one that trusts its authority', async () => {
    const { key } = await makeCertifiedKey(directory, 'elsewhere', { ca: company, principals: ['agent-1'] });
    const past = (with_: KeyPair) => ssh({ ...world.direct, key: with_ }, 'echo past the gateway');
    expect((await past(key)).stdout.toString()).toBe('past the gateway\n');
    const done = await past(own.get('good')?.key ?? expect.fail());
    expect(done.stderr).toContain('Permission denied');
    expect(done.stdout.toString()).toBe('');
    expect(world.host.log()).toMatch(/identity@sallyport\.dev/);
  });
});

describe('the revocation list', () => {
  /** Other bytes in its place, in force. */
  async function replace(bytes: Uint8Array): Promise<void> {
    const reloads = () => world.gateway.log().split('the configuration was reloaded').length;
    const before = reloads();
    writeFileSync(revocations, bytes);
    process.kill(world.gateway.pid, 'SIGHUP');
    await until('the configuration was reloaded', () => (reloads() > before ? true : undefined));
  }

  it('is read again at a reload; while it can not be read, no certificate is taken, and plain keys are', async () => {
    const { key } = await makeCertifiedKey(directory, 'revocable', { ca: company, principals: ['agent-1'], serial: 77 });
    const whole = readFileSync(revocations);
    const enter = async (): Promise<string> => (await ssh(routeOf(key), 'echo in')).stdout.toString();
    expect(await enter()).toBe('in\n');
    await replace(whole.subarray(0, -3));
    expect(await enter()).toBe('');
    expect((await ssh(routeOf(own.get('good')?.key ?? expect.fail()), 'echo in')).stdout.toString()).toBe('');
    expect((await ssh(routeOf(listed), 'echo in')).stdout.toString()).toBe('in\n');
    await world.gateway.logged('that the list is damaged', ({ code }) => code === 'CERTIFICATE_INVALID');
    await recordedAs(data, 'auth.refused', ({ body }) => body.reason === 'the revocation list cannot be read, so no certificate is taken');
    await replace(whole);
    expect(await enter()).toBe('in\n');
    await replace(readFileSync(await makeRevocationList(belongings.directory('next'), company, ['serial: 77'])));
    expect(await enter()).toBe('');
  });
});
