import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { faultOfSignature } from '../../gateway/base/ssh-key-signature.ts';
import { sshString } from '../../gateway/base/ssh-wire.ts';
import { CertificateAuthority, newSerial } from '../../gateway/identity/certificate-authority.ts';
import { issueCertificate } from '../../gateway/identity/issue-certificate.ts';
import { parseSshCertificate, type SshCertificate } from '../../gateway/identity/ssh-certificate.ts';
import { blobOf, describeCertificate, makeCertifiedKey } from '../support/certificates.ts';
import { makeKey } from '../support/keys.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { looseAuthority, names, options } from './certificate-support.ts';

const belongings = new Belongings();
const directory = belongings.directory('certificates');
afterAll(() => belongings.release());

function parsed(blob: Buffer): SshCertificate {
  const read = parseSshCertificate(blob);
  if ('fault' in read) throw new Error(read.fault);
  return read.certificate;
}

async function makeCurveKey(name: string, bits: number): Promise<{ path: string; publicLine: string; fingerprint: string }> {
  const path = join(directory, name);
  await run('ssh-keygen', ['-q', '-t', 'ecdsa', '-b', String(bits), '-N', '', '-f', path]);
  return { path, publicLine: '', fingerprint: '' };
}

describe('what ssh-keygen certifies', () => {
  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    test(`is read, with keys and authorities of type ${type}`, async () => {
      const ca = await makeKey(directory, `ca-${type}`, type);
      const { key, certificate } = await makeCertifiedKey(directory, `key-${type}`, {
        ca,
        type,
        id: 'jørgen at his desk',
        serial: 2n ** 64n - 1n,
        principals: ['root', 'engineer@example.com'],
        validity: '20260101000000Z:20270101000000Z',
        options: ['force-command=uptime', 'source-address=192.0.2.0/24', 'no-pty'],
      });
      const read = parsed(blobOf(certificate));
      expect(read).toMatchObject({
        serial: 2n ** 64n - 1n,
        type: 'user',
        keyId: 'jørgen at his desk',
        principals: ['root', 'engineer@example.com'],
        validAfter: BigInt(Date.UTC(2026, 0) / 1000),
        validBefore: BigInt(Date.UTC(2027, 0) / 1000),
      });
      expect(read.key).toEqual(Buffer.from(key.publicLine.split(' ')[1] ?? '', 'base64'));
      expect(read.ca).toEqual(Buffer.from(ca.publicLine.split(' ')[1] ?? '', 'base64'));
      expect([...read.criticalOptions.keys()]).toEqual(['force-command', 'source-address']);
      expect([...read.extensions.keys()]).toEqual([
        'permit-X11-forwarding',
        'permit-agent-forwarding',
        'permit-port-forwarding',
        'permit-user-rc',
      ]);
      expect(faultOfSignature(read.ca, read.signature, read.signed)).toBeUndefined();
    });
  }

  test('is read on the larger curves too', async () => {
    for (const bits of [384, 521]) {
      const ca = await makeCurveKey(`ca-${bits}`, bits);
      const { certificate } = await makeCertifiedKey(directory, `of-${bits}`, { ca });
      const read = parsed(blobOf(certificate));
      expect(faultOfSignature(read.ca, read.signature, read.signed)).toBeUndefined();
    }
  });
});

describe('a certificate is not read', () => {
  const ca = looseAuthority();
  const rows: [what: string, parts: Parameters<typeof ca.certify>[0], fault: string][] = [
    ['of a security key', { kind: 'sk-ssh-ed25519-cert-v01@openssh.com' }, 'this kind of certificate is not accepted'],
    ['of DSA', { kind: 'ssh-dss-cert-v01@openssh.com' }, 'this kind of certificate is not accepted'],
    [
      'with a key of another length',
      { keyFields: sshString(Buffer.alloc(31)) },
      'the certified key is not good: this is not a whole Ed25519 key',
    ],
    [
      'with a field that has no meaning yet',
      { reserved: Buffer.from('x') },
      'a field of the certificate is in use that has no meaning yet',
    ],
    ['with more behind it', { tail: Buffer.alloc(4) }, 'something follows the certificate'],
    ['with control characters in its key id', { keyId: 'a\u001b[2Jb' }, 'the key id of the certificate is too long or not plain text'],
    [
      'with a key id that is not UTF-8',
      { keyId: Buffer.from([0xc3, 0x28]) },
      'the key id of the certificate is too long or not plain text',
    ],
    ['with a long key id', { keyId: 'x'.repeat(1025) }, 'the key id of the certificate is too long or not plain text'],
    ['with an empty principal', { principals: names('a', '') }, 'the list of principals in the certificate is damaged or too long'],
    [
      'with a cut-off principal',
      { principals: names('abc').subarray(0, 5) },
      'the list of principals in the certificate is damaged or too long',
    ],
    [
      'with very many principals',
      { principals: names(...Array<string>(257).fill('a')) },
      'the list of principals in the certificate is damaged or too long',
    ],
    [
      'with options out of order',
      { extensions: options(['permit-pty', undefined], ['permit-X11-forwarding', undefined]) },
      'the options of the certificate are damaged, too many, repeated or not in their order',
    ],
    [
      'with an option twice',
      { critical: options(['force-command', 'a'], ['force-command', 'b']) },
      'the options of the certificate are damaged, too many, repeated or not in their order',
    ],
    [
      'with very many options',
      { extensions: options(...Array.from({ length: 33 }, (_, n): [string, undefined] => [`o${String(n).padStart(2, '0')}`, undefined])) },
      'the options of the certificate are damaged, too many, repeated or not in their order',
    ],
    [
      'with an option without a name',
      { extensions: options(['', undefined]) },
      'the options of the certificate are damaged, too many, repeated or not in their order',
    ],
    [
      'that is oversized',
      { extensions: options(['padding@example.com', 'x'.repeat(16_384)]) },
      'the certificate has more than 16384 bytes',
    ],
  ];
  test.each(rows)('%s', (_what, parts, fault) => {
    expect(parseSshCertificate(ca.certify(parts))).toEqual({ fault });
  });
});

describe("a certificate of the gateway's own authority", () => {
  const authority = new CertificateAuthority(generateKeyPairSync('ed25519').privateKey);
  const identity = {
    principal: 'deploy-bot',
    kind: 'agent' as const,
    onBehalfOf: 'engineer@example.com',
    groups: [],
    listed: true,
    proof: { method: 'workload-token', workload: 'ci' },
  };
  const issue = (key: string, seconds?: number) =>
    issueCertificate(
      { key, seconds, identity, cameAbout: 'workload ci (repo:acme/web)' },
      authority,
      { lifetimeSeconds: 900, longestSeconds: 3600 },
      1_800_000_000,
    );

  test.each(['ed25519', 'ecdsa', 'rsa'] as const)('is what ssh-keygen -L shows, for a key of type %s', async (type) => {
    const key = await makeKey(directory, `own-${type}`, type);
    const { certificate, serial } = issue(key.publicLine, 60);
    const file = join(directory, `own-${type}-cert.pub`);
    writeFileSync(file, `${certificate}\n`);
    const said = await describeCertificate(file);
    expect(said).toContain(`Public key: ${type.toUpperCase()}-CERT ${key.fingerprint}`);
    expect(said).toContain(`Signing CA: ED25519 ${authority.fingerprint} (using ssh-ed25519)`);
    expect(said).toContain('Key ID: "deploy-bot for engineer@example.com, by workload ci (repo:acme/web)"');
    expect(said).toContain(`Serial: ${serial}`);
    expect(said).toMatch(/Principals: \n\s+deploy-bot\n/);
    expect(said).toMatch(/Extensions: \n\s+permit-agent-forwarding\n\s+permit-port-forwarding\n\s+permit-pty\n/);
    const read = parsed(blobOf(file));
    expect(read.validBefore - read.validAfter).toBe(60n);
    expect(read.signed.includes(Buffer.from(key.publicLine.split(' ')[2] ?? 'no comment'))).toBe(false);
  });

  test('is not made for what is no key, for a security key, nor for longer than the longest', async () => {
    const { publicLine } = await makeKey(directory, 'plain');
    expect(() => issue('ssh-ed25519 AAAA')).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
    expect(() => issue(publicLine, 3601)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
    const blob = Buffer.concat([sshString('sk-ssh-ed25519@openssh.com'), sshString(Buffer.alloc(32, 1)), sshString('ssh:')]);
    expect(() => issue(`sk-ssh-ed25519@openssh.com ${blob.toString('base64')}`)).toThrow(
      expect.objectContaining({ code: 'CREDENTIAL_REFUSED' }),
    );
  });

  test('is refused where there is too much to say', async () => {
    const { publicLine } = await makeKey(directory, 'groups');
    const wish = {
      key: publicLine,
      cameAbout: 'test',
      identity: { ...identity, groups: Array.from({ length: 400 }, (_, n) => `${'g'.repeat(60)}${n}`) },
    };
    expect(() => issueCertificate(wish, authority, { lifetimeSeconds: 900, longestSeconds: 900 }, 1)).toThrow(/would have \d+ bytes/);
    const more = { ...wish, identity: { ...identity, groups: Array<string>(1001).fill('g') } };
    expect(() => issueCertificate(more, authority, { lifetimeSeconds: 900, longestSeconds: 900 }, 1)).toThrow(
      expect.objectContaining({ code: 'CREDENTIAL_REFUSED' }),
    );
  });

  test('has a serial number of 63 random bits', () => {
    const serials = Array.from({ length: 500 }, newSerial);
    expect(new Set(serials).size).toBe(500);
    for (const serial of serials) expect(serial > 0n && serial < 2n ** 63n).toBe(true);
    expect(serials.some((serial) => serial >= 2n ** 62n)).toBe(true);
  });
});
