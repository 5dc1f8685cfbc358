import { createPrivateKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto';
import { SshWire } from '../base/ssh-wire.ts';

/*
 * Private keys as ssh-keygen writes them (OpenSSH, PROTOCOL.key), as far as they are not encrypted: the key derivation of
 * encrypted ones is OpenSSH's own, and the agent has it.
 */

const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----';
const END = '-----END OPENSSH PRIVATE KEY-----';
const MAGIC = Buffer.from('openssh-key-v1\0');

/** `public` is there also where the private half is encrypted. */
export interface OpenSshKey {
  /** Wire format of RFC 4253 section 6.6. */
  readonly blob: Buffer;
  /** Undefined when it is encrypted. */
  readonly key: KeyObject | undefined;
}

/** Undefined for text that is no whole key of this form. */
export function parseOpenSshKey(text: string): OpenSshKey | undefined {
  const lines = text.trim().split(/\r?\n/);
  if (lines.at(0) !== BEGIN || lines.at(-1) !== END) return undefined;
  const file = new SshWire(Buffer.from(lines.slice(1, -1).join(''), 'base64'));
  const magic = file.raw(MAGIC.length);
  const cipher = file.string()?.toString('latin1');
  const [kdf, options] = [file.string(), file.string()];
  const keys = file.uint32();
  const blob = file.string();
  const secret = file.string();
  if (magic?.equals(MAGIC) !== true || kdf === undefined || options === undefined || keys !== 1) return undefined;
  if (blob === undefined || secret === undefined) return undefined;
  if (cipher !== 'none') return { blob, key: undefined };
  const key = privateKeyIn(secret);
  return key === undefined ? undefined : { blob, key };
}

function privateKeyIn(secret: Buffer): KeyObject | undefined {
  const fields = new SshWire(secret);
  const [first, second] = [fields.uint32(), fields.uint32()];
  if (first === undefined || first !== second) return undefined;
  const type = fields.string()?.toString('latin1') ?? '';
  const key = type === 'ssh-rsa' ? rsa(fields) : type === 'ssh-ed25519' ? ed25519(fields) : ecdsa(type, fields);
  if (key === undefined) return undefined;
  try {
    return createPrivateKey({ key, format: 'jwk' });
  } catch {
    return undefined; // Numbers that are no key.
  }
}

type Jwk = JsonWebKeyInput['key'];

function ed25519(fields: SshWire): Jwk | undefined {
  const [point, seed] = [fields.string(), fields.string()];
  if (point?.length !== 32 || seed?.length !== 64) return undefined;
  return { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url'), d: seed.subarray(0, 32).toString('base64url') };
}

const curves: Readonly<Record<string, { readonly crv: string; readonly bytes: number }>> = {
  'ecdsa-sha2-nistp256': { crv: 'P-256', bytes: 32 },
  'ecdsa-sha2-nistp384': { crv: 'P-384', bytes: 48 },
  'ecdsa-sha2-nistp521': { crv: 'P-521', bytes: 66 },
};

function ecdsa(type: string, fields: SshWire): Jwk | undefined {
  const curve = Object.hasOwn(curves, type) ? curves[type] : undefined;
  const [name, point] = [fields.string(), fields.string()];
  const d = fields.positive();
  if (curve === undefined || name === undefined || d === undefined || point?.length !== 1 + 2 * curve.bytes) return undefined;
  const { crv, bytes } = curve;
  const padded = Buffer.concat([Buffer.alloc(Math.max(0, bytes - d.length)), d]);
  const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)];
  return { kty: 'EC', crv, x: x.toString('base64url'), y: y.toString('base64url'), d: padded.toString('base64url') };
}

function rsa(fields: SshWire): Jwk | undefined {
  const [n, e, d, qi, p, q] = [1, 2, 3, 4, 5, 6].map(() => fields.positive());
  if (n === undefined || e === undefined || d === undefined || qi === undefined || p === undefined || q === undefined) return undefined;
  const text = (bytes: Buffer) => bytes.toString('base64url');
  return {
    kty: 'RSA',
    n: text(n),
    e: text(e),
    d: text(d),
    p: text(p),
    q: text(q),
    dp: text(less(d, p)),
    dq: text(less(d, q)),
    qi: text(qi),
  };
}

/** d modulo (prime - 1), which the file leaves out. */
function less(d: Buffer, prime: Buffer): Buffer {
  const number = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`);
  const hex = (number(d) % (number(prime) - 1n)).toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}
