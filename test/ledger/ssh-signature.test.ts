import { createHash, sign as cryptoSign, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sshString } from '../../gateway/base/ssh-wire.ts';
import { verifySshSignature } from '../../gateway/ledger/ssh-signature.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
const directory = belongings.directory('ssh-signature');
afterAll(() => belongings.release());

const message = Buffer.from('{"erase":"this"}');
const namespace = 'sallyport-erase';

const kinds = {
  ed25519: ['-t', 'ed25519'],
  'ecdsa-256': ['-t', 'ecdsa', '-b', '256'],
  'ecdsa-384': ['-t', 'ecdsa', '-b', '384'],
  'ecdsa-521': ['-t', 'ecdsa', '-b', '521'],
  rsa: ['-t', 'rsa', '-b', '2048'],
} as const;

async function keyOf(kind: keyof typeof kinds): Promise<{ path: string; line: string }> {
  const path = join(directory, `${kind}-${Math.random().toString(36).slice(2)}`);
  await run('ssh-keygen', ['-q', ...kinds[kind], '-N', '', '-C', '', '-f', path]);
  return { path, line: readFileSync(`${path}.pub`, 'utf8').trim() };
}

/** As `ssh-keygen` signs a file. */
async function sign(key: string, options: { namespace?: string; hash?: string; message?: Buffer } = {}): Promise<string> {
  const file = join(directory, `message-${Math.random().toString(36).slice(2)}`);
  writeFileSync(file, options.message ?? message);
  const hash = options.hash === undefined ? [] : ['-O', `hashalg=${options.hash}`];
  const done = await run('ssh-keygen', ['-Y', 'sign', '-n', options.namespace ?? namespace, '-f', key, ...hash, file]);
  if (done.status !== 0) throw new Error(done.stderr);
  return readFileSync(`${file}.sig`, 'utf8');
}

const armor = (blob: Buffer) => `-----BEGIN SSH SIGNATURE-----\n${blob.toString('base64')}\n-----END SSH SIGNATURE-----\n`;
const blobOf = (armored: string) => Buffer.from(armored.split('\n').slice(1, -2).join(''), 'base64');

/** What a security key does, in software: it signs its application, its flags, its counter and the digest of what it is given. */
function securityKey(kind: 'sk-ssh-ed25519@openssh.com' | 'sk-ecdsa-sha2-nistp256@openssh.com') {
  const ed25519 = kind === 'sk-ssh-ed25519@openssh.com';
  const { publicKey, privateKey } = ed25519 ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  const part = (value: string | undefined) => Buffer.from(value ?? '', 'base64url');
  const point = ed25519 ? [part(jwk.x)] : [Buffer.from('nistp256'), Buffer.concat([Buffer.from([4]), part(jwk.x), part(jwk.y)])];
  const blob = Buffer.concat([kind, ...point, 'ssh:'].map(sshString));
  const sign = (flags: number): string => {
    const digest = createHash('sha512').update(message).digest();
    const wrapped = Buffer.concat([Buffer.from('SSHSIG'), ...[namespace, '', 'sha512', digest].map(sshString)]);
    const device = Buffer.from([flags, 0, 0, 0, 7]);
    const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest();
    const given = Buffer.concat([sha256('ssh:'), device, sha256(wrapped)]);
    const made = cryptoSign(ed25519 ? null : 'sha256', given, ed25519 ? privateKey : { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const number = (half: Buffer) => sshString(shortest(half));
    const signed = ed25519 ? made : Buffer.concat([number(made.subarray(0, 32)), number(made.subarray(32))]);
    const signature = Buffer.concat([sshString(kind), sshString(signed), device]);
    const version = Buffer.from([0, 0, 0, 1]);
    const fields = [blob, namespace, '', 'sha512', signature].map(sshString);
    return armor(Buffer.concat([Buffer.from('SSHSIG'), version, ...fields]));
  };
  return { line: `${kind} ${blob.toString('base64')}`, sign };
}

/** A positive number in its shortest form (RFC 4251 section 5). */
function shortest(bytes: Buffer): Buffer {
  const digits = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  return (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits;
}

describe('a signature of a security key', () => {
  it.each(['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'] as const)(
    'is verified as ssh-keygen does: %s',
    async (kind) => {
      const key = securityKey(kind);
      const signature = key.sign(0x01);
      writeFileSync(join(directory, 'sk.sig'), signature);
      writeFileSync(join(directory, 'allowed'), `owner ${key.line}\n`);
      const options = ['-f', join(directory, 'allowed'), '-I', 'owner', '-n', namespace, '-s', join(directory, 'sk.sig')];
      const stock = await run('ssh-keygen', ['-Y', 'verify', ...options], { input: message });
      expect(stock.status, stock.stderr).toBe(0);
      expect(verifySshSignature(signature, message, namespace).line).toBe(key.line);

      const blob = blobOf(signature);
      for (let at = 0; at < blob.length; at += 1) {
        const changed = Buffer.from(blob);
        changed[at] = (changed[at] as number) ^ (1 << (at % 8));
        expect(() => verifySshSignature(armor(changed), message, namespace), `byte ${at}`).toThrow('The signature is not good');
      }
      expect(() => verifySshSignature(key.sign(0x00), message, namespace)).toThrow('nobody touched the security key');
    },
  );
});

describe('a signature of ssh-keygen', () => {
  it.each(Object.keys(kinds) as (keyof typeof kinds)[])('is verified, and says which key made it: %s', async (kind) => {
    const { path, line } = await keyOf(kind);
    for (const hash of ['sha512', 'sha256']) expect(verifySshSignature(await sign(path, { hash }), message, namespace).line).toBe(line);
  });

  it('counts only for its own file and its own purpose', async () => {
    const { path } = await keyOf('ed25519');
    const signature = await sign(path);
    expect(() => verifySshSignature(signature, Buffer.from('{"erase":"that"}'), namespace)).toThrow('does not fit');
    expect(() => verifySshSignature(signature, message, 'git')).toThrow('it was made for "sallyport-erase" and not for "git"');
    expect(() => verifySshSignature(signature, message, `${namespace}x`)).toThrow('and not for');
  });

  it.each(['ed25519', 'ecdsa-256', 'rsa'] as const)('is refused with any of its bits changed: %s', async (kind) => {
    const blob = blobOf(await sign((await keyOf(kind)).path));
    for (let at = 0; at < blob.length; at += 1) {
      const changed = Buffer.from(blob);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expect(() => verifySshSignature(armor(changed), message, namespace), `byte ${at}`).toThrow('The signature is not good');
    }
  });

  it('is refused when it is cut off anywhere, or something follows it', async () => {
    const blob = blobOf(await sign((await keyOf('ed25519')).path));
    for (let length = 0; length < blob.length; length += 1)
      expect(() => verifySshSignature(armor(blob.subarray(0, length)), message, namespace)).toThrow('The signature is not good');
    expect(() => verifySshSignature(armor(Buffer.concat([blob, Buffer.alloc(1)])), message, namespace)).toThrow('something follows it');
  });

  it('is refused when its form is not exactly that of ssh-keygen', async () => {
    const signature = await sign((await keyOf('ed25519')).path);
    for (const form of [
      '',
      'x',
      signature.replace('SSH SIGNATURE', 'PGP MESSAGE'),
      `${signature}${signature}`,
      ` ${signature}`,
      'A'.repeat(100_000),
    ])
      expect(() => verifySshSignature(form, message, namespace)).toThrow('The signature is not good');
    expect(() => verifySshSignature(signature.replace(/\n(.)/, '\n*$1'), message, namespace)).toThrow('not base64');
    expect(verifySshSignature(signature.replaceAll('\n', '\r\n'), message, namespace).line).toMatch(/^ssh-ed25519 AAAA/);
  });

  it('is refused with SHA-1, whose collisions can be bought', async () => {
    const blob = blobOf(await sign((await keyOf('rsa')).path, { hash: 'sha512' }));
    const changed = Buffer.from(blob.toString('latin1').replace('rsa-sha2-512', 'xxxxxssh-rsa'), 'latin1');
    expect(() => verifySshSignature(armor(changed), message, namespace)).toThrow('its kind is not that of its key');
    const hash = Buffer.from(blob.toString('latin1').replace('sha512', 'sha1xx'), 'latin1');
    expect(() => verifySshSignature(armor(hash), message, namespace)).toThrow('sha512 and sha256 are');
  });
});
