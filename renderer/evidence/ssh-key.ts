import { concatenated } from './encodings.ts';
import { WireReader } from './wire-reader.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A public key of SSH: Ed25519 (RFC 8709), ECDSA (RFC 5656), RSA (RFC 8332), the first two also of security keys (PROTOCOL.u2f). */
export interface SshKey {
  readonly type: string;
  readonly jwk: Readonly<Record<string, string>>;
  /** Of ECDSA: hash, and bytes of a coordinate. */
  readonly curve: { hash: string; bytes: number } | undefined;
  /** Of RSA: bytes of the modulus. */
  readonly modulus: number | undefined;
  /** Of a security key. */
  readonly application: Bytes | undefined;
}

const curves: Readonly<Record<string, { name: string; jwk: string; hash: string; bytes: number }>> = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', jwk: 'P-256', hash: 'SHA-256', bytes: 32 },
  'ecdsa-sha2-nistp384': { name: 'nistp384', jwk: 'P-384', hash: 'SHA-384', bytes: 48 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', jwk: 'P-521', hash: 'SHA-512', bytes: 66 },
};
const rsaHashes: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'SHA-256', 'rsa-sha2-512': 'SHA-512' };
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 16_384;
const DAMAGED = 'the key in it is damaged';
const MIXED = 'its kind is not that of its key';
const WRONG = 'it does not fit what was signed';
/** The flag of a security key that somebody touched it. */
const USER_PRESENT = 0x01;

/** The key in a blob, or in words why there is none. */
export function readSshKey(blob: Bytes): SshKey | string {
  const fields = new WireReader(blob);
  const type = fields.text() ?? '';
  const plain = type.replace(/^sk-(.*)@openssh\.com$/, '$1');
  const isDevice = plain !== type;
  if (plain === 'ssh-rsa' && !isDevice) return readRsa(fields);
  const curve = Object.hasOwn(curves, plain) ? curves[plain] : undefined;
  if ((plain !== 'ssh-ed25519' && curve === undefined) || (isDevice && curve !== undefined && curve.name !== 'nistp256'))
    return 'it was made with a kind of key that is not accepted here: Ed25519, ECDSA and RSA are';
  const name = curve === undefined ? undefined : fields.text();
  const point = fields.string();
  const application = isDevice ? fields.string() : undefined;
  if (point === undefined || !fields.ended || (isDevice && application === undefined)) return DAMAGED;
  if (curve === undefined)
    return point.length === 32
      ? { type, jwk: { kty: 'OKP', crv: 'Ed25519', x: base64url(point) }, curve: undefined, modulus: undefined, application }
      : DAMAGED;
  if (name !== curve.name || point.length !== 1 + 2 * curve.bytes || point[0] !== 4) return DAMAGED;
  const [x, y] = [point.slice(1, 1 + curve.bytes), point.slice(1 + curve.bytes)];
  const jwk = { kty: 'EC', crv: curve.jwk, x: base64url(x), y: base64url(y) };
  return { type, jwk, curve: { hash: curve.hash, bytes: curve.bytes }, modulus: undefined, application };
}

function readRsa(fields: WireReader): SshKey | string {
  const exponent = fields.positive();
  const modulus = fields.positive();
  if (exponent === undefined || modulus === undefined || !fields.ended) return DAMAGED;
  const bits = modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24);
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS || exponent.length > 8) return `an RSA key of ${bits} bits is not accepted`;
  const jwk = { kty: 'RSA', n: base64url(modulus), e: base64url(exponent) };
  return { type: 'ssh-rsa', jwk, curve: undefined, modulus: modulus.length, application: undefined };
}

/**
 * What is wrong with a signature in wire format over these bytes, in words; undefined when this key made it. Throws a
 * DOMException where the browser has not the algorithm, or where the key is none.
 */
export async function verifiesSshKey(key: SshKey, signature: Uint8Array, message: Bytes): Promise<string | undefined> {
  const fields = new WireReader(Uint8Array.from(signature));
  const type = fields.text();
  const signed = fields.string();
  const device = key.application === undefined ? undefined : { flags: fields.raw(1), counter: fields.raw(4) };
  if (type === undefined || signed === undefined || !fields.ended) return 'it is cut off or has more in it than a signature';
  if (key.modulus !== undefined) return faultOfRsa(key, key.modulus, type, signed, message);
  if (type !== key.type) return MIXED;
  let given = message;
  if (device !== undefined) {
    const { flags, counter } = device;
    if (flags === undefined || counter === undefined || key.application === undefined) return DAMAGED;
    if (((flags[0] ?? 0) & USER_PRESENT) === 0) return 'nobody touched the security key for it';
    // What the device was given: not the message, but this.
    given = concatenated(await sha256(key.application), flags, counter, await sha256(message));
  }
  return (await fits(key, signed, given)) ? undefined : WRONG;
}

async function fits({ jwk, curve }: SshKey, signed: Bytes, message: Bytes): Promise<boolean> {
  if (curve === undefined) {
    const key = await crypto.subtle.importKey('jwk', jwk, { name: 'Ed25519' }, false, ['verify']);
    return signed.length === 64 && (await crypto.subtle.verify({ name: 'Ed25519' }, key, signed, message));
  }
  const numbers = new WireReader(signed);
  const r = leftPadded(numbers.positive(), curve.bytes);
  const s = leftPadded(numbers.positive(), curve.bytes);
  if (r === undefined || s === undefined || !numbers.ended) return false;
  const algorithm = { name: 'ECDSA', namedCurve: jwk.crv ?? '' };
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
  return crypto.subtle.verify({ name: 'ECDSA', hash: curve.hash }, key, concatenated(r, s), message);
}

async function faultOfRsa({ jwk }: SshKey, modulus: number, type: string, signed: Bytes, message: Bytes): Promise<string | undefined> {
  const hash = Object.hasOwn(rsaHashes, type) ? rsaHashes[type] : undefined;
  if (hash === undefined) return type === 'ssh-rsa' ? 'it uses SHA-1' : MIXED;
  // RFC 8332, section 3: exactly as long as the modulus.
  if (signed.length !== modulus) return WRONG;
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash };
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
  return (await crypto.subtle.verify(algorithm, key, signed, message)) ? undefined : WRONG;
}

function leftPadded(number: Bytes | undefined, bytes: number): Bytes | undefined {
  if (number === undefined || number.length > bytes) return undefined;
  return concatenated(new Uint8Array(bytes - number.length), number);
}

async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}
