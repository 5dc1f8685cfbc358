import { verify } from 'node:crypto';
import { SallyportError } from '../base/errors.ts';
import { isKeyName, type NoteSigner, sameKey, type VerifierKey } from './note-key.ts';
import { decodeBase64, encodeBase64 } from './strict-base64.ts';

export { formatVerifierKey, type NoteSigner, noteSigner, parseVerifierKey, type VerifierKey } from './note-key.ts';

/** Text signed by one or more keys: C2SP signed-note (c2sp.org/signed-note). */

/** Far more than a checkpoint with its log's and sixteen witnesses' signatures, post-quantum ones included. */
const MAX_NOTE_BYTES = 256 * 1024;
const MAX_SIGNATURES = 64;

/** `text` is well-formed, ends with a newline, and has no control characters besides. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!isNoteText(text)) throw invalidNote('its text does not end with a newline, or has control characters');
  const bytes = Buffer.from(text, 'utf8');
  const lines = signers.map((signer) => {
    const id = Buffer.alloc(4);
    id.writeUInt32BE(signer.key.id);
    return `— ${signer.key.name} ${encodeBase64(Buffer.concat([id, signer.sign(bytes)]))}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/**
 * The text, and which of the given keys signed it, in the order of their signatures. Signatures of other keys are
 * ignored; one of a given key that does not verify makes the whole note worthless. Throws LEDGER_NOTE_INVALID for what
 * is no note, and LEDGER_SIGNATURE_INVALID when no given key signed it or a signature is wrong.
 */
export function openNote(note: string | Uint8Array, keys: readonly VerifierKey[]): { text: string; signedBy: VerifierKey[] } {
  const { text, signatures } = splitNote(note);
  const bytes = Buffer.from(text, 'utf8');
  const signedBy: VerifierKey[] = [];
  for (const signature of signatures) {
    const key = keys.find(({ name, id }) => name === signature.name && id === signature.id);
    if (key === undefined) continue;
    if (!verify(null, bytes, key.publicKey, signature.bytes)) {
      throw invalidSignature(`The signature of ${key.name} does not fit the text: one of the two was changed`);
    }
    if (!signedBy.some((other) => sameKey(other, key))) signedBy.push(key);
  }
  if (signedBy.length > 0) return { text, signedBy };
  const names = signatures.map(({ name }) => name).join(', ');
  throw invalidSignature(`None of the known keys signed this note; it carries signatures of: ${names}`);
}

/** The text of a note whose signatures nobody has checked. For saying what it claims, and for nothing else. */
export function unverifiedText(note: string | Uint8Array): string {
  return splitNote(note).text;
}

interface Signature {
  name: string;
  id: number;
  bytes: Uint8Array;
}

function splitNote(note: string | Uint8Array): { text: string; signatures: Signature[] } {
  const whole = noteString(note);
  // Text and signatures are kept apart by the last empty line.
  const boundary = whole.lastIndexOf('\n\n');
  if (boundary < 0 || !whole.endsWith('\n')) throw invalidNote('it has no signatures');
  const text = whole.slice(0, boundary + 1);
  const lines = whole
    .slice(boundary + 2)
    .split('\n')
    .slice(0, -1);
  if (lines.length === 0 || lines.length > MAX_SIGNATURES) throw invalidNote(`it has ${lines.length} signatures`);
  return { text, signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): Signature {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ');
  const bytes = decodeBase64(encoded);
  if (dash !== '—' || rest.length > 0 || !isKeyName(name) || bytes === undefined || bytes.length < 5) {
    throw invalidNote('a line after the empty one is not a signature');
  }
  return { name, id: bytes.readUInt32BE(0), bytes: bytes.subarray(4) };
}

function noteString(note: string | Uint8Array): string {
  if (note.length > MAX_NOTE_BYTES) throw invalidNote(`it is larger than ${MAX_NOTE_BYTES} bytes`);
  if (typeof note === 'string') {
    if (!isNoteText(note)) throw invalidNote('it does not end with a newline, or has control characters');
    return note;
  }
  try {
    return noteString(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(note));
  } catch (thrown) {
    if (thrown instanceof SallyportError) throw thrown;
    throw invalidNote('it is not UTF-8', thrown);
  }
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && !/[\0-\x09\x0b-\x1f]/.test(text);
}

function invalidNote(why: string, cause?: unknown): SallyportError {
  return new SallyportError('LEDGER_NOTE_INVALID', `This is no signed note: ${why}`, {
    remedy: 'use a checkpoint exactly as the gateway wrote it, every byte of it',
    ...(cause === undefined ? {} : { cause }),
  });
}

function invalidSignature(message: string): SallyportError {
  return new SallyportError('LEDGER_SIGNATURE_INVALID', message, {
    remedy: 'see that the key is the one of this ledger and that nobody edited the file',
  });
}
