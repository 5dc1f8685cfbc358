import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fingerprintOf, loadOrMakeCertificate, namesOf } from '../../gateway/operator-api/own-certificate.ts';
import { selfSigned } from '../../gateway/operator-api/self-signed.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const DAY = 86_400_000;
const now = new Date('2026-03-01T12:00:00Z');
const names = ['bastion.example.com', 'localhost', '192.0.2.7', '2001:db8::7', '::ffff:192.0.2.9', '::'];

function dataDirectory(): string {
  const directory = belongings.directory('certificate');
  mkdirSync(join(directory, 'keys'), { mode: 0o700 });
  return directory;
}

const file = (directory: string, name: string) => join(directory, 'keys', name);

describe('the certificate that a gateway makes', () => {
  test('is for every name and address, for 397 days, on P-256, and nobody else may read its key', async () => {
    const directory = dataDirectory();
    const made = await loadOrMakeCertificate(directory, names, now);
    const certificate = new X509Certificate(made.chain);
    expect(certificate.subjectAltName).toBe(
      'DNS:bastion.example.com, DNS:localhost, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7, IP Address:0:0:0:0:0:FFFF:C000:209, IP Address:0:0:0:0:0:0:0:0',
    );
    expect((certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / DAY).toBe(397);
    expect(certificate.validFromDate.getTime()).toBeLessThan(now.getTime());
    expect(certificate.ca).toBe(false);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(statSync(file(directory, 'https.key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(file(directory, 'https.key'), 'utf8')).toBe(made.key);
    expect(readFileSync(file(directory, 'https.crt'), 'utf8')).toBe(made.chain);
  });

  test('is a certificate to openssl, strictly checked, with the fingerprint that is printed', async () => {
    const directory = dataDirectory();
    const made = await loadOrMakeCertificate(directory, ['localhost'], new Date());
    const path = file(directory, 'https.crt');
    const verified = await run('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', path, path]);
    expect(verified.stdout.toString()).toBe(`${path}: OK\n`);
    const printed = await run('openssl', ['x509', '-in', path, '-noout', '-fingerprint', '-sha256']);
    expect(printed.stdout.toString()).toBe(`sha256 Fingerprint=${fingerprintOf(made)}\n`);
  });

  test('is the same at the next start', async () => {
    const directory = dataDirectory();
    const made = await loadOrMakeCertificate(directory, names, now);
    expect(await loadOrMakeCertificate(directory, names, new Date(now.getTime() + 300 * DAY))).toEqual(made);
    expect(readdirSync(join(directory, 'keys')).toSorted()).toEqual(['https.crt', 'https.key']);
  });

  test.each([
    ['it has a month left', names, 367 * DAY],
    ['it has expired', names, 400 * DAY],
    ['the clock was wrong when it was made', names, -2 * DAY],
    ['the gateway is called otherwise', [...names, 'other.example.com'], 0],
    ['the gateway listens elsewhere', [...names, '192.0.2.8'], 0],
  ])('is made anew, for the same key, when %s', async (_why, names2, later) => {
    const directory = dataDirectory();
    const made = await loadOrMakeCertificate(directory, names, now);
    const at = new Date(now.getTime() + later);
    const next = await loadOrMakeCertificate(directory, names2, at);
    expect(next.key).toBe(made.key);
    expect(next.chain).not.toBe(made.chain);
    expect(new X509Certificate(next.chain).validToDate.getTime() - at.getTime()).toBeGreaterThan(390 * DAY);
    expect(await loadOrMakeCertificate(directory, names2, at)).toEqual(next);
  });

  test('is made anew when it was cut off, or is that of another key', async () => {
    const directory = dataDirectory();
    const made = await loadOrMakeCertificate(directory, names, now);
    const other = selfSigned({ commonName: 'other', names, notBefore: now, notAfter: new Date(now.getTime() + 397 * DAY) });
    for (const wrong of ['', made.chain.slice(0, 200), other.certificate]) {
      writeFileSync(file(directory, 'https.crt'), wrong);
      const next = await loadOrMakeCertificate(directory, names, now);
      expect(new X509Certificate(next.chain).publicKey.export({ type: 'spki', format: 'pem' })).toBe(
        new X509Certificate(made.chain).publicKey.export({ type: 'spki', format: 'pem' }),
      );
    }
  });

  test('has one key, however many start at the same moment', async () => {
    const directory = dataDirectory();
    const made = await Promise.all(Array.from({ length: 8 }, () => loadOrMakeCertificate(directory, names, now)));
    expect(new Set(made.map(({ key }) => key)).size).toBe(1);
    expect(readdirSync(join(directory, 'keys')).toSorted()).toEqual(['https.crt', 'https.key']);
  });

  test.each([
    ['cut off', '-----BEGIN PRIVATE KEY-----\n'],
    ['of another kind', readRsaKey()],
  ])('is not made for a key that is %s: that is said', async (_how, key) => {
    const directory = dataDirectory();
    writeFileSync(file(directory, 'https.key'), key);
    await expect(loadOrMakeCertificate(directory, names, now)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_INVALID' });
    expect(readFileSync(file(directory, 'https.key'), 'utf8')).toBe(key);
  });
});

describe('names in it', () => {
  test('are the address that is listened on, the host and the loopback', () => {
    expect(namesOf('192.0.2.7')).toEqual(['192.0.2.7', hostname(), 'localhost', '127.0.0.1', '::1']);
  });

  test('do not repeat, and no address stands for all of them', () => {
    expect(namesOf('127.0.0.1')).toEqual(['127.0.0.1', hostname(), 'localhost', '::1']);
    expect(namesOf('::')).toEqual([hostname(), 'localhost', '127.0.0.1', '::1']);
  });
});

test('a date beyond 2049 is written with four digits, and a long name is cut', () => {
  const { certificate } = selfSigned({
    commonName: 'x'.repeat(300),
    names: [`${'y'.repeat(60)}.${'z'.repeat(60)}.example.com`],
    notBefore: new Date('2049-12-31T00:00:00Z'),
    notAfter: new Date('2051-01-01T00:00:00Z'),
  });
  const read = new X509Certificate(certificate);
  expect([read.validFromDate.toISOString(), read.validToDate.toISOString()]).toEqual([
    '2049-12-31T00:00:00.000Z',
    '2051-01-01T00:00:00.000Z',
  ]);
  expect(read.subject).toBe(`CN=${'x'.repeat(64)}`);
});

function readRsaKey(): string {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
