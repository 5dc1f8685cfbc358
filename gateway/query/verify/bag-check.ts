import { createHash } from 'node:crypto';
import type { BundleFiles } from './bundle-files.ts';
import { fault, type Report } from './finding.ts';

/** Beside `data/`: the files of the bag itself (BagIt 1.0, RFC 8493), and the attestation, which nothing but its signature holds. */
const TAGS = ['bagit.txt', 'bag-info.txt', 'manifest-sha256.txt'];
const BESIDE = ['tagmanifest-sha256.txt', 'attestation.dsse.json', 'attestation.txt', 'attestation.sig'];
const MANIFEST_LINE = /^([0-9a-f]{64}) {2}([^\s].*)$/;
const MOST_TAG_MANIFEST = 64 * 1024;

export interface BagTotals {
  files: number;
  bytes: number;
  /** SHA-256 of the tag manifest, in hexadecimal. */
  tagManifest: string | undefined;
}

/** Every file against the manifest, every manifest against the tag manifest, and nothing besides. */
export async function checkBag(files: BundleFiles, report: Report, progress: (bytes: number) => void): Promise<BagTotals> {
  const tagManifest = await files.read('tagmanifest-sha256.txt', MOST_TAG_MANIFEST);
  await checkTags(files, tagManifest, report);
  const named = new Set<string>();
  const totals: BagTotals = {
    files: 0,
    bytes: 0,
    tagManifest: tagManifest && createHash('sha256').update(tagManifest).digest('hex'),
  };
  for await (const line of files.lines('manifest-sha256.txt')) {
    const [, sha256, name = ''] = MANIFEST_LINE.exec(line.toString('utf8')) ?? [];
    if (sha256 === undefined || !name.startsWith('data/') || named.has(name)) {
      files.malformed('manifest-sha256.txt', 'A line of the manifest is not a digest and a name below data/, or names a file twice');
      continue;
    }
    named.add(name);
    if (!files.has(name)) {
      report(fault('missing', { file: name }, 'The manifest names this file, and the bundle does not have it'));
      continue;
    }
    const found = await files.hash(name);
    if (found === undefined) continue;
    totals.files += 1;
    totals.bytes += found.bytes;
    progress(totals.bytes);
    if (found.sha256 !== sha256) report(fault('altered', { file: name }, 'The file is not the one that the manifest has the digest of'));
  }
  for (const name of files.names())
    if (name.startsWith('data/') ? !named.has(name) : !TAGS.includes(name) && !BESIDE.includes(name))
      report(fault('added', { file: name }, 'No manifest names this file'));
  await checkOxum(files, totals, report);
  return totals;
}

async function checkTags(files: BundleFiles, tagManifest: Buffer | undefined, report: Report): Promise<void> {
  const lines = tagManifest?.toString('utf8').split('\n') ?? [];
  if (tagManifest !== undefined && (lines.pop() !== '' || lines.length !== TAGS.length))
    files.malformed('tagmanifest-sha256.txt', `The tag manifest does not consist of the digests of ${TAGS.join(', ')}`);
  for (const [at, name] of TAGS.entries()) {
    if (!files.has(name)) {
      report(fault('missing', { file: name }, 'The bundle does not have this file'));
      continue;
    }
    const found = await files.hash(name);
    const [, sha256, said] = MANIFEST_LINE.exec(lines[at] ?? '') ?? [];
    if (found !== undefined && tagManifest !== undefined && (said !== name || found.sha256 !== sha256))
      report(fault('altered', { file: name }, 'The file is not the one that the tag manifest has the digest of'));
  }
}

async function checkOxum(files: BundleFiles, { files: count, bytes }: BagTotals, report: Report): Promise<void> {
  const info = await files.read('bag-info.txt');
  const oxum = /^Payload-Oxum: (\d+)\.(\d+)$/m.exec(info?.toString('utf8') ?? '');
  if (info === undefined || (oxum !== null && oxum[1] === String(bytes) && oxum[2] === String(count))) return;
  report(
    fault(
      'inconsistent',
      { file: 'bag-info.txt' },
      `It counts other files and bytes than the ${count} files and ${bytes} bytes that could be read`,
    ),
  );
}
