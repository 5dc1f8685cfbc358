import { hash } from 'node:crypto';
import { join } from 'node:path';
import { asSallyportError } from '../../base/errors.ts';
import { HASH_BYTES } from '../../ledger/merkle.ts';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '../../ledger/signed-note.ts';
import { ERASED, EvidenceReader, type RecordPage } from '../../store/evidence-reader.ts';
import { openLedgerFiles } from '../../store/ledger-files.ts';
import { readAtMost } from '../../store/read-at-most.ts';
import {
  asOther,
  checkOtherSignatures,
  checkSignature,
  compareWithHistory,
  endorsedCheckpoints,
  type FoundNote,
  keysOf,
  openCheckpoint,
  readCheckpointFile,
  readKeyFile,
  type TrustedKey,
} from './checkpoints.ts';
import { FilesCheck } from './files-check.ts';
import { fault, notice, type Report } from './finding.ts';
import { LedgerCheck, uncoveredNotice } from './ledger-check.ts';
import { ListsCheck } from './lists-check.ts';
import type { Outcome } from './outcome.ts';
import { comparePartialTiles } from './partial-tiles.ts';
import { readQuickly } from './quick-tiles.ts';
import type { RecordFindings, RecordTotals } from './record-checks.ts';
import { checkRecords } from './record-thread.ts';
import { Stopwatch } from './stopwatch.ts';

export interface VerifyOptions {
  /** A checkpoint of an earlier or later time, kept outside. */
  checkpoint?: string;
  /** The key of the ledger, got another way. */
  key?: string;
  /** The same as a verifier key, of somebody who has it anyway. */
  trusted?: string;
  /** Files that are read at once. */
  atATime?: number;
  /** Called now and then with how many of how many records are done. */
  progress?: (done: number, total: number) => void;
}

const PAGE = 512;
/** Answers of the thread that may be outstanding: enough that neither waits, and few enough to hold in memory. */
const OUTSTANDING = 4;
const MOST_UNREADABLE = 4096;
const MOST_DAMAGE = 20;
const MOST_KEY_BYTES = 1024;

/**
 * Everything that can be told of a data directory: that its records are what was signed, that its files are what the
 * records say, that its lists agree with them, and that nothing is missing in between. Reads one state of the database,
 * beside a running gateway too, and writes nothing. `report` gets every finding as it is made; one does not stop the rest.
 */
export async function verifyDataDirectory(directory: string, options: VerifyOptions, report: Report): Promise<Outcome> {
  const watch = new Stopwatch();
  const files = readQuickly(openLedgerFiles(directory), directory);
  // First the checkpoint, then the database: what a gateway writes in between is newer than the checkpoint, never older.
  const note = await files.checkpoint().catch((thrown: unknown) => {
    report(fault('malformed', { file: CHECKPOINT }, asSallyportError(thrown).message));
    return undefined;
  });
  const found = note === undefined ? undefined : openCheckpoint(note, CHECKPOINT, report);
  const given = options.checkpoint === undefined ? undefined : await readCheckpointFile(options.checkpoint);
  const givenKey = await keyGiven(options, found?.checkpoint.origin ?? given?.checkpoint.origin);
  const endorsed = await endorsedCheckpoints(directory, report);
  const others = [...(given === undefined ? [] : [given]), ...endorsed];

  const reader = await EvidenceReader.open(directory);
  try {
    const range = await reader.seqRange().catch(() => undefined); // A damaged table is told where it is read.
    const ledger = new LedgerCheck({
      files,
      report,
      checkpoint: found?.checkpoint,
      others: others.map(asOther),
      end: range?.last ?? 0,
    });
    const onDisk = new FilesCheck(directory, report, options.atATime);
    const lists = new ListsCheck(reader, report);
    // An erasure that was cut off is on record, and goes on when the gateway runs: what it is about may be there or not.
    const going = await reader.sessionsInErasure().catch(() => new Set<string>());
    const origin = found?.checkpoint.origin;
    const records = await readRecords(reader, { ledger, onDisk, lists, going, report, watch, total: range?.last ?? 0, origin, options });
    const tree = await watch.on('ledger', () => ledger.finish());
    if (found !== undefined && tree.agrees) await comparePartialTiles(directory, found.checkpoint.size, report);

    const trusted = givenKey === undefined ? await keyBeside(directory, records, report) : { key: givenKey, source: 'given' as const };
    const signed = checkHead(found, trusted, records, tree.uncovered, report);
    const genuine = checkOtherSignatures(others, trusted?.key, records.keys, report);
    const sameLog = checkOrigins(found, given, report);

    await guarded(report, () => watch.on('lists', () => lists.strays(records.holds)));
    await guarded(report, () => watch.on('recordings', () => onDisk.strangers(reader, going)));
    for (const words of await reader.damage(MOST_DAMAGE).catch((thrown: unknown) => [asSallyportError(thrown).message]))
      report(fault('altered', { file: 'sallyport.db' }, `The database is damaged in itself: ${words.slice(0, 200)}`));
    await guarded(report, () => onDisk.setAsideWhatIsInTheMaking());
    const now = await EvidenceReader.open(directory);
    try {
      await guarded(report, () => onDisk.resolve(now));
    } finally {
      await now.close();
    }
    return {
      kind: 'data directory',
      where: directory,
      records,
      ledger: found === undefined ? undefined : { ...found.checkpoint, ...tree, signed },
      key: trusted === undefined ? undefined : { vkey: formatVerifierKey(trusted.key), source: trusted.source },
      compared: given && {
        file: given.file,
        size: given.checkpoint.size,
        continued: sameLog && genuine && tree.agrees && !tree.contradicted.includes(given.file),
      },
      spent: watch.spent,
      files: onDisk.files,
      bytes: onDisk.bytes,
    };
  } finally {
    await reader.close();
  }
}

const CHECKPOINT = 'ledger/checkpoint';

interface Reading {
  ledger: LedgerCheck;
  onDisk: FilesCheck;
  lists: ListsCheck;
  /** Sessions whose erasure is not completed. */
  going: ReadonlySet<string>;
  report: Report;
  watch: Stopwatch;
  total: number;
  origin: string | undefined;
  options: VerifyOptions;
}

async function readRecords(reader: EvidenceReader, reading: Reading): Promise<RecordTotals> {
  const { ledger, report, options, total, origin, watch } = reading;
  const unfinished = (await reader.unfinishedErasures().catch(() => [])).map((seq) => seq - 1);
  const checking = checkRecords(total, { unfinished, origin });
  try {
    const outstanding: Promise<RecordFindings>[] = [];
    for await (const page of pages(reader, report)) {
      const indexes = page.seqs.map((seq) => seq - 1);
      const batch = { indexes, lengths: page.lengths, bytes: page.bytes, columns: page.columns };
      const entries = entriesOf(page);
      outstanding.push(checking.take(batch));
      await watch.on('ledger', () => ledger.take(indexes, entries, page.hashes));
      if (outstanding.length >= OUTSTANDING) await follow(reader, reading, await (outstanding.shift() as Promise<RecordFindings>));
      options.progress?.(indexes.at(-1) ?? 0, total);
    }
    for (const answer of outstanding) await follow(reader, reading, await answer);
    const { findings, totals } = await checking.finish();
    await follow(reader, reading, findings);
    return totals;
  } finally {
    await checking.close();
  }
}

/** What the records lead to: files, lists, and other records. */
async function follow(reader: EvidenceReader, { onDisk, lists, going, report, watch }: Reading, found: RecordFindings): Promise<void> {
  for (const finding of found.findings) report(finding);
  const files = found.files.filter(({ session }) => !going.has(session));
  const outcomes = found.outcomes.filter(({ session }) => !going.has(session.id));
  await watch.on('recordings', async () => {
    await onDisk.sealed(files);
    await onDisk.erased(found.erasedFiles);
  });
  await guarded(report, async () => {
    await watch.on('lists', async () => {
      await lists.outcomes(outcomes);
      await lists.segments(files);
    });
    for (const { index, type, session } of found.strays) {
      const opening = await reader.opening(session, index + 1);
      if (opening === undefined)
        report(fault('missing', { index, session }, `A record ${type} belongs to a session of which no record says that it was opened`));
      else if (opening.erased === 0)
        report(fault('inconsistent', { index, session }, `A record ${type} stands after everything of its session was closed`));
    }
  });
}

/** The entry of each record: the hash of its bytes, or what is left of one that is erased. */
function entriesOf({ lengths, bytes, hashes }: RecordPage): Buffer {
  const entries = Buffer.alloc(lengths.length * HASH_BYTES);
  let offset = 0;
  for (const [at, length] of lengths.entries()) {
    const entry =
      length === ERASED
        ? hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)
        : hash('sha256', length < 0 ? NOTHING : bytes.subarray(offset, offset + length), 'buffer');
    entries.set(entry, at * HASH_BYTES);
    offset += Math.max(0, length);
  }
  return entries;
}

const NOTHING = Buffer.alloc(0);

/** All records in the order of the ledger, the next page on its way while one is looked at. What cannot be read is told. */
async function* pages(reader: EvidenceReader, report: Report): AsyncGenerator<RecordPage> {
  let unreadable = 0;
  let after = Number.MIN_SAFE_INTEGER;
  let next = ready(reader.page(after, PAGE));
  for (;;) {
    const page = await next.catch((thrown: unknown) => asSallyportError(thrown));
    if (!(page instanceof Error)) {
      const last = page.seqs.at(-1);
      if (last === undefined) return;
      after = last;
      next = ready(reader.page(after, PAGE));
      yield page;
      continue;
    }
    // Somewhere in this page the database is damaged: what is around it is still there.
    const single = await reader.page(after, 1).catch(() => undefined);
    if (single !== undefined && single.seqs[0] === undefined) return;
    if (single !== undefined) yield single;
    if (single === undefined) {
      if (unreadable === 0)
        report(
          fault(
            'unreadable',
            { index: Math.max(0, after), file: 'sallyport.db' },
            `The database is damaged here: ${page.message.slice(0, 200)}`,
          ),
        );
      unreadable += 1;
      if (unreadable > MOST_UNREADABLE) {
        report(fault('unreadable', { index: Math.max(0, after), file: 'sallyport.db' }, 'From here on the records cannot be read'));
        return;
      }
    }
    after = single?.seqs[0] ?? Math.max(0, after) + 1;
    next = ready(reader.page(after, PAGE));
  }
}

/** A rejection is taken when it is awaited, and is no defect until then. */
function ready<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** A part of the database that cannot be read is a finding, and the rest goes on. */
async function guarded(report: Report, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    report(
      fault(
        'unreadable',
        { file: 'sallyport.db' },
        `A part of the database cannot be read: ${asSallyportError(thrown).message.slice(0, 200)}`,
      ),
    );
  }
}

async function keyGiven({ key, trusted }: VerifyOptions, origin: string | undefined): Promise<VerifierKey | undefined> {
  if (key !== undefined) return readKeyFile(key, origin);
  return trusted === undefined ? undefined : parseVerifierKey(trusted);
}

/** The key that lies beside the evidence, or else the one that the records name. */
async function keyBeside(directory: string, { keys }: RecordTotals, report: Report): Promise<TrustedKey | undefined> {
  const bytes = await readAtMost(join(directory, 'keys', 'ledger.pub'), MOST_KEY_BYTES).catch(() => undefined);
  const text = bytes && Buffer.from(bytes).toString('utf8');
  if (text !== undefined) {
    try {
      return { key: parseVerifierKey(text), source: 'beside' };
    } catch (thrown) {
      report(fault('malformed', { file: 'keys/ledger.pub' }, asSallyportError(thrown).message));
    }
  }
  const named = keysOf(keys).at(-1);
  return named === undefined ? undefined : { key: named, source: 'records' };
}

function checkHead(
  found: FoundNote | undefined,
  trusted: TrustedKey | undefined,
  records: RecordTotals,
  uncovered: number,
  report: Report,
): boolean {
  if (found === undefined) {
    if (records.keys.length > 0)
      report(
        fault(
          'missing',
          { file: CHECKPOINT },
          'The records say that there is a ledger, and its checkpoint is gone: nothing proves that they are what was recorded',
        ),
      );
    else if (records.versions.every((version) => version.startsWith('0.1.')))
      report(
        notice(
          'unproven',
          {},
          'This data directory was written by version 0.1, which signed nothing: the records fit together, and nobody can prove that they are what was recorded. A newer gateway takes them into its ledger when it starts',
        ),
      );
    else report(fault('missing', { file: CHECKPOINT }, 'There is no checkpoint: nothing here is signed'));
    return false;
  }
  if (uncovered > 0) report(uncoveredNotice(found.checkpoint.size, uncovered));
  if (trusted === undefined) {
    report(fault('unsigned', { file: CHECKPOINT }, 'There is no key to check the signature with: give the key of the ledger with --key'));
    return false;
  }
  compareWithHistory(trusted.key, found.checkpoint.size, records.keys, report);
  return checkSignature(found, trusted.key, report);
}

function checkOrigins(found: FoundNote | undefined, given: FoundNote | undefined, report: Report): boolean {
  if (given === undefined) return false;
  if (found === undefined) {
    report(fault('truncated', { file: given.file }, 'A checkpoint was given to compare with, and there is none here'));
  } else if (found.checkpoint.origin !== given.checkpoint.origin) {
    report(
      fault(
        'inconsistent',
        { file: given.file },
        `The checkpoint that was given is of the ledger ${given.checkpoint.origin}, and this is the ledger ${found.checkpoint.origin}`,
      ),
    );
  } else return true;
  return false;
}
