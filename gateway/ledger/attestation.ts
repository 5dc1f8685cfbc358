import { verify } from 'node:crypto';
import { z } from 'zod';
import { SallyportError } from '../base/errors.ts';
import { canonicalBytes } from './canonical-json.ts';
import { type NoteSigner, openNote, type VerifierKey } from './signed-note.ts';
import { decodeBase64, encodeBase64 } from './strict-base64.ts';

/*
 * What a gateway says of a bundle: an in-toto Statement v1 in a DSSE v1 envelope, signed with the ledger's key. The key
 * signs two things only, checkpoints and these statements, and neither can be taken for the other: the text of a note
 * begins with the name of a log, which has no space, and what DSSE signs begins with `DSSEv1 `.
 */

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPE = 'urn:sallyport:audit-bundle:v1';
/** The file of the bundle whose digest is the subject: through it every other file is. */
const SUBJECT = 'tagmanifest-sha256.txt';

const MAX_ENVELOPE_BYTES = 4 * 1024 * 1024;

const predicate = z.strictObject({
  gateway: z.strictObject({ name: z.string(), version: z.string() }),
  /** When it was signed; ISO 8601 UTC. */
  time: z.string(),
  question: z.record(z.string(), z.unknown()),
  /** The checkpoint that the bundle was made against, a signed note. */
  checkpoint: z.string(),
});

const statement = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([z.strictObject({ name: z.literal(SUBJECT), digest: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }) })]),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate,
});

const envelope = z.strictObject({
  payloadType: z.literal(PAYLOAD_TYPE),
  payload: z.string(),
  signatures: z
    .array(z.strictObject({ keyid: z.string().max(512).optional(), sig: z.string().max(1024) }))
    .min(1)
    .max(16),
});

/** A bundle with this tag manifest answers this question as of this checkpoint. */
export interface Attestation extends z.infer<typeof predicate> {
  /** SHA-256 of the tag manifest. */
  readonly tagManifest: string;
}

/**
 * The envelope as JSON. Throws LEDGER_NOTE_INVALID or LEDGER_SIGNATURE_INVALID when the checkpoint is not one that this
 * key has signed: a gateway attests nothing about another ledger.
 */
export function signAttestation({ tagManifest, ...claims }: Attestation, signer: NoteSigner): string {
  openNote(claims.checkpoint, [signer.key]);
  const payload = canonicalBytes({
    _type: STATEMENT_TYPE,
    subject: [{ name: SUBJECT, digest: { sha256: tagManifest } }],
    predicateType: PREDICATE_TYPE,
    predicate: claims,
  });
  const signature = signer.sign(preAuthenticationEncoding(payload));
  const signatures = [{ keyid: keyIdOf(signer.key), sig: encodeBase64(signature) }];
  return `${JSON.stringify({ payloadType: PAYLOAD_TYPE, payload: encodeBase64(payload), signatures })}\n`;
}

/**
 * What an envelope says, and which of the given keys signed it. The checkpoint in it is not looked at. Throws
 * LEDGER_NOTE_INVALID for another kind of envelope, and LEDGER_SIGNATURE_INVALID when none of the keys signed it.
 */
export function openAttestation(json: string, keys: readonly VerifierKey[]): { attestation: Attestation; signedBy: VerifierKey } {
  if (json.length > MAX_ENVELOPE_BYTES) throw invalid(`it is larger than ${MAX_ENVELOPE_BYTES} bytes`);
  const { payload: encoded, signatures } = read(envelope, json, 'the envelope');
  const payload = decodeBase64(encoded);
  if (payload === undefined) throw invalid('its payload is not base64');
  const signed = preAuthenticationEncoding(payload);
  const signedBy = keys.find((key) =>
    signatures.some(({ sig }) => verify(null, signed, key.publicKey, decodeBase64(sig) ?? Buffer.alloc(0))),
  );
  if (signedBy === undefined) {
    throw new SallyportError('LEDGER_SIGNATURE_INVALID', 'None of the known keys signed this attestation, or it was changed', {
      remedy: 'see that the key is the one of this ledger and that nobody edited the file',
    });
  }
  const { subject, predicate: claims } = read(statement, new TextDecoder('utf-8').decode(payload), 'the statement');
  return { attestation: { ...claims, tagManifest: subject[0].digest.sha256 }, signedBy };
}

/** DSSE v1: type and content cannot run into each other. */
function preAuthenticationEncoding(payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `, 'ascii'), payload]);
}

/** Beginning of the verifier key: enough to find it, and no statement about it. */
function keyIdOf(key: VerifierKey): string {
  return `${key.name}+${key.id.toString(16).padStart(8, '0')}`;
}

function read<T>(schema: z.ZodType<T>, json: string, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw invalid(`${what} is not JSON`, error);
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw invalid(`${what} is not of the form of a bundle's (${issue?.path.join('.')}: ${issue?.message})`, checked.error);
}

function invalid(why: string, cause?: unknown): SallyportError {
  return new SallyportError('LEDGER_NOTE_INVALID', `This is no attestation of a bundle: ${why}`, {
    remedy: 'use attestation.dsse.json exactly as it stands in the bundle',
    ...(cause === undefined ? {} : { cause }),
  });
}
