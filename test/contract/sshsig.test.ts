import { createHash, type webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  armour,
  ecdsaKeyBlob,
  ecdsaSignatureBlob,
  ed25519KeyBlob,
  ed25519SignatureBlob,
  keyFingerprint,
  keyLine,
  signedData,
} from '../../contract/sshsig.ts';
import { verifySshSignature } from '../../gateway/ledger/ssh-signature.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const NAMESPACE = 'sallyport-approval';

/** A key as a browser makes and uses it. */
async function makeSigner(kind: 'ed25519' | 'ecdsa') {
  const algorithm = kind === 'ed25519' ? 'Ed25519' : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const { publicKey, privateKey } = (await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
  const blob = kind === 'ed25519' ? ed25519KeyBlob(raw) : ecdsaKeyBlob(raw);
  return {
    blob,
    line: keyLine(blob),
    sign: async (text: string, namespace: string) => {
      const data = signedData(namespace, new Uint8Array(await crypto.subtle.digest('SHA-512', Buffer.from(text))));
      const signature = new Uint8Array(await crypto.subtle.sign(algorithm, privateKey, data));
      return armour(blob, namespace, kind === 'ed25519' ? ed25519SignatureBlob(signature) : ecdsaSignatureBlob(signature));
    },
  };
}

describe.each(['ed25519', 'ecdsa'] as const)('a signature with a key of type %s', (kind) => {
  it('is one that ssh-keygen takes, for this text and this purpose only', async () => {
    const directory = belongings.directory('sshsig');
    const { line, blob, sign } = await makeSigner(kind);
    const text = 'an approval, with “quotes” and a line\nbreak';
    const [signers, signature, key] = ['signers', 'text.sig', 'key.pub'].map((name) => join(directory, name)) as [string, string, string];
    writeFileSync(signers, `ada@example.com ${line}\n`);
    writeFileSync(signature, await sign(text, NAMESPACE));
    writeFileSync(key, `${line}\n`);
    const verify = (input: string, namespace: string) =>
      run('ssh-keygen', ['-Y', 'verify', '-f', signers, '-I', 'ada@example.com', '-n', namespace, '-s', signature], { input });

    expect(await verify(text, NAMESPACE)).toMatchObject({ status: 0, stderr: '' });
    expect((await verify(`${text}!`, NAMESPACE)).status).not.toBe(0);
    expect((await verify(text, 'sallyport-login')).status).not.toBe(0);

    const printed = (await run('ssh-keygen', ['-l', '-f', key])).stdout.toString();
    expect(printed.split(' ')[1]).toBe(keyFingerprint(createHash('sha256').update(blob).digest()));
  });

  // One in 128 numbers of ECDSA has a zero in front, and one in two would look negative.
  it('is one that the gateway takes, a hundred times over', async () => {
    const { line, sign } = await makeSigner(kind);
    for (let time = 0; time < 100; time += 1) {
      const text = `text number ${time} — ${'x'.repeat(time)}`;
      expect(verifySshSignature(await sign(text, NAMESPACE), Buffer.from(text), NAMESPACE).line).toBe(line);
    }
  });
});

describe('what cannot become a signature', () => {
  it.each([
    ['a hash of another length', () => signedData(NAMESPACE, new Uint8Array(32))],
    ['an empty namespace', () => signedData('', new Uint8Array(64))],
    ['a compressed point', () => ecdsaKeyBlob(new Uint8Array(33))],
    ['an Ed25519 key that is cut off', () => ed25519KeyBlob(new Uint8Array(31))],
    ['a signature in DER', () => ecdsaSignatureBlob(new Uint8Array(71))],
    ['an Ed25519 signature that is cut off', () => ed25519SignatureBlob(new Uint8Array(63))],
  ])('is refused: %s', (_, make) => {
    expect(make).toThrow(RangeError);
  });

  it('numbers with zeros in front are written in their shortest form', () => {
    const small = new Uint8Array(64);
    small[31] = 1;
    small[63] = 0x80;
    const numbers = Buffer.from(ecdsaSignatureBlob(small)).subarray(4 + 'ecdsa-sha2-nistp256'.length + 4);
    expect(numbers.toString('hex')).toBe('0000000101000000020080');
  });
});
