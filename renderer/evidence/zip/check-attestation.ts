import { z } from 'zod';
import type { LogKey } from '../checkpoint.ts';
import { wordsOf } from '../data-fault.ts';
import { concatenated, decodeBase64, sameBytes } from '../encodings.ts';
import { addFinding, type Step } from '../step.ts';
import { type BundleZip, EntryFault } from './bundle-zip.ts';

const FILE = 'attestation.dsse.json';
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const MOST_BYTES = 4 * 1024 * 1024;

/** gateway/ledger/attestation.ts: an in-toto Statement v1 in a DSSE v1 envelope. */
const envelopeSchema = z.strictObject({
  payloadType: z.literal(PAYLOAD_TYPE),
  payload: z.string(),
  signatures: z
    .array(z.strictObject({ keyid: z.string().optional(), sig: z.string().max(1024) }))
    .min(1)
    .max(16),
});
const statementSchema = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z.tuple([z.strictObject({ name: z.literal('tagmanifest-sha256.txt'), digest: z.strictObject({ sha256: z.string() }) })]),
  predicateType: z.literal('urn:sallyport:audit-bundle:v1'),
  predicate: z.strictObject({
    gateway: z.strictObject({ name: z.string(), version: z.string() }),
    time: z.string(),
    question: z.record(z.string(), z.unknown()),
    checkpoint: z.string(),
  }),
});

/** What the statement has to be about. */
export interface AttestedFacts {
  key: LogKey | undefined;
  /** SHA-256 of the tag manifest, as it was computed. */
  tagManifest: string | undefined;
  /** The signed note. */
  checkpoint: string;
}

/** The gateway's signature over the bundle as a whole. Gives the sentence of the result. */
export async function checkAttestation(zip: BundleZip, step: Step, facts: AttestedFacts): Promise<string> {
  if (!zip.has(FILE)) {
    step.state = 'limited';
    return 'The bundle is not signed as a whole: its records and recordings are proved by the ledger, and its transcripts and tables by nothing.';
  }
  const { key } = facts;
  if (key === undefined) {
    addFinding(step, { words: 'There is no public key that could be read.' });
    return 'There is no key to check with';
  }
  try {
    const envelope = envelopeSchema.parse(JSON.parse(await textOf(zip, FILE)));
    const payload = decodeBase64(envelope.payload);
    if (payload === undefined) throw new EntryFault('what it signs is not base64');
    const signed = concatenated(new TextEncoder().encode(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload);
    const verdict = await signatureVerdict(envelope.signatures, signed, key, step);
    const { subject, predicate } = statementSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)));
    if (subject[0].digest.sha256 !== facts.tagManifest)
      addFinding(step, { words: 'What was signed is another bundle: its tag manifest has another digest.' });
    if (predicate.checkpoint !== facts.checkpoint) addFinding(step, { words: 'What was signed is a bundle as of another checkpoint.' });
    await compareFile(zip, step, 'attestation.txt', signed);
    await compareFile(zip, step, 'attestation.sig', decodeBase64(envelope.signatures[0]?.sig ?? ''));
    if (step.findings.length > 0) return 'The signature does not hold for this bundle';
    if (verdict === 'browser cannot tell') {
      step.state = 'limited';
      return 'This browser cannot check Ed25519 signatures. Run data/verify.sh, or open the bundle in a current browser.';
    }
    return `Signed by ${predicate.gateway.name} at ${predicate.time.slice(0, 19).replace('T', ' ')} UTC`;
  } catch (thrown) {
    const why =
      thrown instanceof z.ZodError ? `it has not the form of an attestation (${thrown.issues[0]?.path.join('.') ?? ''})` : wordsOf(thrown);
    addFinding(step, { words: `${FILE} cannot be used: ${why}.` });
    return 'There is no signature to check';
  }
}

async function signatureVerdict(
  signatures: readonly { sig: string }[],
  signed: Uint8Array<ArrayBuffer>,
  key: LogKey,
  step: Step,
): Promise<'valid' | 'wrong' | 'browser cannot tell'> {
  try {
    const imported = await crypto.subtle.importKey('raw', key.publicKey, { name: 'Ed25519' }, false, ['verify']);
    for (const { sig } of signatures) {
      const bytes = decodeBase64(sig);
      if (bytes !== undefined && (await crypto.subtle.verify({ name: 'Ed25519' }, imported, bytes, signed))) return 'valid';
    }
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'NotSupportedError') return 'browser cannot tell';
    addFinding(step, { words: 'The public key in the bundle is none.' });
    return 'wrong';
  }
  addFinding(step, { words: 'The signature does not fit: the statement or the key was altered, or another key signed it.' });
  return 'wrong';
}

/** What was signed and its signature also stand in files of their own, for openssl, which no manifest names. */
async function compareFile(zip: BundleZip, step: Step, name: string, expected: Uint8Array | undefined): Promise<void> {
  if (!sameBytes(await bytesOf(zip, name), expected)) addFinding(step, { words: `${name} was altered: it is not what stands in ${FILE}.` });
}

async function textOf(zip: BundleZip, name: string): Promise<string> {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await zip.read(name, MOST_BYTES));
}

async function bytesOf(zip: BundleZip, name: string): Promise<Uint8Array | undefined> {
  try {
    return await zip.read(name, MOST_BYTES);
  } catch (thrown) {
    if (thrown instanceof EntryFault) return undefined;
    throw thrown;
  }
}
