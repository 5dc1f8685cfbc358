import { type SignedStatement, statementText } from '../../../../contract/signed-statements.ts';
import { type Bytes, signedData } from '../../../../contract/sshsig.ts';

/** `unchecked`: this program cannot check signatures of such a key. */
export type SignatureState = 'good' | 'bad' | 'unchecked';

export interface Signed {
  readonly statement: SignedStatement;
  /** A line of an `authorized_keys` file. */
  readonly key: string;
  /** Armoured SSHSIG. */
  readonly signature: string;
}

/** Whether a key has signed exactly this statement (OpenSSH, PROTOCOL.sshsig), by this device's own reckoning. */
export async function verifySignature(
  { statement, key, signature }: Signed,
  subtle: SubtleCrypto = crypto.subtle,
): Promise<SignatureState> {
  const read = readArmour(signature);
  const { namespace, text } = statementText(statement);
  if (read === undefined || read.namespace !== namespace || base64(read.publicKey) !== key.split(' ')[1]) return 'bad';
  if (read.hash !== 'sha512') return 'unchecked';
  const message = new Uint8Array(await subtle.digest('SHA-512', new TextEncoder().encode(text)));
  const data = signedData(namespace, message);
  try {
    const reader = new WireReader(read.publicKey);
    const type = reader.text();
    const own = new WireReader(read.signature);
    const algorithm = own.text();
    const proof = own.bytes();
    if (type === 'ssh-ed25519' && algorithm === type) {
      const imported = await subtle.importKey('raw', reader.bytes(), 'Ed25519', false, ['verify']);
      return said(await subtle.verify('Ed25519', imported, proof, data));
    }
    if (type === 'ecdsa-sha2-nistp256' && algorithm === type) {
      reader.bytes(); // The name of the curve, again.
      const curve = { name: 'ECDSA', namedCurve: 'P-256' };
      const imported = await subtle.importKey('raw', reader.bytes(), curve, false, ['verify']);
      const numbers = new WireReader(proof);
      const pair = joined(thirtyTwo(numbers.bytes()), thirtyTwo(numbers.bytes()));
      return said(await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, imported, pair, data));
    }
    if (type === 'ssh-rsa' && (algorithm === 'rsa-sha2-512' || algorithm === 'rsa-sha2-256')) {
      const [e, n] = [reader.bytes(), reader.bytes()];
      const jwk = { kty: 'RSA', e: base64url(e), n: base64url(n[0] === 0 ? n.subarray(1) : n) };
      const scheme = { name: 'RSASSA-PKCS1-v1_5', hash: algorithm === 'rsa-sha2-512' ? 'SHA-512' : 'SHA-256' };
      return said(await subtle.verify(scheme.name, await subtle.importKey('jwk', jwk, scheme, false, ['verify']), proof, data));
    }
  } catch (thrown) {
    // Some browsers do not know Ed25519 yet. Anything else is no key, or no signature.
    return thrown instanceof DOMException && thrown.name === 'NotSupportedError' ? 'unchecked' : 'bad';
  }
  return 'unchecked';
}

function said(good: boolean): SignatureState {
  return good ? 'good' : 'bad';
}

interface Armoured {
  readonly publicKey: Bytes;
  readonly namespace: string;
  readonly hash: string;
  readonly signature: Bytes;
}

function readArmour(text: string): Armoured | undefined {
  const inner = /^-----BEGIN SSH SIGNATURE-----\s([A-Za-z0-9+/=\s]{1,20000})-----END SSH SIGNATURE-----\s*$/.exec(text)?.[1];
  if (inner === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(inner.replaceAll(/\s/g, '')), (character) => character.charCodeAt(0));
    if (String.fromCharCode(...bytes.subarray(0, 6)) !== 'SSHSIG') return undefined;
    const reader = new WireReader(bytes.subarray(10));
    const publicKey = reader.bytes();
    const namespace = reader.text();
    reader.bytes(); // Reserved.
    return { publicKey, namespace, hash: reader.text(), signature: reader.bytes() };
  } catch {
    return undefined; // Not base64, or cut off: it is no signature.
  }
}

/** Strings of RFC 4251, section 5. Throws a RangeError at what is cut off. */
class WireReader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  bytes(): Bytes {
    const { buffer, byteOffset, byteLength } = this.#bytes;
    const length = new DataView(buffer, byteOffset, byteLength).getUint32(this.#at);
    const from = this.#at + 4;
    if (from + length > byteLength) throw new RangeError('a string is longer than what there is');
    this.#at = from + length;
    return this.#bytes.slice(from, this.#at);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }
}

/** A number of RFC 4251 as 32 bytes. */
function thirtyTwo(number: Bytes): Bytes {
  const significant = number[0] === 0 ? number.subarray(1) : number;
  if (significant.length > 32) throw new RangeError('a number of P-256 has at most 32 bytes');
  const whole = new Uint8Array(32);
  whole.set(significant, 32 - significant.length);
  return whole;
}

function joined(one: Bytes, other: Bytes): Bytes {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}

function base64(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes));
}

function base64url(bytes: Bytes): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
