import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { SshWire } from './ssh-wire.ts';

/*
 * Signatures as SSH keys make them: Ed25519 (RFC 8709), ECDSA (RFC 5656), RSA with SHA-2 (RFC 8332), and the first two
 * by security keys (OpenSSH, PROTOCOL.u2f). The SHA-1 of `ssh-rsa` is not accepted.
 */

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 16_384;

interface Curve {
  readonly name: string;
  readonly jwk: string;
  readonly hash: string;
  /** Of a coordinate, and of each half of a signature. */
  readonly bytes: number;
}

const curves: Readonly<Record<string, Curve>> = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', jwk: 'P-256', hash: 'sha256', bytes: 32 },
  'ecdsa-sha2-nistp384': { name: 'nistp384', jwk: 'P-384', hash: 'sha384', bytes: 48 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', jwk: 'P-521', hash: 'sha512', bytes: 66 },
};

const rsaHashes: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' };

/**
 * `key` and `signature` are in wire format. A fault is in words; undefined when this key signed exactly these bytes. `only`:
 * the one kind of signature that is taken, for example `rsa-sha2-256`.
 */
export function faultOfSignature(key: Buffer, signature: Buffer, message: Buffer, only?: string): string | undefined {
  const keyFields = new SshWire(key);
  const keyType = keyFields.string()?.toString('latin1');
  const signatureFields = new SshWire(signature);
  const signatureType = signatureFields.string()?.toString('latin1');
  const signed = signatureFields.string();
  const device = keyType?.startsWith('sk-') === true ? { flags: signatureFields.raw(1), counter: signatureFields.raw(4) } : undefined;
  if (keyType === undefined || signatureType === undefined || signed === undefined || !signatureFields.ended)
    return 'it is cut off or has more in it than a signature';
  if (only !== undefined && signatureType !== only) return mixed;
  if (keyType === 'ssh-rsa') return faultOfRsa(keyFields, signatureType, signed, message);
  const read = readKey(keyType, keyFields);
  if (read === undefined) return 'it was made with a kind of key that is not accepted here: Ed25519, ECDSA and RSA are';
  if (signatureType !== keyType) return mixed;
  const application = device === undefined ? undefined : keyFields.string();
  if (read.key === undefined || !keyFields.ended) return damagedKey;
  if (device === undefined) return read.verifies(read.key, signed, message) ? undefined : wrong;
  const { flags, counter } = device;
  if (application === undefined || flags === undefined || counter === undefined) return damagedKey;
  if (((flags[0] ?? 0) & USER_PRESENT) === 0) return 'nobody touched the security key for it';
  // What the device was given: not the message, but this.
  const given = Buffer.concat([sha256(application), flags, counter, sha256(message)]);
  return read.verifies(read.key, signed, given) ? undefined : wrong;
}

interface ReadKey {
  /** Undefined when it is damaged. */
  readonly key: KeyObject | undefined;
  readonly verifies: (key: KeyObject, signed: Buffer, message: Buffer) => boolean;
}

/** The fields that a kind of key has, as far as the application of a security key. Undefined for a kind that is not known. */
function readKey(type: string, fields: SshWire): ReadKey | undefined {
  const plain = type.replace(/^sk-(.*)@openssh\.com$/, '$1');
  if (plain === 'ssh-ed25519') {
    const point = fields.string();
    const key = point?.length === 32 ? publicKeyOf({ kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') }) : undefined;
    return { key, verifies: (own, signed, message) => signed.length === 64 && verify(null, message, own, signed) };
  }
  const curve = Object.hasOwn(curves, plain) ? curves[plain] : undefined;
  if (curve === undefined || (plain !== type && curve.name !== 'nistp256')) return undefined;
  return { key: readPoint(curve, fields), verifies: (own, signed, message) => verifiesEcdsa(curve, own, signed, message) };
}

function readPoint(curve: Curve, fields: SshWire): KeyObject | undefined {
  const name = fields.string()?.toString('latin1');
  const point = fields.string();
  if (name !== curve.name || point?.length !== 1 + 2 * curve.bytes || point[0] !== 4) return undefined;
  const [x, y] = [point.subarray(1, 1 + curve.bytes), point.subarray(1 + curve.bytes)];
  return publicKeyOf({ kty: 'EC', crv: curve.jwk, x: x.toString('base64url'), y: y.toString('base64url') });
}

function verifiesEcdsa(curve: Curve, key: KeyObject, signed: Buffer, message: Buffer): boolean {
  const numbers = new SshWire(signed);
  const r = leftPadded(numbers.positive(), curve.bytes);
  const s = leftPadded(numbers.positive(), curve.bytes);
  if (r === undefined || s === undefined || !numbers.ended) return false;
  return verify(curve.hash, message, { key, dsaEncoding: 'ieee-p1363' }, Buffer.concat([r, s]));
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

const mixed = 'its kind is not that of its key';
const damagedKey = 'the key in it is damaged';
const wrong = 'it does not fit what was signed';
/** The flag of a security key that somebody touched it. */
const USER_PRESENT = 0x01;

function faultOfRsa(key: SshWire, signatureType: string, signed: Buffer, message: Buffer): string | undefined {
  const exponent = key.positive();
  const modulus = key.positive();
  if (exponent === undefined || modulus === undefined || !key.ended) return damagedKey;
  const bits = modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24);
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS || exponent.length > 8) return `an RSA key of ${bits} bits is not accepted`;
  const hash = Object.hasOwn(rsaHashes, signatureType) ? rsaHashes[signatureType] : undefined;
  if (hash === undefined) return signatureType === 'ssh-rsa' ? 'it uses SHA-1' : mixed;
  const publicKey = publicKeyOf({ kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') });
  if (publicKey === undefined) return damagedKey;
  // RFC 8332 section 3: exactly as long as the modulus.
  return signed.length === modulus.length && verify(hash, message, publicKey, signed) ? undefined : wrong;
}

function leftPadded(number: Buffer | undefined, bytes: number): Buffer | undefined {
  if (number === undefined || number.length > bytes) return undefined;
  return Buffer.concat([Buffer.alloc(bytes - number.length), number]);
}

/** Undefined for numbers that are no key, for example a point that is not on its curve. */
function publicKeyOf(jwk: Record<string, string>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}
