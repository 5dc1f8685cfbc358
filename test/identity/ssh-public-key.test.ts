import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { fingerprintOf, parseSshPublicKey } from '../../gateway/identity/ssh-public-key.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
const directory = belongings.directory('keys');
afterAll(() => belongings.release());

async function makePublicKey(name: string, ...options: string[]): Promise<string> {
  const path = join(directory, name);
  const { status, stderr } = await run('ssh-keygen', ['-q', ...options, '-N', '', '-C', `of ${name}`, '-f', path]);
  if (status !== 0) throw new Error(stderr);
  return readFileSync(`${path}.pub`, 'utf8');
}

async function printedFingerprint(name: string): Promise<string | undefined> {
  const { stdout } = await run('ssh-keygen', ['-l', '-f', join(directory, `${name}.pub`)]);
  return stdout.toString().split(' ')[1];
}

function keyOf(line: string) {
  const parsed = parseSshPublicKey(line);
  if ('fault' in parsed) throw new Error(parsed.fault);
  return parsed.key;
}

function faultOf(line: string): string {
  const parsed = parseSshPublicKey(line);
  return 'fault' in parsed ? parsed.fault : `taken for ${parsed.key.fingerprint}`;
}

/** Length-prefixed strings, as keys consist of. */
function blobOf(...parts: (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

const lineOf = (algorithm: string, ...parts: (string | Uint8Array)[]) => `${algorithm} ${blobOf(algorithm, ...parts).toString('base64')}`;

describe('a key that ssh-keygen made is read, with the fingerprint that ssh-keygen prints', () => {
  const kinds: [name: string, algorithm: string, options: string[]][] = [
    ['ed25519', 'ssh-ed25519', ['-t', 'ed25519']],
    ['ecdsa-256', 'ecdsa-sha2-nistp256', ['-t', 'ecdsa', '-b', '256']],
    ['ecdsa-384', 'ecdsa-sha2-nistp384', ['-t', 'ecdsa', '-b', '384']],
    ['ecdsa-521', 'ecdsa-sha2-nistp521', ['-t', 'ecdsa', '-b', '521']],
    ['rsa-2048', 'ssh-rsa', ['-t', 'rsa', '-b', '2048']],
    ['rsa-3072', 'ssh-rsa', ['-t', 'rsa', '-b', '3072']],
  ];
  test.each(kinds)('%s', async (name, algorithm, options) => {
    const key = keyOf(await makePublicKey(name, ...options));
    expect(key).toMatchObject({ algorithm, comment: `of ${name}`, fingerprint: await printedFingerprint(name) });
    expect(fingerprintOf(key.blob)).toBe(key.fingerprint);
  });
});

describe('keys of security keys are read', () => {
  test('Ed25519', () => {
    expect(keyOf(lineOf('sk-ssh-ed25519@openssh.com', Buffer.alloc(32, 7), 'ssh:')).algorithm).toBe('sk-ssh-ed25519@openssh.com');
  });
  test('ECDSA', () => {
    const point = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]);
    expect(keyOf(lineOf('sk-ecdsa-sha2-nistp256@openssh.com', 'nistp256', point, 'ssh:')).algorithm).toBe(
      'sk-ecdsa-sha2-nistp256@openssh.com',
    );
  });
});

describe('what is not a usable key is refused in words', () => {
  const ed25519 = blobOf('ssh-ed25519', Buffer.alloc(32, 7)).toString('base64');
  const modulus = (bytes: number) => Buffer.concat([Buffer.from([0, 0x80]), Buffer.alloc(bytes - 1, 1)]);
  const exponent = Buffer.from([1, 0, 1]);
  const refusals: [promise: string, line: string, fault: string][] = [
    ['nothing', '', '"" is not the name of a key type'],
    ['a word', 'hello', '"hello" is not the name of a key type'],
    ['a type alone', 'ssh-ed25519', 'after "ssh-ed25519" the key itself is missing'],
    ['no base64', 'ssh-ed25519 AAAA…', 'the key is not base64'],
    ['cut-off base64', `ssh-ed25519 ${ed25519.slice(0, -3)}`, 'the base64 of the key is cut off or damaged'],
    ['a cut-off key', `ssh-ed25519 ${ed25519.slice(0, -4)}`, 'the key is cut off or damaged'],
    ['another key inside', `ssh-rsa ${ed25519}`, 'the line says ssh-rsa, but the key inside is "ssh-ed25519"'],
    [
      'bytes after the key',
      `ssh-ed25519 ${blobOf('ssh-ed25519', Buffer.alloc(32), 'more').toString('base64')}`,
      'this is not a whole Ed25519 key',
    ],
    ['a length beyond the end', `ssh-ed25519 ${Buffer.from('ffffffff00', 'hex').toString('base64')}`, 'the key is cut off or damaged'],
    ['an Ed25519 key of 31 bytes', lineOf('ssh-ed25519', Buffer.alloc(31)), 'this is not a whole Ed25519 key'],
    [
      'a point on another curve',
      lineOf('ecdsa-sha2-nistp256', 'nistp384', Buffer.alloc(97, 4)),
      'the key names the curve "nistp384" instead of nistp256',
    ],
    [
      'a compressed point',
      lineOf('ecdsa-sha2-nistp256', 'nistp256', Buffer.alloc(33, 2)),
      'the point is not an uncompressed point of nistp256',
    ],
    [
      'a curve that nobody uses',
      lineOf('ecdsa-sha2-nistp192', 'nistp192', Buffer.alloc(49, 4)),
      '"ecdsa-sha2-nistp192" is not the name of a key type',
    ],
    ['RSA of 1024 bits', lineOf('ssh-rsa', exponent, modulus(128)), 'the RSA key has 1024 bits, and 2048 are the least'],
    [
      'RSA of 2047 bits',
      lineOf('ssh-rsa', exponent, Buffer.concat([Buffer.from([0x7f]), Buffer.alloc(255, 1)])),
      'the RSA key has 2047 bits, and 2048 are the least',
    ],
    [
      'RSA of 2048 bits made longer with zeros',
      lineOf('ssh-rsa', exponent, Buffer.concat([Buffer.alloc(128), modulus(128)])),
      'the numbers of the RSA key are not positive',
    ],
    ['RSA with the exponent 1', lineOf('ssh-rsa', Buffer.from([1]), modulus(256)), 'the exponent of the RSA key is not usable'],
    ['RSA with an even exponent', lineOf('ssh-rsa', Buffer.from([4]), modulus(256)), 'the exponent of the RSA key is not usable'],
    ['RSA with a negative modulus', lineOf('ssh-rsa', exponent, Buffer.alloc(256, 0xff)), 'the numbers of the RSA key are not positive'],
    ['DSA', 'ssh-dss AAAAB3NzaC1kc3MAAACB', 'DSA keys are too weak and are not accepted'],
    ['options before the key', `restrict ssh-ed25519 ${ed25519}`, 'options before a key, as in authorized_keys, are not supported'],
    [
      'a certificate',
      `ssh-ed25519-cert-v01@openssh.com ${ed25519}`,
      'this is a certificate, and a key belongs here: the line of the .pub file without -cert',
    ],
    [
      'a private key',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbg==\n-----END OPENSSH PRIVATE KEY-----\n',
      "this is a private key, which belongs on its owner's machine only",
    ],
    ['two keys', `ssh-ed25519 ${ed25519}\nssh-ed25519 ${ed25519}`, 'a key is one line'],
    ['a very long line', `ssh-rsa ${'A'.repeat(9000)}`, 'the key has more than 8192 characters'],
    ['a terminal escape', '\u001b[2Jssh-ed25519 x', '"?[2Jssh-ed25519" is not the name of a key type'],
  ];
  test.each(refusals)('%s', (_promise, line, fault) => {
    expect(faultOf(line)).toBe(fault);
  });

  test('an RSA key of exactly 2048 bits is the least that is taken', () => {
    expect(keyOf(lineOf('ssh-rsa', exponent, modulus(256))).algorithm).toBe('ssh-rsa');
  });
});

test('any text is a key or is refused, and a key has one spelling', () => {
  const algorithm = fc.constantFrom('ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'sk-ssh-ed25519@openssh.com');
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.tuple(algorithm, fc.uint8Array({ maxLength: 100 })).map(([name, bytes]) => `${name} ${Buffer.from(bytes).toString('base64')}`),
    fc.tuple(algorithm, fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 })).map(([name, parts]) => lineOf(name, ...parts)),
  );
  fc.assert(
    fc.property(line, (text) => {
      const parsed = parseSshPublicKey(text);
      if ('fault' in parsed) {
        expect(parsed.fault).toMatch(/^[\x20-\x7e…]+$/);
      } else {
        const again = keyOf(`${parsed.key.algorithm} ${parsed.key.blob.toString('base64')}`);
        expect(again.fingerprint).toBe(parsed.key.fingerprint);
      }
    }),
    { numRuns: 2000 },
  );
});
