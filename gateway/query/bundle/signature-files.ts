import { SallyportError } from '../../base/errors.ts';
import type { VerifierKey } from '../../ledger/signed-note.ts';

/** What was signed and its signature, as files of their own: `openssl pkeyutl` verifies nothing else. */
export interface SignedFiles {
  message: Buffer;
  /** Ed25519, 64 bytes. */
  signature: Buffer;
}

/** Of a signed note, by this key. The note was opened before, so the key is known to have signed it. */
export function noteFiles(note: string, key: VerifierKey): SignedFiles {
  const boundary = note.lastIndexOf('\n\n');
  for (const line of note.slice(boundary + 2).split('\n')) {
    const [, name, encoded = ''] = line.split(' ');
    const bytes = Buffer.from(encoded, 'base64');
    if (name === key.name && bytes.length === 68 && bytes.readUInt32BE(0) === key.id) {
      return { message: Buffer.from(note.slice(0, boundary + 1), 'utf8'), signature: bytes.subarray(4) };
    }
  }
  throw new SallyportError('LEDGER_SIGNATURE_INVALID', 'The checkpoint is not signed by the key of its ledger');
}

/** Of a DSSE envelope as the gateway makes it: one signature over its pre-authentication encoding. */
export function envelopeFiles(envelope: string): SignedFiles {
  const { payloadType, payload, signatures } = JSON.parse(envelope) as {
    payloadType: string;
    payload: string;
    signatures: { sig: string }[];
  };
  const content = Buffer.from(payload, 'base64');
  return {
    message: Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${content.length} `, 'utf8'), content]),
    signature: Buffer.from(signatures[0]?.sig ?? '', 'base64'),
  };
}
