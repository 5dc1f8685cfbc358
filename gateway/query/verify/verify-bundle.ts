import { asSallyportError } from '../../base/errors.ts';
import { openAttestation } from '../../ledger/attestation.ts';
import type { Checkpoint } from '../../ledger/checkpoint.ts';
import { sameHash } from '../../ledger/merkle.ts';
import { consistencyProof, verifyConsistency } from '../../ledger/proofs.ts';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '../../ledger/signed-note.ts';
import { parseEntries, TILE_WIDTH, tilePath, tileWidth } from '../../ledger/tiles.ts';
import { parseTlogProof, verifyTlogProof } from '../../ledger/tlog-proof.ts';
import { BundleReader } from '../bundle/bundle-reader.ts';
import { envelopeFiles, noteFiles } from '../bundle/signature-files.ts';
import { checkBag } from './bag-check.ts';
import { BundleApprovals } from './bundle-approvals.ts';
import { BundleFiles } from './bundle-files.ts';
import { BundleRecordings } from './bundle-recordings.ts';
import { checkDisclosed } from './bundle-records.ts';
import { BundleTiles } from './bundle-tiles.ts';
import {
  checkOtherSignatures,
  checkSignature,
  compareWithHistory,
  type FoundNote,
  openCheckpoint,
  readCheckpointFile,
  readKeyFile,
  type TrustedKey,
} from './checkpoints.ts';
import { fault, notice, type Report } from './finding.ts';
import type { Outcome } from './outcome.ts';
import { checkQuestion } from './question-check.ts';
import { RecordChecks, type RecordTotals } from './record-checks.ts';
import type { VerifyOptions } from './verify-data-directory.ts';

const CHECKPOINT = 'data/ledger/checkpoint';

/**
 * Everything that can be told of a bundle: that its files are those that were written, that its records are in the
 * ledger that was signed, and that its recordings are what those records seal. Throws BUNDLE_INVALID for what is no
 * bundle at all; every other fault is a finding. Memory: what the list of entries takes, and a seal for each segment.
 */
export async function verifyBundle(path: string, options: VerifyOptions, report: Report): Promise<Outcome> {
  const reader = await BundleReader.openFile(path);
  try {
    const files = new BundleFiles(reader, report);
    if (!(await reader.isUnchanged()))
      report(fault('altered', { file: path }, 'The zip file has another digest than the one at its end: a byte of it was changed'));
    const total = [...reader.entries()].reduce((sum, { bytes }) => sum + bytes, 0);
    const bag = await checkBag(files, report, (bytes) => options.progress?.(bytes, total));

    const note = await files.read(CHECKPOINT);
    const found = note === undefined ? undefined : openCheckpoint(note.toString('utf8'), CHECKPOINT, report);
    const given = options.checkpoint === undefined ? undefined : await readCheckpointFile(options.checkpoint);
    const trusted = await keyOf(files, options, found?.checkpoint.origin ?? given?.checkpoint.origin, report);
    const signed = found !== undefined && trusted !== undefined && checkSignature(found, trusted.key, report);
    if (trusted === undefined)
      report(
        fault('unsigned', { file: CHECKPOINT }, 'There is no key to check the signatures with: give the key of the ledger with --key'),
      );
    if (signed) await checkSignatureFiles(files, found, trusted.key, report);
    if (trusted !== undefined) await checkAttestation(files, trusted.key, bag.tagManifest, found, report);

    const recordings = new BundleRecordings(files, report);
    const approvals = new BundleApprovals(files, report);
    const records = new RecordChecks({ part: true, origin: found?.checkpoint.origin });
    const tiles = found === undefined ? undefined : new BundleTiles(files, found.checkpoint, report);
    const agrees = tiles !== undefined && (await tiles.check());
    if (tiles !== undefined) {
      const disclosed = await checkDisclosed(files, tiles, records, report, (batch) => {
        for (const finding of batch.findings) report(finding);
        recordings.expect(batch.files);
        approvals.expect(batch.decisions);
        // A bundle has all records of each of its sessions, so one that belongs to none, or stands after its end, does not fit.
        for (const { index, session, type } of batch.strays)
          report(
            fault('inconsistent', { index, session }, `A record ${type} belongs to a session that is not open at this point of the bundle`),
          );
      });
      await recordings.check();
      await approvals.check();
      await checkQuestion(files, disclosed, records.totals(), report);
    }
    const totals = records.totals();
    if (trusted !== undefined) {
      if (found !== undefined) compareWithHistory(trusted.key, found.checkpoint.size, totals.keys, report);
      await checkProofs(files, trusted.key, found, totals, report);
    }
    return {
      kind: 'bundle',
      where: path,
      records: totals,
      ledger: found && { ...found.checkpoint, tiles: tiles?.tiles ?? 0, uncovered: 0, agrees, signed },
      key: trusted && { vkey: formatVerifierKey(trusted.key), source: trusted.source },
      compared: given && {
        file: given.file,
        size: given.checkpoint.size,
        continued: await continues(given, found, tiles, trusted, totals, report),
      },
      files: recordings.files,
      bytes: recordings.bytes,
    };
  } finally {
    await reader.close();
  }
}

async function keyOf(
  files: BundleFiles,
  options: VerifyOptions,
  origin: string | undefined,
  report: Report,
): Promise<TrustedKey | undefined> {
  const name = 'data/keys/ledger.vkey';
  const text = await files.read(name);
  let beside: VerifierKey | undefined;
  try {
    beside = text && parseVerifierKey(text.toString('utf8'));
  } catch (thrown) {
    files.malformed(name, asSallyportError(thrown).message);
  }
  const pem = await files.read('data/keys/ledger.pem');
  if (beside !== undefined && pem !== undefined && beside.publicKey.export({ type: 'spki', format: 'pem' }) !== pem.toString('utf8'))
    report(fault('inconsistent', { file: 'data/keys/ledger.pem' }, 'The key is not the one in ledger.vkey'));
  if (options.key === undefined) return beside && { key: beside, source: 'beside' };
  const given = await readKeyFile(options.key, origin);
  if (beside !== undefined && formatVerifierKey(beside) !== formatVerifierKey(given))
    report(fault('inconsistent', { file: name }, 'The key in the bundle is not the one that was given'));
  return { key: given, source: 'given' };
}

/** What was signed and its signature also stand in files of their own, for openssl. */
async function checkSignatureFiles(files: BundleFiles, found: FoundNote, key: VerifierKey, report: Report): Promise<void> {
  const { message, signature } = noteFiles(found.note, key);
  await compareFile(files, 'data/ledger/checkpoint.txt', message, report);
  await compareFile(files, 'data/ledger/checkpoint.sig', signature, report);
}

async function checkAttestation(
  files: BundleFiles,
  key: VerifierKey,
  tagManifest: string | undefined,
  found: FoundNote | undefined,
  report: Report,
): Promise<void> {
  const file = 'attestation.dsse.json';
  if (!files.has(file)) {
    const words =
      'The bundle is not signed as a whole: its records and recordings are proven by the ledger, and its page, transcripts and tables by nothing';
    report(notice('unproven', {}, words));
    return;
  }
  const envelope = await files.read(file);
  if (envelope === undefined) return;
  try {
    const { attestation } = openAttestation(envelope.toString('utf8'), [key]);
    if (attestation.tagManifest !== tagManifest)
      report(fault('altered', { file }, 'What was signed is another bundle: the tag manifest has another digest'));
    if (found !== undefined && attestation.checkpoint !== found.note)
      report(fault('inconsistent', { file }, 'What was signed is a bundle as of another checkpoint'));
    const { message, signature } = envelopeFiles(envelope.toString('utf8'));
    await compareFile(files, 'attestation.txt', message, report);
    await compareFile(files, 'attestation.sig', signature, report);
  } catch (thrown) {
    const { code, message } = asSallyportError(thrown);
    report(fault(code === 'LEDGER_SIGNATURE_INVALID' ? 'forged' : 'malformed', { file }, message));
  }
}

async function compareFile(files: BundleFiles, name: string, expected: Buffer, report: Report): Promise<void> {
  const found = await files.read(name);
  if (found !== undefined && !found.equals(expected)) report(fault('altered', { file: name }, 'The file is not what it is taken from'));
}

/** A proof for the last record of each session, for whoever has nothing else of the bundle. */
async function checkProofs(
  files: BundleFiles,
  key: VerifierKey,
  found: FoundNote | undefined,
  totals: RecordTotals,
  report: Report,
): Promise<void> {
  const proven = new Set<string>();
  for (const name of files.names('data/ledger/proofs/')) {
    const session = /^data\/ledger\/proofs\/([0-9a-f-]{36})\.tlog-proof$/.exec(name)?.[1];
    const text = await files.read(name);
    if (session === undefined) report(fault('added', { file: name }, 'This is no proof of a session'));
    if (text === undefined || session === undefined || found === undefined) continue;
    proven.add(session);
    try {
      const { index, checkpoint } = parseTlogProof(text.toString('utf8'));
      const tile = Math.floor(index / TILE_WIDTH);
      const width = tileWidth('entries', tile, found.checkpoint.size);
      const entries = width === 0 ? undefined : await files.read(`data/ledger/${tilePath('entries', tile, width)}`);
      const entry = entries && parseEntries(entries, width)[index % TILE_WIDTH];
      if (entry === undefined || totals.lastIndexes.get(session) !== index || checkpoint !== found.note)
        report(
          fault(
            'inconsistent',
            { file: name, session },
            'The proof is not of the last record of its session, or not as of the checkpoint of the bundle',
          ),
        );
      else verifyTlogProof(text.toString('utf8'), entry, [key]);
    } catch (thrown) {
      report(fault('forged', { file: name, session }, asSallyportError(thrown).message));
    }
  }
  for (const session of totals.lastIndexes.keys())
    if (!proven.has(session))
      report(fault('missing', { session, file: `data/ledger/proofs/${session}.tlog-proof` }, 'The bundle has no proof for this session'));
}

/** Whether the log that the bundle is taken from continues a checkpoint that was kept outside, as far as its tiles tell. */
async function continues(
  given: FoundNote,
  found: FoundNote | undefined,
  tiles: BundleTiles | undefined,
  trusted: TrustedKey | undefined,
  { keys }: RecordTotals,
  report: Report,
): Promise<boolean> {
  const genuine = checkOtherSignatures([given], trusted?.key, keys, report);
  if (found === undefined || tiles === undefined) return false;
  const [older, head]: [Checkpoint, Checkpoint] = [given.checkpoint, found.checkpoint];
  if (older.origin !== head.origin) {
    report(
      fault(
        'inconsistent',
        { file: given.file },
        `The checkpoint that was given is of the ledger ${older.origin}, and the bundle is of ${head.origin}`,
      ),
    );
    return false;
  }
  if (older.size > head.size) {
    const words = `The checkpoint that was given is newer than this bundle (${older.size} and ${head.size} records): whether it continues the log of the bundle, only the data directory can show`;
    report(notice('unproven', { file: given.file }, words));
    return false;
  }
  try {
    const proof = await consistencyProof(tiles, older.size, head.size);
    const same =
      older.size === head.size ? sameHash(older.root, head.root) : verifyConsistency(older.size, head.size, older.root, head.root, proof);
    if (!same)
      report(
        fault(
          'inconsistent',
          { file: given.file },
          'The log of this bundle does not continue the checkpoint that was given: it was rewritten',
        ),
      );
    return same && genuine;
  } catch {
    const words =
      'The bundle does not hold the tiles that would show whether its log continues the checkpoint that was given; the data directory does';
    report(notice('unproven', { file: given.file }, words));
    return false;
  }
}
