import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditRecord, RecordType } from '../../contract/record.ts';
import { isoMicros, systemClock } from '../../gateway/base/clock.ts';
import { SallyportError } from '../../gateway/base/errors.ts';
import { createLog } from '../../gateway/base/log.ts';
import { UsedOnce } from '../../gateway/base/used-once.ts';
import { AttemptLimiter } from '../../gateway/identity/attempt-limiter.ts';
import { CertificateAuthority } from '../../gateway/identity/certificate-authority.ts';
import { RevokedCertificates } from '../../gateway/identity/revoked-certificates.ts';
import { verifyingKeys } from '../../gateway/identity/workload-keys.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { type CredentialOperationParts, credentialOperations } from '../../gateway/operator-api/credential-operations.ts';
import { identifyKey } from '../../gateway/session/authenticate.ts';
import type { CertificateAsker, CredentialsInForce } from '../../gateway/session/credentials.ts';
import { LiveSessions } from '../../gateway/session/live-sessions.ts';
import { Locks } from '../../gateway/session/locks.ts';
import type { SessionParts } from '../../gateway/session/session-parts.ts';
import { Database } from '../../gateway/store/database.ts';
import { ed25519Blob, identify, principals, trustOf } from '../identity/certificate-support.ts';
import { makeTokenIssuer, type TokenIssuer } from '../support/certificates.ts';
import { recordsOf } from '../support/records.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
const directory = belongings.directory('credentials');
const authority = new CertificateAuthority(generateKeyPairSync('ed25519').privateKey);
const key = `ssh-ed25519 ${ed25519Blob(generateKeyPairSync('ed25519').publicKey).toString('base64')} laptop`;
const signal = new AbortController().signal;
let database: Database;
let records: Records;
let locks: Locks;
let ci: TokenIssuer;
beforeAll(async () => {
  ci = await makeTokenIssuer('https://ci.example.com', 'EdDSA');
  database = await Database.openForGateway(directory);
  belongings.add(() => database.close());
  records = new Records(database.records, systemClock, 'bastion-1');
  const live = new LiveSessions(() => ({ sessions: 10, sessionsPerPrincipal: 10 }));
  locks = await Locks.load(database.locks, { records, live, clock: systemClock, log: createLog('silent'), gatewayName: 'bastion-1' });
});
afterAll(() => belongings.release());

function inForce(more: Partial<CredentialsInForce> = {}): CredentialsInForce {
  const keys = { file: 'jwks.json', set: ci.keys as never };
  const agents = [
    { subject: 'repo:acme/web', agent: 'deploy-bot', targets: ['web-1', 'web-2'], delegation: false },
    { subject: 'repo:acme/any', agent: 'deploy-bot', delegation: false },
  ];
  const workload = {
    name: 'ci',
    issuer: ci.issuer,
    audience: 'https://gateway.example.com',
    keys,
    subjectClaim: 'sub',
    singleUse: true,
    agents,
  };
  return {
    principals,
    issuers: [{ workload, keys: verifyingKeys(keys) }],
    spent: new UsedOnce(100_000),
    lifetimes: { lifetimeSeconds: 900, longestSeconds: 3600 },
    admitUnlisted: false,
    ...more,
  };
}

function partsWith(more: Partial<CredentialOperationParts> = {}, force: Partial<CredentialsInForce> = {}): CredentialOperationParts {
  const now = inForce(force);
  return {
    clock: systemClock,
    log: createLog('silent'),
    records,
    limiter: new AttemptLimiter({ failures: 3, withinSeconds: 60, forSeconds: 60 }),
    locks,
    gatewayName: 'bastion-1',
    authority,
    hostKey: 'ssh-ed25519 AAAA',
    revoked: new RevokedCertificates([]),
    certificates: database.certificates,
    inForce: () => now,
    ...more,
  };
}

type Operations = ReturnType<typeof credentialOperations>;

function issueCredential(
  input: Parameters<Operations['credential.issue']>[0],
  who: ReturnType<typeof asker>,
  parts: CredentialOperationParts,
) {
  return credentialOperations(parts)['credential.issue'](input, who);
}

function revokeCredential(
  input: Parameters<Operations['credential.revoke']>[0],
  who: ReturnType<typeof asker>,
  parts: CredentialOperationParts,
) {
  return credentialOperations(parts)['credential.revoke'](input, who);
}

let port = 0;
/** Somebody whose records are easily found. */
function asker(operator?: Partial<NonNullable<CertificateAsker['operator']>>) {
  port += 1;
  const source = `192.0.2.7:${port}`;
  if (operator === undefined) return { actor: { principal: 'unknown', kind: 'unknown' as const, source }, signal };
  const authentication = { method: 'publickey', key: 'SHA256:abc' };
  const whole = { name: 'engineer@example.com', groups: [], kind: 'login' as const, authentication, ...operator };
  return {
    actor: { principal: whole.name, kind: 'human' as const, authentication: whole.authentication, source },
    operator: whole,
    signal,
  };
}

async function recordOf<T extends RecordType>(type: T, source: string): Promise<AuditRecord<T> | undefined> {
  await records.flush();
  return (await recordsOf(directory, type)).find(({ actor }) => actor.source === source);
}

function identified(certificate: string, admitUnlisted = false) {
  const now = Math.floor(Date.now() / 1000);
  return identify(Buffer.from(certificate.split(' ')[1] ?? '', 'base64'), trustOf(authority.blob, [], { admitUnlisted }), { now });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof SallyportError) return thrown.code;
  throw new Error(`not refused: ${String(thrown)}`);
}

describe('a certificate by log-in', () => {
  test('is for the human who logged in, with what the provider said of them', async () => {
    const provider = { issuer: 'https://login.example.com', subject: '42', amr: ['hwk'], acr: 'high' };
    const who = asker({ groups: ['on-call'], authentication: { method: 'oidc', provider } });
    const { certificate, serial, principal, validTo } = await issueCredential({ key, seconds: 60, targets: ['web-1'] }, who, partsWith());
    expect(principal).toBe('engineer@example.com');
    expect(Date.parse(validTo) - Date.now()).toBeLessThanOrEqual(61_000);
    expect(identified(certificate)).toMatchObject({
      principal: { name: 'engineer@example.com', kind: 'human', groups: ['platform', 'on-call'] },
      provider,
      facts: { serial, id: 'engineer@example.com, by log-in (https://login.example.com)' },
      restrictions: { targets: ['web-1'] },
    });
    expect(await recordOf('credential.issued', who.actor.source)).toMatchObject({
      outcome: 'success',
      actor: { principal: 'engineer@example.com' },
      body: { credential: 'ssh-certificate', id: serial, principal, targets: ['web-1'], validTo, proof: { method: 'oidc', ...provider } },
    });
  });

  test('is for somebody who is not listed only where that is admitted', async () => {
    const guest = { name: 'guest@example.com', groups: ['visitors'], authentication: { method: 'oidc' } };
    const { certificate } = await issueCredential({ key }, asker(guest), partsWith({}, { admitUnlisted: true }));
    expect(identified(certificate, true)).toMatchObject({ principal: { name: 'guest@example.com', groups: ['visitors'] } });
    expect(identified(certificate)).toMatchObject({ refused: 'guest@example.com is not in the configuration' });
    const who = asker(guest);
    expect(await codeOf(issueCredential({ key }, who, partsWith()))).toBe('CREDENTIAL_REFUSED');
    expect(await recordOf('auth.refused', who.actor.source)).toMatchObject({ body: { method: 'oidc', user: 'guest@example.com' } });
  });

  test.each([
    ['a program with a token', { kind: 'program' as const }, 'a token of a program gets no certificate'],
    ['somebody who is disabled by now', { name: 'former@example.com' }, 'former@example.com is disabled'],
    ['an agent', { name: 'deploy-bot' }, 'deploy-bot is an agent'],
  ])('is not for %s, and that is recorded', async (_what, operator, reason) => {
    const who = asker(operator);
    expect(await codeOf(issueCredential({ key }, who, partsWith()))).toBe('CREDENTIAL_REFUSED');
    expect(await recordOf('auth.refused', who.actor.source)).toMatchObject({ outcome: 'denied', body: { protocol: 'https', reason } });
    expect(await recordOf('credential.issued', who.actor.source)).toBeUndefined();
  });

  test('is not for nobody, for what is no key, or for longer than the longest', async () => {
    expect(await codeOf(issueCredential({ key }, asker(), partsWith()))).toBe('LOGIN_REQUIRED');
    expect(await codeOf(issueCredential({ key: 'ssh-ed25519 AAAA' }, asker({}), partsWith()))).toBe('REQUEST_INVALID');
    expect(await codeOf(issueCredential({ key, seconds: 3601 }, asker({}), partsWith()))).toBe('REQUEST_INVALID');
  });

  test('does not leave the gateway when it can not be recorded', async () => {
    const failing = { append: () => Promise.reject(new SallyportError('LEDGER_FAILED', 'the disk is full')) };
    expect(await codeOf(issueCredential({ key }, asker({}), partsWith({ records: failing })))).toBe('LEDGER_FAILED');
  });
});

describe('a certificate for a token', () => {
  test('is for its agent, at the targets of the workload or fewer', async () => {
    const who = asker();
    const { certificate, serial } = await issueCredential(
      { key, token: await ci.token({ sub: 'repo:acme/web', jti: '1' }) },
      who,
      partsWith(),
    );
    expect(identified(certificate)).toMatchObject({
      principal: { name: 'deploy-bot', onBehalfOf: 'engineer@example.com' },
      restrictions: { targets: ['web-1', 'web-2'] },
      facts: { id: 'deploy-bot for engineer@example.com, by workload ci (repo:acme/web)' },
    });
    expect(await recordOf('credential.issued', who.actor.source)).toMatchObject({
      actor: { principal: 'deploy-bot', kind: 'agent', onBehalfOf: 'engineer@example.com', authentication: { method: 'workload-token' } },
      body: { id: serial, onBehalfOf: 'engineer@example.com', proof: { issuer: ci.issuer, subject: 'repo:acme/web', id: '1' } },
    });
    const fewer = await issueCredential(
      { key, token: await ci.token({ sub: 'repo:acme/web', jti: '2' }), targets: ['web-2'] },
      asker(),
      partsWith(),
    );
    expect(identified(fewer.certificate)).toMatchObject({ restrictions: { targets: ['web-2'] } });
    const any = await issueCredential({ key, token: await ci.token({ sub: 'repo:acme/any' }), targets: ['db-1'] }, asker(), partsWith());
    expect(identified(any.certificate)).toMatchObject({ restrictions: { targets: ['db-1'] } });
  });

  test('at another target is not given, and that is recorded', async () => {
    const who = asker();
    const asked = issueCredential(
      { key, token: await ci.token({ sub: 'repo:acme/web', jti: '3' }), targets: ['web-1', 'db-1'] },
      who,
      partsWith(),
    );
    expect(await codeOf(asked)).toBe('CREDENTIAL_REFUSED');
    expect(await recordOf('auth.refused', who.actor.source)).toMatchObject({
      body: { reason: 'its tokens are not good for the target db-1' },
    });
  });

  test('that is not good is refused with a record, and without a reason for whoever showed it', async () => {
    const who = asker();
    const token = await ci.token({ sub: 'somebody \ud800 else' });
    const thrown = await issueCredential({ key, token }, who, partsWith()).catch((error: unknown) => error as SallyportError);
    expect(thrown).toMatchObject({ code: 'CREDENTIAL_REFUSED', message: 'the token was not taken' });
    expect(await recordOf('auth.refused', who.actor.source)).toMatchObject({
      body: { protocol: 'https', method: 'workload-token', reason: expect.stringContaining('no agent is the workload') as string },
    });
    expect((await recordOf('auth.refused', who.actor.source))?.actor).toEqual({
      principal: 'unknown',
      kind: 'unknown',
      source: who.actor.source,
    });
  });

  test('is not even looked at any more from where many were refused', async () => {
    const parts = partsWith();
    for (let n = 0; n < 3; n += 1) expect(await codeOf(issueCredential({ key, token: 'x' }, asker(), parts))).toBe('CREDENTIAL_REFUSED');
    const who = asker();
    expect(await codeOf(issueCredential({ key, token: await ci.token({ sub: 'repo:acme/web', jti: '9' }) }, who, parts))).toBe(
      'CREDENTIAL_REFUSED',
    );
    // A flood of refusals does not become a flood of records.
    expect(await recordOf('auth.refused', who.actor.source)).toBeUndefined();
  });
});

describe('a revoked certificate', () => {
  test('is refused from then on, after a restart and after the tables are made anew', async () => {
    const parts = partsWith({ revoked: new RevokedCertificates([]) });
    const { serial } = await issueCredential({ key }, asker({}), parts);
    const { serial: other } = await issueCredential({ key }, asker({}), parts);
    const who = asker({ name: 'reviewer@example.com' });
    await revokeCredential({ serial: `0${serial}`, reason: 'lost' }, who, parts);
    expect([serial, other].map((each) => (parts.revoked as RevokedCertificates).has(each))).toEqual([true, false]);
    expect(await recordOf('credential.revoked', who.actor.source)).toMatchObject({
      body: { id: serial, reason: 'lost' },
      actor: { principal: 'reviewer@example.com' },
    });
    const now = isoMicros(Date.now() * 1000);
    expect(await database.certificates.revoked(now)).toEqual([serial]);
    // One that has expired by itself is not remembered.
    expect(await database.certificates.revoked(isoMicros((Date.now() + 901_000) * 1000))).toEqual([]);
    await database.rebuildProjections();
    expect(await database.certificates.revoked(now)).toEqual([serial]);
    expect(await database.certificates.validTo(other)).toMatch(/Z$/);
  });

  test('has to be one that the gateway issued', async () => {
    const parts = partsWith();
    for (const serial of ['1', '99999999999999999999'])
      expect(await codeOf(revokeCredential({ serial, reason: 'x' }, asker({}), parts))).toBe('NOT_FOUND');
    await records.append({
      type: 'credential.issued',
      outcome: 'success',
      actor: records.gateway,
      target: { name: 'bastion-1', kind: 'gateway' },
      body: { credential: 'operator-token', id: '77', principal: 'x', validFrom: isoMicros(0), validTo: isoMicros(1), proof: {} },
    });
    expect(await codeOf(revokeCredential({ serial: '77', reason: 'x' }, asker({}), parts))).toBe('NOT_FOUND');
  });

  test('nothing is revoked that could not be recorded', async () => {
    const { serial } = await issueCredential({ key }, asker({}), partsWith());
    const failing = { append: () => Promise.reject(new SallyportError('LEDGER_FAILED', 'the disk is full')) };
    const revoked = new RevokedCertificates([]);
    expect(await codeOf(revokeCredential({ serial, reason: 'x' }, asker({}), partsWith({ records: failing, revoked })))).toBe(
      'LEDGER_FAILED',
    );
    expect(revoked.has(serial)).toBe(false);
  });
});

describe('a locked principal', () => {
  const by = { principal: 'reviewer@example.com', kind: 'human' as const, source: '192.0.2.8:1' };
  const reason = 'a stolen laptop';

  test('gets no certificate, nor does an agent that acts for them, and one from before lets nobody in', async () => {
    const before = await issueCredential({ key, token: await ci.token({ sub: 'repo:acme/any', jti: 'before' }) }, asker(), partsWith());
    const enter = () =>
      identifyKey(
        {
          protocol: 'ssh',
          user: 'web-1',
          source: '192.0.2.7:1',
          algorithm: 'ssh-ed25519-cert-v01@openssh.com',
          blob: Buffer.from(before.certificate.split(' ')[1] ?? '', 'base64'),
        },
        {
          clock: systemClock,
          locks,
          inForce: () => ({ principals, certificates: trustOf(authority.blob, []) }),
        } as unknown as SessionParts,
      );
    expect(enter().who?.actor).toMatchObject({ principal: 'deploy-bot', authentication: { method: 'certificate' } });
    await locks.set({ principal: 'engineer@example.com', reason }, by);
    expect(enter().refused).toBe('engineer@example.com is locked by reviewer@example.com: a stolen laptop');
    const [human, agent] = [asker({}), asker()];
    expect(await codeOf(issueCredential({ key }, human, partsWith()))).toBe('CREDENTIAL_REFUSED');
    const token = await ci.token({ sub: 'repo:acme/any', jti: 'after' });
    expect(await codeOf(issueCredential({ key, token }, agent, partsWith()))).toBe('CREDENTIAL_REFUSED');
    for (const { actor } of [human, agent])
      expect(await recordOf('auth.refused', actor.source)).toMatchObject({ body: { reason: expect.stringContaining(reason) as string } });
    await locks.clear({ principal: 'engineer@example.com', reason }, by);
    expect(enter().refused).toBeUndefined();
  });
});

test('the authority says which it is', async () => {
  expect(await credentialOperations(partsWith())['credential.authority']()).toEqual({
    authority: authority.line,
    hostKey: 'ssh-ed25519 AAAA',
  });
  expect(authority.line).toMatch(/^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI\S+ sallyport-ca$/);
});
