import { createPublicKey, hash, type KeyObject, sign } from 'node:crypto';
import { SallyportError } from '../base/errors.ts';
import { decodeBase64, encodeBase64 } from './strict-base64.ts';

/** Keys of C2SP signed notes (c2sp.org/signed-note), Ed25519 only. */

/** Signature type of Ed25519 over the note's text. */
const ED25519 = 0x01;
const PUBLIC_KEY_BYTES = 32;

export interface VerifierKey {
  /** Of a log's key: the log's origin. */
  readonly name: string;
  /** The first four bytes of SHA-256(name ‖ newline ‖ type ‖ public key). A name for the key, no protection. */
  readonly id: number;
  readonly publicKey: KeyObject;
}

export interface NoteSigner {
  readonly key: VerifierKey;
  /** Ed25519 over the text. */
  sign(text: Uint8Array): Uint8Array;
}

/** Throws LEDGER_NOTE_INVALID for a name that a note cannot carry, or another kind of key. */
export function verifierKey(name: string, publicKey: KeyObject): VerifierKey {
  if (!isKeyName(name)) throw invalidKey(`"${name.slice(0, 80)}" is no name for a key: it is empty or has a space or a plus in it`);
  if (publicKey.asymmetricKeyType !== 'ed25519')
    throw invalidKey(`it is of type ${publicKey.asymmetricKeyType ?? publicKey.type}, not ed25519`);
  const publicHalf = publicKey.type === 'private' ? createPublicKey(publicKey) : publicKey;
  return { name, id: keyId(name, rawKey(publicHalf)), publicKey: publicHalf };
}

export function noteSigner(name: string, privateKey: KeyObject): NoteSigner {
  return { key: verifierKey(name, privateKey), sign: (text) => sign(null, text, privateKey) };
}

/** `<name>+<id in hexadecimal>+<base64 of type and public key>`, one line without its end. */
export function formatVerifierKey(key: VerifierKey): string {
  const encoded = encodeBase64(Buffer.concat([Buffer.of(ED25519), rawKey(key.publicKey)]));
  return `${key.name}+${key.id.toString(16).padStart(8, '0')}+${encoded}`;
}

/** Takes the line with or without its end. Throws LEDGER_NOTE_INVALID. */
export function parseVerifierKey(vkey: string): VerifierKey {
  const line = vkey.endsWith('\n') ? vkey.slice(0, -1) : vkey;
  const match = line.length > 1024 ? null : /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(line);
  if (match === null) throw invalidKey('a verifier key has the form NAME+ID+KEY');
  const [, name = '', id = '', encoded = ''] = match;
  const bytes = decodeBase64(encoded);
  if (bytes === undefined) throw invalidKey('the key is not base64');
  if (bytes[0] !== ED25519 || bytes.length !== 1 + PUBLIC_KEY_BYTES) throw invalidKey('the key is not an Ed25519 public key');
  const key = verifierKey(name, publicKeyOf(bytes.subarray(1)));
  if (key.id !== Number.parseInt(id, 16)) throw invalidKey('its id is not that of its name and key');
  return key;
}

export function sameKey(one: VerifierKey, other: VerifierKey): boolean {
  return one.name === other.name && one.publicKey.equals(other.publicKey);
}

/** Non-empty, without Unicode spaces, plus signs or control characters. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name);
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') }, format: 'jwk' });
  } catch (thrown) {
    throw invalidKey(`the key is not an Ed25519 public key: ${thrown instanceof Error ? thrown.message : String(thrown)}`, thrown);
  }
}

function rawKey(publicKey: KeyObject): Buffer {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
}

function keyId(name: string, raw: Uint8Array): number {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), Buffer.of(ED25519), raw]), 'buffer').readUInt32BE(0);
}

function invalidKey(why: string, cause?: unknown): SallyportError {
  return new SallyportError('LEDGER_NOTE_INVALID', `This is no key of a ledger: ${why}`, {
    remedy: 'give the line that stands in keys/ledger.pub of the gateway',
    ...(cause === undefined ? {} : { cause }),
  });
}
