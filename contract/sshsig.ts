/**
 * Signatures as `ssh-keygen -Y sign` writes them (OpenSSH, PROTOCOL.sshsig), byte by byte and without any cryptography:
 * whoever has the key signs what `signedData` gives. So it is the same with WebCrypto in a browser and in Node.
 */

export type Bytes = Uint8Array<ArrayBuffer>;

const MAGIC = 'SSHSIG';
const VERSION = 1;
const HASH = 'sha512';
const CURVE = 'nistp256';
const ED25519 = 'ssh-ed25519';
const ECDSA = `ecdsa-sha2-${CURVE}`;
const LINE_CHARACTERS = 70;

/** What the key signs: of the message only its SHA-512 is in it. */
export function signedData(namespace: string, messageSha512: Uint8Array): Bytes {
  if (messageSha512.length !== 64) throw new RangeError('a SHA-512 has 64 bytes');
  return joined(encoded(MAGIC), ...fields(namespace), wireString(messageSha512));
}

/** The whole signature, as a text file has it. */
export function armour(publicKeyBlob: Uint8Array, namespace: string, signatureBlob: Uint8Array): string {
  const whole = joined(encoded(MAGIC), uint32(VERSION), wireString(publicKeyBlob), ...fields(namespace), wireString(signatureBlob));
  const lines = base64(whole).match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`;
}

/** RFC 8709, section 4: of the 32 bytes of a public key. */
export function ed25519KeyBlob(publicKey: Uint8Array): Bytes {
  if (publicKey.length !== 32) throw new RangeError('a public Ed25519 key has 32 bytes');
  return joined(wireString(encoded(ED25519)), wireString(publicKey));
}

/** RFC 8709, section 6: of the 64 bytes that Ed25519 gives. */
export function ed25519SignatureBlob(signature: Uint8Array): Bytes {
  if (signature.length !== 64) throw new RangeError('an Ed25519 signature has 64 bytes');
  return joined(wireString(encoded(ED25519)), wireString(signature));
}

/** RFC 5656, section 3.1: of an uncompressed point, which is what WebCrypto exports as `raw`. */
export function ecdsaKeyBlob(point: Uint8Array): Bytes {
  if (point.length !== 65 || point[0] !== 4) throw new RangeError('an uncompressed point of P-256 has 65 bytes, and a 4 in front');
  return joined(wireString(encoded(ECDSA)), wireString(encoded(CURVE)), wireString(point));
}

/** RFC 5656, section 3.1.2: of r and s behind each other, which is what WebCrypto gives (IEEE P1363). */
export function ecdsaSignatureBlob(signature: Uint8Array): Bytes {
  if (signature.length !== 64) throw new RangeError('a signature with P-256 has 64 bytes');
  const numbers = joined(positiveNumber(signature.subarray(0, 32)), positiveNumber(signature.subarray(32)));
  return joined(wireString(encoded(ECDSA)), wireString(numbers));
}

/** A line of an `authorized_keys` file, without a comment. */
export function keyLine(publicKeyBlob: Uint8Array): string {
  const length = new DataView(publicKeyBlob.buffer, publicKeyBlob.byteOffset, 4).getUint32(0);
  const type = String.fromCharCode(...publicKeyBlob.subarray(4, 4 + length));
  return `${type} ${base64(publicKeyBlob)}`;
}

/** What `ssh-keygen -l` prints, of the SHA-256 of the key's blob. */
export function keyFingerprint(blobSha256: Uint8Array): string {
  if (blobSha256.length !== 32) throw new RangeError('a SHA-256 has 32 bytes');
  return `SHA256:${base64(blobSha256).replace(/=+$/, '')}`;
}

/** Namespace, a field that is reserved and empty, and which hash of the message it is. */
function fields(namespace: string): Bytes[] {
  if (namespace === '') throw new RangeError('a signature is for something: its namespace is not empty');
  return [wireString(encoded(namespace)), wireString(new Uint8Array(0)), wireString(encoded(HASH))];
}

/** RFC 4251, section 5: the shortest form, with a zero in front where the number would look negative. */
function positiveNumber(bytes: Uint8Array): Bytes {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? new Uint8Array(0) : bytes.subarray(first);
  return wireString((shortest[0] ?? 0) < 0x80 ? shortest : joined(Uint8Array.of(0), shortest));
}

function wireString(bytes: Uint8Array): Bytes {
  return joined(uint32(bytes.length), bytes);
}

function uint32(value: number): Bytes {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function joined(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648, section 4. The platforms that this runs on have no name for it in common. */
function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const rest = bytes.length - at;
    const three = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += ALPHABET.charAt(three >>> 18) + ALPHABET.charAt((three >>> 12) & 63);
    text += rest > 1 ? ALPHABET.charAt((three >>> 6) & 63) : '=';
    text += rest > 2 ? ALPHABET.charAt(three & 63) : '=';
  }
  return text;
}

/** UTF-8. TextEncoder is everywhere but in the types that the contract is compiled with. */
function encoded(text: string): Bytes {
  const escaped = encodeURIComponent(text);
  const bytes: number[] = [];
  for (let at = 0; at < escaped.length; at += 1) {
    if (escaped[at] !== '%') bytes.push(escaped.charCodeAt(at));
    else {
      bytes.push(Number.parseInt(escaped.slice(at + 1, at + 3), 16));
      at += 2;
    }
  }
  return Uint8Array.from(bytes);
}
