import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sshString, sshUint32, sshUint64 } from '../../gateway/base/ssh-wire.ts';
import { type CertificateInQuestion, parseRevocationList, type RevocationList } from '../../gateway/identity/revocation-list.ts';
import { parseSshCertificate } from '../../gateway/identity/ssh-certificate.ts';
import { blobOf, makeCertifiedKey, makeRevocationList } from '../support/certificates.ts';
import { type KeyPair, makeKey } from '../support/keys.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
const directory = belongings.directory('revocation');
afterAll(() => belongings.release());

let ca: KeyPair;
let other: KeyPair;
beforeAll(async () => {
  [ca, other] = await Promise.all([makeKey(directory, 'ca'), makeKey(directory, 'other-ca')]);
});

function listIn(bytes: Buffer): RevocationList {
  const read = parseRevocationList(bytes);
  if ('fault' in read) throw new Error(read.fault);
  return read.list;
}

let made = 0;
async function certificate(options: {
  ca?: KeyPair;
  serial?: number;
  id?: string;
}): Promise<{ file: string; key: KeyPair; asked: CertificateInQuestion }> {
  made += 1;
  const { key, certificate: file } = await makeCertifiedKey(directory, `key-${made}`, { ca, principals: ['x'], ...options });
  const read = parseSshCertificate(blobOf(file));
  if ('fault' in read) throw new Error(read.fault);
  return { file, key, asked: read.certificate };
}

/** What ssh-keygen itself says. */
async function isRevoked(list: string, file: string): Promise<boolean> {
  return (await run('ssh-keygen', ['-Q', '-f', list, file])).status !== 0;
}

async function list(
  lines: readonly string[],
  of: KeyPair | 'any' = ca,
  files: readonly string[] = [],
): Promise<{ file: string; read: RevocationList }> {
  made += 1;
  const place = join(directory, `list-${made}`);
  await mkdir(place);
  const file = await makeRevocationList(place, of, lines, files);
  return { file, read: listIn(readFileSync(file)) };
}

describe('a list of ssh-keygen says what ssh-keygen says', () => {
  const rows: [what: string, lines: string[], serials: number[]][] = [
    ['single serial numbers', ['serial: 5', 'serial: 900000'], [4, 5, 6, 900_000, 900_001]],
    ['ranges', ['serial: 100-100000'], [99, 100, 5000, 100_000, 100_001]],
    ['a bitmap', Array.from({ length: 200 }, (_, n) => `serial: ${1000 + n * 2}`), [999, 1000, 1001, 1002, 1397, 1398, 1399, 1400]],
    [
      'all of them at once',
      ['serial: 1', 'serial: 1000-2000', ...Array.from({ length: 40 }, (_, n) => `serial: ${5000 + n * 3}`)],
      [1, 2, 1500, 5000, 5001, 5003],
    ],
  ];
  test.each(rows)('about %s', async (_what, lines, serials) => {
    const { file, read } = await list(lines);
    for (const serial of serials) {
      const { file: cert, asked } = await certificate({ serial });
      const revoked = await isRevoked(file, cert);
      expect(read.reasonAgainst(asked) !== undefined, String(serial)).toBe(revoked);
    }
    expect(serials.length).toBeGreaterThan(4);
  });

  test('about key ids, and of one authority only', async () => {
    const { file, read } = await list(['id: lost', 'id: stolen', 'serial: 9']);
    for (const [options, revoked] of [
      [{ id: 'lost' }, true],
      [{ id: 'stolen' }, true],
      [{ id: 'los' }, false],
      [{ id: 'lost', ca: other }, false],
      [{ serial: 9 }, true],
      [{ serial: 9, ca: other }, false],
    ] as const) {
      const { file: cert, asked } = await certificate(options);
      expect(await isRevoked(file, cert)).toBe(revoked);
      expect(read.reasonAgainst(asked) !== undefined, JSON.stringify(options)).toBe(revoked);
    }
  });

  test('about keys, by themselves, by their fingerprints, and those of authorities', async () => {
    const [good, byKey, byHash, bySha1] = await Promise.all([certificate({}), certificate({}), certificate({}), certificate({})]);
    const explicit = await list([`key: ${byKey.key.publicLine}`, `sha256: ${byHash.key.publicLine}`, `sha1: ${bySha1.key.publicLine}`]);
    for (const [{ file: cert, asked }, reason] of [
      [good, undefined],
      [byKey, 'the certified key is revoked'],
      [byHash, 'the certified key is revoked'],
      [bySha1, 'the certified key is revoked'],
    ] as const) {
      expect(explicit.read.reasonAgainst(asked)).toBe(reason);
      expect(await isRevoked(explicit.file, cert)).toBe(reason !== undefined);
    }
    const authority = await list([`sha256: ${ca.publicLine}`], other);
    expect(authority.read.reasonAgainst(good.asked)).toBe("the authority's key is revoked");
    expect(await isRevoked(authority.file, good.file)).toBe(true);
    const elsewhere = await certificate({ ca: other });
    expect(authority.read.reasonAgainst(elsewhere.asked)).toBeUndefined();
  });

  test('an empty list revokes nothing', async () => {
    expect((await list([])).read.reasonAgainst((await certificate({ serial: 1 })).asked)).toBeUndefined();
  });
});

const header = Buffer.concat([
  Buffer.from('SSHKRL\n\0', 'latin1'),
  sshUint32(1),
  sshUint64(1n),
  sshUint64(1n),
  sshUint64(0n),
  sshString(''),
  sshString(''),
]);
const section = (type: number, data: Buffer): Buffer => Buffer.concat([Buffer.from([type]), sshString(data)]);
const ofAny = (...parts: Buffer[]): Buffer => section(1, Buffer.concat([sshString(''), sshString(''), ...parts]));
const asked: CertificateInQuestion = { key: Buffer.from('key'), ca: Buffer.from('ca'), serial: 2n ** 40n + 5n, keyId: 'id' };

describe('a list that can not be relied on', () => {
  const rows: [what: string, bytes: Buffer, fault: string][] = [
    ['is empty', Buffer.alloc(0), 'it is not a revocation list of ssh-keygen -k'],
    ['is a list of keys in text', Buffer.from('ssh-ed25519 AAAA\n'), 'it is not a revocation list of ssh-keygen -k'],
    [
      'has another version',
      Buffer.concat([header.subarray(0, 8), sshUint32(2), header.subarray(12)]),
      'it has the format version 2, and only 1 is known',
    ],
    ['ends in its header', header.subarray(0, 40), 'it is cut off or damaged'],
    ['ends in a section', Buffer.concat([header, section(2, Buffer.alloc(9)).subarray(0, 9)]), 'it is cut off or damaged'],
    [
      'has a section of another type',
      Buffer.concat([header, section(9, Buffer.alloc(0))]),
      'it has a section of type 9, which is not known here',
    ],
    ['is signed', Buffer.concat([header, section(4, Buffer.alloc(0))]), 'it is signed, and signed lists are not known here'],
    ['has half a serial number', Buffer.concat([header, ofAny(section(0x20, Buffer.alloc(12)))]), 'it is cut off or damaged'],
    [
      'has a range that ends before it begins',
      Buffer.concat([header, ofAny(section(0x21, Buffer.concat([sshUint64(5n), sshUint64(4n)])))]),
      'it is cut off or damaged',
    ],
    [
      'has a negative bitmap',
      Buffer.concat([header, ofAny(section(0x22, Buffer.concat([sshUint64(5n), sshString(Buffer.from([0x80]))])))]),
      'it is cut off or damaged',
    ],
    [
      'has an unknown section about certificates',
      Buffer.concat([header, ofAny(section(0x24, Buffer.alloc(0)))]),
      'it has a section of type 36 about certificates, which is not known here',
    ],
    [
      'has a critical extension',
      Buffer.concat([header, section(255, Buffer.concat([sshString('x'), Buffer.from([1]), sshString('')]))]),
      'it has a critical extension, which is not known here',
    ],
    ['has a list whose last key is cut off', Buffer.concat([header, section(2, Buffer.from([0, 0, 0, 9, 1]))]), 'it is cut off or damaged'],
    ['is very long', Buffer.concat([header, Buffer.alloc(2 * 1024 * 1024)]), 'it has more than 2097152 bytes'],
    [
      'has very many sections',
      Buffer.concat([header, ...Array<Buffer>(10_002).fill(section(2, Buffer.alloc(0)))]),
      'it has too many sections',
    ],
  ];
  test.each(rows)('%s', (_what, bytes, fault) => {
    expect(parseRevocationList(bytes)).toEqual({ fault });
  });

  test('extensions that are not critical are passed over', () => {
    const plain = Buffer.concat([sshString('x'), Buffer.from([0]), sshString('')]);
    const read = listIn(Buffer.concat([header, section(255, plain), ofAny(section(0x39, plain), section(0x20, sshUint64(asked.serial)))]));
    expect(read.reasonAgainst(asked)).toBe('its serial number is revoked');
  });

  test('anything at all is read or refused, and nothing is thrown', () => {
    const whole = Buffer.concat([
      header,
      ofAny(
        section(0x20, sshUint64(7n)),
        section(0x22, Buffer.concat([sshUint64(3n), sshString(Buffer.from([1, 2]))])),
        section(0x23, sshString('id')),
      ),
      section(2, sshString('key')),
    ]);
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(12), fc.uint8Array({ maxLength: 12 }), (at, gone, put) => {
        const read = parseRevocationList(Buffer.concat([whole.subarray(0, at), put, whole.subarray(at + gone)]));
        if ('list' in read) read.list.reasonAgainst(asked);
        else expect(read.fault).not.toBe('');
      }),
      { numRuns: 3000 },
    );
  });
});

test('serial numbers are compared whole', () => {
  const read = (serial: bigint) =>
    listIn(Buffer.concat([header, ofAny(section(0x20, Buffer.concat([sshUint64(1n), sshUint64(serial)])))])).reasonAgainst(asked);
  expect(read(asked.serial)).toBe('its serial number is revoked');
  for (const serial of [5n, 2n ** 40n, asked.serial + 2n ** 32n, 5n * 2n ** 32n + 2n ** 8n]) expect(read(serial)).toBeUndefined();
});
