import { concatenated, decodeBase64, toHex } from './encodings.ts';
import { HASH_BYTES } from './merkle.ts';
import { type Subtle, sha256 } from './sha256.ts';

/** The signed head of a log: C2SP tlog-checkpoint as a signed note (c2sp.org/signed-note). */
export interface Checkpoint {
  origin: string;
  size: number;
  root: Uint8Array;
  /** The bytes that are signed. */
  text: string;
  signatures: readonly { name: string; id: string; bytes: Uint8Array<ArrayBuffer> }[];
}

export interface LogKey {
  name: string;
  /** Four bytes in hexadecimal. */
  id: string;
  publicKey: Uint8Array<ArrayBuffer>;
}

/** What is wrong with a text, in words. */
export class NotReadable extends Error {}

const MAX_NOTE_LENGTH = 256 * 1024;
const MAX_SIGNATURES = 64;
const ED25519 = 1;

/** Throws NotReadable. */
export function parseCheckpoint(note: string): Checkpoint {
  if (note.length > MAX_NOTE_LENGTH) throw new NotReadable('it is far longer than a checkpoint');
  if (!note.endsWith('\n')) throw new NotReadable('its last line does not end');
  if (/[\0-\x09\x0b-\x1f]/.test(note)) throw new NotReadable('it has control characters');
  const boundary = note.lastIndexOf('\n\n');
  if (boundary < 0) throw new NotReadable('it has no signature');
  const text = note.slice(0, boundary + 1);
  const [origin = '', size = '', root = '', ...others] = text.slice(0, -1).split('\n');
  if (origin === '' || others.includes('')) throw new NotReadable('it does not consist of an origin, a size and a root');
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) throw new NotReadable('its size is no number of entries');
  const hash = decodeBase64(root);
  if (hash?.length !== HASH_BYTES) throw new NotReadable('its root is no SHA-256 in base64');
  const lines = note
    .slice(boundary + 2, -1)
    .split('\n')
    .slice(0, MAX_SIGNATURES);
  return { origin, size: Number(size), root: hash, text, signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): Checkpoint['signatures'][number] {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ');
  const bytes = decodeBase64(encoded);
  if (dash !== '—' || name === '' || rest.length > 0 || bytes === undefined || bytes.length < 5) {
    throw new NotReadable('a line after the empty one is not a signature');
  }
  return { name, id: toHex(bytes.subarray(0, 4)), bytes: bytes.slice(4) };
}

/** `NAME+ID+KEY` (C2SP vkey), Ed25519 only. Throws NotReadable. */
export function parseLogKey(line: string): LogKey {
  const [match, name = '', id = '', encoded = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n?$/.exec(line) ?? [];
  if (match === undefined) throw new NotReadable('it has not the form NAME+ID+KEY');
  const bytes = decodeBase64(encoded);
  if (bytes?.length !== 33 || bytes[0] !== ED25519) throw new NotReadable('it is not an Ed25519 public key');
  const derived = sha256(concatenated(new TextEncoder().encode(`${name}\n`), bytes));
  if (toHex(derived.subarray(0, 4)) !== id) throw new NotReadable('its id is not that of its name and key');
  return { name, id, publicKey: bytes.slice(1) };
}

export type SignatureVerdict = 'valid' | 'wrong' | 'not signed by this key' | 'browser cannot tell';

export async function checkSignature(checkpoint: Checkpoint, key: LogKey): Promise<SignatureVerdict> {
  const ours = checkpoint.signatures.filter(({ name, id }) => name === key.name && id === key.id);
  if (ours.length === 0) return 'not signed by this key';
  const subtle: Subtle | undefined = globalThis.crypto?.subtle;
  if (subtle === undefined) return 'browser cannot tell';
  let imported: Awaited<ReturnType<Subtle['importKey']>>;
  try {
    imported = await subtle.importKey('raw', key.publicKey, { name: 'Ed25519' }, false, ['verify']);
  } catch (thrown) {
    // Browsers before 2025 do not know the algorithm; a key of 32 bytes that one refuses otherwise is no key at all.
    return thrown instanceof DOMException && thrown.name === 'NotSupportedError' ? 'browser cannot tell' : 'wrong';
  }
  const text = new TextEncoder().encode(checkpoint.text);
  for (const { bytes } of ours) if (!(await subtle.verify({ name: 'Ed25519' }, imported, bytes, text))) return 'wrong';
  return 'valid';
}
