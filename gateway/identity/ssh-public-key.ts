import { createHash } from 'node:crypto';

/** A public key as a line of `authorized_keys` or an `id_*.pub` file gives it. */
export interface SshPublicKey {
  /** Name inside the blob, for example `ssh-ed25519`. */
  readonly algorithm: string;
  /** The key in the wire format of RFC 4253 section 6.6. */
  readonly blob: Buffer;
  /** `SHA256:` and unpadded base64, as `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
  readonly comment: string;
}

export type ParsedSshPublicKey = { readonly key: SshPublicKey } | { readonly fault: string };

/** The shortest RSA modulus that is accepted, in bits. */
export const MIN_RSA_BITS = 2048;
/** Longer ones cost time at every verification and nobody uses them: OpenSSH stops at the same length. */
const MAX_RSA_BITS = 16_384;
/** An RSA key of the longest modulus stays below this; anything longer is not looked into. */
const MAX_LINE_CHARACTERS = 8192;

const curves: Readonly<Record<string, { readonly name: string; readonly pointBytes: number }>> = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', pointBytes: 65 },
  'ecdsa-sha2-nistp384': { name: 'nistp384', pointBytes: 97 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', pointBytes: 133 },
  'sk-ecdsa-sha2-nistp256@openssh.com': { name: 'nistp256', pointBytes: 65 },
};

const accepted = ['ssh-ed25519', ...Object.keys(curves), 'ssh-rsa', 'sk-ssh-ed25519@openssh.com'];

/** Fingerprint of a key's wire format, as OpenSSH prints it. */
export function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Reads one line. A fault is in words, without a full stop at its end. */
export function parseSshPublicKey(line: string): ParsedSshPublicKey {
  if (line.length > MAX_LINE_CHARACTERS) return { fault: `the key has more than ${MAX_LINE_CHARACTERS} characters` };
  if (line.includes('PRIVATE KEY')) return { fault: "this is a private key, which belongs on its owner's machine only" };
  const text = line.trim();
  if (/[\r\n]/.test(text)) return { fault: 'a key is one line' };
  const [algorithm = '', encoded = '', ...rest] = text.split(/[ \t]+/);
  if (algorithm.includes('-cert-v01@'))
    return { fault: 'this is a certificate, and a key belongs here: the line of the .pub file without -cert' };
  if (algorithm === 'ssh-dss') return { fault: 'DSA keys are too weak and are not accepted' };
  if (!accepted.includes(algorithm)) {
    if (accepted.includes(encoded)) return { fault: 'options before a key, as in authorized_keys, are not supported' };
    return { fault: `"${printable(algorithm)}" is not the name of a key type` };
  }
  if (encoded === '') return { fault: `after "${algorithm}" the key itself is missing` };
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return { fault: 'the key is not base64' };
  const blob = Buffer.from(encoded, 'base64');
  // Node's decoder forgives; only what encodes to the same text again is taken, so that one key has one spelling.
  if (blob.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, ''))
    return { fault: 'the base64 of the key is cut off or damaged' };
  const fault = faultOfKeyBlob(algorithm, blob);
  if (fault !== undefined) return { fault };
  return { key: Object.freeze({ algorithm, blob, fingerprint: fingerprintOf(blob), comment: rest.join(' ') }) };
}

/** What is wrong with a key in wire format that is said to be of this kind; in words. */
export function faultOfKeyBlob(algorithm: string, blob: Buffer): string | undefined {
  const fields = readStrings(blob);
  const [inside, ...parts] = fields ?? [];
  if (inside === undefined) return 'the key is cut off or damaged';
  const name = inside.toString('latin1');
  if (name !== algorithm) return `the line says ${algorithm}, but the key inside is "${printable(name)}"`;
  const curve = curves[algorithm];
  if (curve !== undefined) return faultOfEcdsa(curve, parts, algorithm.startsWith('sk-') ? 3 : 2);
  if (algorithm === 'ssh-rsa') return faultOfRsa(parts);
  // RFC 8709 section 4: 32 octets; a security key adds its application.
  const expected = algorithm.startsWith('sk-') ? 2 : 1;
  return parts.length === expected && parts[0]?.length === 32 ? undefined : 'this is not a whole Ed25519 key';
}

/** RFC 5656 section 3.1: the curve's name, then the point, uncompressed (SEC 1 section 2.3.3). */
function faultOfEcdsa(curve: { name: string; pointBytes: number }, parts: readonly Buffer[], expected: number): string | undefined {
  const [name, point] = parts;
  if (parts.length !== expected || name === undefined || point === undefined) return 'this is not a whole ECDSA key';
  if (name.toString('latin1') !== curve.name)
    return `the key names the curve "${printable(name.toString('latin1'))}" instead of ${curve.name}`;
  if (point.length !== curve.pointBytes || point[0] !== 4) return `the point is not an uncompressed point of ${curve.name}`;
  return undefined;
}

function faultOfRsa(parts: readonly Buffer[]): string | undefined {
  const [exponent, modulus] = parts;
  if (parts.length !== 2 || exponent === undefined || modulus === undefined) return 'this is not a whole RSA key';
  const exponentBits = bitsOf(exponent);
  const modulusBits = bitsOf(modulus);
  if (exponentBits === undefined || modulusBits === undefined) return 'the numbers of the RSA key are not positive';
  if (exponentBits < 2 || ((exponent.at(-1) ?? 0) & 1) === 0 || exponentBits > 64) return 'the exponent of the RSA key is not usable';
  if (modulusBits < MIN_RSA_BITS) return `the RSA key has ${modulusBits} bits, and ${MIN_RSA_BITS} are the least`;
  if (modulusBits > MAX_RSA_BITS) return `the RSA key has ${modulusBits} bits, and ${MAX_RSA_BITS} are the most`;
  return undefined;
}

/** Length of a positive mpint (RFC 4251 section 5); undefined when it is zero, negative or not in shortest form. */
function bitsOf(mpint: Buffer): number | undefined {
  const first = mpint[0];
  if (first === undefined || first >= 0x80) return undefined;
  if (first !== 0) return mpint.length * 8 - (Math.clz32(first) - 24);
  const second = mpint[1];
  return second === undefined || second < 0x80 ? undefined : (mpint.length - 1) * 8;
}

/** The length-prefixed strings that the blob consists of; undefined when they do not end where it does. */
function readStrings(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let offset = 0;
  while (offset < blob.length) {
    if (blob.length - offset < 4) return undefined;
    const end = offset + 4 + blob.readUInt32BE(offset);
    if (end > blob.length) return undefined;
    fields.push(blob.subarray(offset + 4, end));
    offset = end;
  }
  return fields;
}

/** What a stranger wrote, fit for a terminal: short and without control characters. */
function printable(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, '?');
  return clean.length > 40 ? `${clean.slice(0, 40)}…` : clean;
}
