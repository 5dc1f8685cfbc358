import { wordsOf } from '../data-fault.ts';
import { toHex } from '../encodings.ts';
import { Sha256Stream, sha256OfLong } from '../sha256.ts';
import { addFinding, faultCount, makeProgress, number, paced, type Step } from '../step.ts';
import { type BundleZip, EntryFault } from './bundle-zip.ts';

/** Beside `data/`: the files of the bag itself (BagIt 1.0, RFC 8493), and the attestation, which nothing but its signature holds. */
const TAGS = ['bagit.txt', 'bag-info.txt', 'manifest-sha256.txt'];
const BESIDE = ['tagmanifest-sha256.txt', 'attestation.dsse.json', 'attestation.txt', 'attestation.sig'];
const LINE = /^([0-9a-f]{64}) {2}([^\s].*)$/;
const MOST_SMALL = 4 * 1024 * 1024;
const MOST_MANIFEST = 320 * 1024 * 1024;
/** What is larger is hashed piece by piece: the browser's own digest is fast, and wants all of it in memory. */
const WHOLE_BYTES = 32 * 1024 * 1024;

/** What the files of a bundle really are: digests as they were computed, by name. */
export type FileDigests = Map<string, string>;

/** Every file against the manifest, and nothing besides. Gives the sentence of the result. */
export async function checkBag(zip: BundleZip, step: Step, digests: FileDigests, changed: () => void): Promise<string> {
  const named = new Set<string>();
  const pause = paced();
  const total = zip.unpackedBytes;
  let files = 0;
  let bytes = 0;
  for (const line of await linesOf(zip, 'manifest-sha256.txt', step, MOST_MANIFEST)) {
    const [, sha256, name = ''] = LINE.exec(line) ?? [];
    if (sha256 === undefined || !name.startsWith('data/') || named.has(name)) {
      addFinding(step, { words: 'A line of the manifest is not a digest and a name below data/, or names a file twice.' });
      continue;
    }
    named.add(name);
    if (!zip.has(name)) {
      addFinding(step, { words: `${name} is missing: the manifest names it.` });
      continue;
    }
    const found = await hashOf(zip, name, step);
    bytes += zip.entries.get(name)?.bytes ?? 0;
    makeProgress(step, bytes / total, changed);
    await pause();
    if (found === undefined) continue;
    files += 1;
    digests.set(name, found);
    if (found !== sha256) addFinding(step, { words: `${name} was altered: the manifest has the digest of another content.` });
  }
  for (const name of zip.entries.keys())
    if (name.startsWith('data/') ? !named.has(name) : !TAGS.includes(name) && !BESIDE.includes(name))
      addFinding(step, { words: `${name} was added: no manifest names it.` });
  if (step.findings.length > 0) return `${faultCount(step)}; ${number(files)} of ${number(named.size)} files could be compared`;
  return `${number(files)} ${files === 1 ? 'file' : 'files'}, each with the SHA-256 of the manifest`;
}

/** The manifests against the tag manifest. `take` is given the SHA-256 of that one, through which all others can be checked. */
export async function checkTags(zip: BundleZip, step: Step, take: (digest: string) => void): Promise<string> {
  const name = 'tagmanifest-sha256.txt';
  const lines = await linesOf(zip, name, step, MOST_SMALL);
  const own = zip.has(name) ? await hashOf(zip, name, step) : undefined;
  if (own !== undefined) take(own);
  if (own !== undefined && lines.length !== TAGS.length)
    addFinding(step, { words: `The tag manifest does not consist of the digests of ${TAGS.join(', ')}.` });
  for (const [at, tag] of TAGS.entries()) {
    if (!zip.has(tag)) {
      addFinding(step, { words: `${tag} is missing.` });
      continue;
    }
    const found = await hashOf(zip, tag, step);
    const [, sha256, said] = LINE.exec(lines[at] ?? '') ?? [];
    if (found !== undefined && (said !== tag || found !== sha256))
      addFinding(step, { words: `${tag} was altered: the tag manifest has the digest of another content.` });
  }
  await checkOxum(zip, step);
  return step.findings.length > 0 ? faultCount(step) : `Its SHA-256 is ${own ?? ''}`;
}

/** What the bag counts of itself. */
async function checkOxum(zip: BundleZip, step: Step): Promise<void> {
  if (!zip.has('bag-info.txt')) return;
  let files = 0;
  let bytes = 0;
  for (const [name, entry] of zip.entries) {
    if (!name.startsWith('data/')) continue;
    files += 1;
    bytes += entry.bytes;
  }
  const lines = await linesOf(zip, 'bag-info.txt', step, MOST_SMALL);
  const oxum = lines.find((line) => line.startsWith('Payload-Oxum: '));
  if (oxum !== `Payload-Oxum: ${bytes}.${files}`)
    addFinding(step, { words: `bag-info.txt counts other files than the ${number(files)} with ${number(bytes)} bytes that are here.` });
}

async function linesOf(zip: BundleZip, name: string, step: Step, atMost: number): Promise<string[]> {
  try {
    const text = new TextDecoder().decode(await zip.read(name, atMost));
    const lines = text.split('\n');
    if (lines.pop() !== '') addFinding(step, { words: `The last line of ${name} does not end.` });
    return lines;
  } catch (thrown) {
    if (!(thrown instanceof EntryFault)) throw thrown;
    addFinding(step, { words: `${name} cannot be read: ${thrown.message}.` });
    return [];
  }
}

/** Undefined when it cannot be read to its end, which is told. */
async function hashOf(zip: BundleZip, name: string, step: Step): Promise<string | undefined> {
  try {
    const bytes = zip.entries.get(name)?.bytes ?? 0;
    if (bytes <= WHOLE_BYTES) return toHex(await sha256OfLong(await zip.read(name, WHOLE_BYTES)));
    const digest = new Sha256Stream();
    for await (const chunk of zip.open(name)) digest.push(chunk);
    return digest.hex();
  } catch (thrown) {
    if (!(thrown instanceof EntryFault)) throw thrown;
    addFinding(step, { words: `${name} was altered: ${wordsOf(thrown)}.` });
    return undefined;
  }
}
