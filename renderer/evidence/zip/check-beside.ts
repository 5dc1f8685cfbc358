import type { BundlePage } from '../../../contract/bundle-page.ts';
import { parseLogKey } from '../checkpoint.ts';
import { concatenated, fromHex, sameBytes, toBase64 } from '../encodings.ts';
import { addFinding, type Finding, faultCount, type Step } from '../step.ts';
import type { Verification } from '../verification.ts';
import { type BundleZip, EntryFault } from './bundle-zip.ts';
import type { FileDigests } from './check-bag.ts';

const MOST_BYTES = 64 * 1024 * 1024;
/** RFC 8410: what stands before the 32 bytes of an Ed25519 key. */
const SPKI = '302a300506032b6570032100';

/**
 * What a bundle says a second time beside its page, for people with other tools, and what it keeps beside its casts: the
 * same checkpoint, the same key, the same answer, and the very files that records seal. Findings go to the steps they
 * belong to.
 */
export async function checkBeside(zip: BundleZip, page: BundlePage, verification: Verification, digests: FileDigests): Promise<void> {
  const { tree, signature, range, segments } = verification.steps;
  const text = async (name: string): Promise<string> => {
    try {
      return new TextDecoder().decode(await zip.read(name, MOST_BYTES));
    } catch (thrown) {
      if (thrown instanceof EntryFault) return '';
      throw thrown;
    }
  };
  const { checkpoint, verifierKey } = page.ledger;
  if ((await text('data/ledger/checkpoint')) !== checkpoint)
    fail(tree, 'data/ledger/checkpoint is not the checkpoint that the page of this bundle names.');
  if ((await text('data/keys/ledger.vkey')).trim() !== verifierKey.trim() || (await text('data/keys/ledger.pem')) !== pemOf(verifierKey))
    fail(signature, 'The keys in data/keys are not the one that the page of this bundle names.');
  if (!sameAnswer(await text('data/query.json'), page))
    fail(range, 'data/query.json tells another question, or another count, than the page of this bundle.');
  for (const { session, channel, segment, name, sha256 } of besides(verification)) {
    const found = digests.get(name);
    if (found === sha256) continue;
    const words = found === undefined ? 'is missing or cannot be read' : 'is not what was sealed';
    fail(segments, `${name} ${words}: a record has its SHA-256.`, { session, channel, segment });
  }
}

function fail(step: Step, words: string, where: Omit<Finding, 'words'> = {}): void {
  addFinding(step, { ...where, words });
  step.state = 'failed';
  step.result = faultCount(step);
}

/** Content that was kept whole: files that records name. Those of erased sessions are gone, and said to be. */
function* besides(verification: Verification) {
  for (const [session, { channels, erased }] of verification.sessions) {
    if (erased.length > 0) continue;
    for (const [channel, { seals }] of channels)
      for (const { segment, attachments } of seals)
        for (const { file, sha256 } of attachments)
          yield { session, channel, segment, sha256, name: `data/recordings/${session}-${channel}.${file.split('/').at(-1) ?? ''}` };
  }
}

function pemOf(verifierKey: string): string | undefined {
  try {
    const prefix = fromHex(SPKI) ?? new Uint8Array(0);
    return `-----BEGIN PUBLIC KEY-----\n${toBase64(concatenated(prefix, parseLogKey(verifierKey).publicKey))}\n-----END PUBLIC KEY-----\n`;
  } catch {
    return undefined; // A key that is none is told by the step that reads it.
  }
}

function sameAnswer(query: string, page: BundlePage): boolean {
  let told: unknown;
  try {
    told = JSON.parse(query);
  } catch {
    return false;
  }
  if (typeof told !== 'object' || told === null) return false;
  const { question, completeness, notes } = told as Record<string, unknown>;
  const encoded = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  return (
    sameBytes(encoded(question), encoded(page.question)) &&
    sameBytes(encoded(completeness), encoded(page.completeness)) &&
    sameBytes(encoded(notes), encoded(page.notes))
  );
}
