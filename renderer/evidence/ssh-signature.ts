import { keyLine } from '../../contract/sshsig.ts';
import { concatenated, decodeBase64, sameBytes } from './encodings.ts';
import { readSshKey, type SshKey, verifiesSshKey } from './ssh-key.ts';
import { WireReader } from './wire-reader.ts';

/*
 * Signatures of `ssh-keygen -Y sign` (OpenSSH, PROTOCOL.sshsig), verified with the browser's own cryptography: what
 * gateway/ledger/ssh-signature.ts takes is taken here, and nothing else.
 */

/** `line`: the key that made it. `unknown`: this browser has not the algorithm, so nothing was found out. */
export type SshVerdict = { state: 'good'; line: string } | { state: 'wrong'; words: string } | { state: 'unknown'; words: string };

const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';
const MAX_CHARACTERS = 16_384;
const MAGIC = new TextEncoder().encode('SSHSIG');
const hashes: Readonly<Record<string, string>> = { sha512: 'SHA-512', sha256: 'SHA-256' };

/** Whether `armored` is a signature over `text` for the purpose `namespace`, by the key that is in it. */
export async function verifySshSignature(armored: string, text: string, namespace: string): Promise<SshVerdict> {
  const bytes = unarmored(armored);
  if (bytes === undefined) return wrong('it is not a signature of ssh-keygen');
  const fields = new WireReader(bytes);
  const magic = fields.raw(MAGIC.length);
  const version = fields.uint32();
  const blob = fields.string();
  const signedFor = fields.text();
  const reserved = fields.string();
  const hash = fields.text();
  const signature = fields.string();
  if (!sameBytes(magic, MAGIC) || version !== 1) return wrong('it is not a signature of ssh-keygen');
  if (
    blob === undefined ||
    signedFor === undefined ||
    reserved === undefined ||
    hash === undefined ||
    signature === undefined ||
    !fields.ended
  )
    return wrong('it is cut off, or something follows it');
  if (signedFor !== namespace) return wrong(`it was made for ${JSON.stringify(signedFor.slice(0, 40))} and not for “${namespace}”`);
  if (reserved.length > 0) return wrong('a field in it is in use that has no meaning yet');
  const algorithm = Object.hasOwn(hashes, hash) ? hashes[hash] : undefined;
  if (algorithm === undefined) return wrong('it uses a hash that is not accepted: sha512 and sha256 are');
  const key = readSshKey(blob);
  if (typeof key === 'string') return wrong(key);
  const digest = new Uint8Array(await crypto.subtle.digest(algorithm, new TextEncoder().encode(text)));
  const parts = [signedFor, '', hash].map((part) => wireString(new TextEncoder().encode(part)));
  return verdictOf(key, signature, concatenated(MAGIC, ...parts, wireString(digest)), keyLine(blob));
}

async function verdictOf(key: SshKey, signature: Uint8Array, signed: Uint8Array<ArrayBuffer>, line: string): Promise<SshVerdict> {
  try {
    const fault = await verifiesSshKey(key, signature, signed);
    return fault === undefined ? { state: 'good', line } : wrong(fault);
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'NotSupportedError')
      return { state: 'unknown', words: `this browser cannot check signatures of the kind ${key.type}` };
    // A key of the right length that is no point of its curve, or a signature that is no number.
    return wrong('the key in it is damaged');
  }
}

function unarmored(armored: string): Uint8Array<ArrayBuffer> | undefined {
  if (armored.length > MAX_CHARACTERS) return undefined;
  const lines = armored.replaceAll('\r\n', '\n').replace(/\n+$/, '').split('\n');
  if (lines.at(0) !== BEGIN || lines.at(-1) !== END || lines.length < 3) return undefined;
  return decodeBase64(lines.slice(1, -1).join(''));
}

function wireString(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concatenated(length, bytes);
}

function wrong(words: string): SshVerdict {
  return { state: 'wrong', words };
}
