import type { FileHandle } from 'node:fs/promises';
import type { BundleCompleteness, BundlePageSession } from '../../../contract/bundle-page.ts';
import type { SessionRow } from '../../../contract/session.ts';
import { SallyportError } from '../../base/errors.ts';
import { parseCheckpoint } from '../../ledger/checkpoint.ts';
import { openNote, parseVerifierKey } from '../../ledger/signed-note.ts';
import type { Database } from '../../store/database.ts';
import { openLedgerFiles } from '../../store/ledger-files.ts';
import { BagWriter } from './bag-writer.ts';
import { bundleNotes } from './bundle-notes.ts';
import { requireUnerased } from './disclosed-records.ts';
import { LedgerExtract } from './ledger-extract.ts';
import { type PopulationRow, populationCsv } from './population.ts';
import type { SegmentSource } from './sealed-parts.ts';
import { type ExportQuestion, type SelectedSession, type Selection, selectSessions } from './selection.ts';
import { sessionFacts } from './session-seals.ts';
import { envelopeFiles } from './signature-files.ts';
import { stepsForPeople, verifyScript } from './verification-files.ts';
import { writeApprovals } from './write-approvals.ts';
import { type BundleHead, writeLedger } from './write-ledger.ts';
import { pageFiles, writePage } from './write-page.ts';
import { type Disclosed, writeEvents, writePageRecords, writeRecords } from './write-records.ts';
import { writeSession } from './write-session.ts';
import { ZipWriter } from './zip-writer.ts';

export interface BundleRequest {
  question: ExportQuestion;
  gateway: { name: string; version: string };
  /** ISO 8601 UTC. */
  created: string;
  /** The checkpoint that everything in the bundle is covered by, a signed note. */
  checkpoint: string;
  /** The DSSE envelope over the tag manifest; undefined when there is nobody who could sign it. */
  attest: ((tagManifest: string, question: Record<string, unknown>) => Promise<string>) | undefined;
  /** Why this export cannot be recorded in the ledger; undefined when it will be. */
  unrecorded: string | undefined;
  progress: (state: ExportProgress) => void;
  /** Ends the export. */
  signal: AbortSignal;
}

/** To look at it, for the cast, for the page, and for the transcript. */
const READS_OF_A_SEGMENT = 4;

export interface ExportProgress {
  sessions: number;
  ofSessions: number;
  /** Of the recordings as they are stored. */
  bytes: number;
  ofBytes: number;
  written: number;
}

export interface ExportedBundle {
  sessions: number;
  records: number;
  leftOut: number;
  /** SHA-256 of the tag manifest. */
  manifest: string;
  damage: string[];
}

/**
 * Writes a bundle into an open, empty file. Everything in it is as of the checkpoint. Throws EXPORT_FAILED, and what
 * reading the data throws. Memory: what is told of the sessions, never what is in them.
 */
export async function exportBundle(database: Database, file: FileHandle, request: BundleRequest): Promise<ExportedBundle> {
  await pageFiles();
  const ledger = openLedgerFiles(database.directory);
  const head = await headOf(database, request.checkpoint);
  const selection = await selectSessions(database, request.question, head.size);
  const bag = new BagWriter(new ZipWriter(file));
  const extract = new LedgerExtract(head.size);
  const disclosed = await writeRecords(bag, database, selection, extract);
  const { sessions, population, parts, damage } = await writeSessions(bag, database, selection, head.size, request);
  await bag.add('recordings/parts.txt', linesOf(parts));
  request.signal.throwIfAborted();
  await writeEvents(bag, database, selection, request.gateway);
  await writeApprovals(bag, database, selection, head.origin);
  const scripts = await writePageRecords(bag, database, selection);
  const tiles = await writeLedger(bag, ledger, head, extract, selection.sessions, await keyChanges(database, head.size));
  const completeness = completenessOf(selection, disclosed);
  const notes = bundleNotes({
    sessions,
    completeness,
    disclosed,
    damage,
    unrecorded: request.unrecorded,
    unsigned: request.attest === undefined,
  });
  const { words, parameters } = request.question;
  await bag.add('population.csv', linesOf(populationCsv(population, selection.leftOut)));
  const checkpoint = { origin: head.origin, size: head.size, root: Buffer.from(head.root).toString('base64') };
  const query = {
    format: 1,
    created: request.created,
    gateway: request.gateway,
    question: { words, parameters },
    completeness,
    checkpoint,
    notes,
  };
  await bag.addText('query.json', `${JSON.stringify(query)}\n`);
  await writePage(bag, {
    format: 1,
    created: request.created,
    gateway: request.gateway,
    question: { words, parameters },
    completeness,
    sessions,
    ledger: { origin: head.origin, checkpoint: head.note, verifierKey: head.verifierKey, tiles, erased: disclosed.erased },
    records: { scripts, count: disclosed.count },
    notes,
  });
  await bag.addBytes('verify.sh', await verifyScript());
  await bag.addText('VERIFY.md', await stepsForPeople({ ...query, signed: request.attest !== undefined }));
  request.signal.throwIfAborted();
  const manifest = await bag.finish([
    ['Bagging-Date', request.created.slice(0, 10)],
    ['Bag-Software-Agent', `Sallyport ${request.gateway.version}`],
    ['Source-Organization', request.gateway.name],
    ['External-Description', words],
    ...notes.map((note): [string, string] => ['Sallyport-Note', note]),
  ]);
  await writeAttestation(bag, request, manifest);
  await requireUnerased(database, selection, disclosed.count);
  await bag.close();
  return { sessions: sessions.length, records: disclosed.count, leftOut: selection.leftOut.length, manifest, damage };
}

async function writeAttestation(bag: BagWriter, { attest, question }: BundleRequest, manifest: string): Promise<void> {
  if (attest === undefined) return;
  const envelope = await attest(manifest, { words: question.words, ...question.parameters });
  const { message, signature } = envelopeFiles(envelope);
  await bag.addBeside('attestation.dsse.json', envelope);
  await bag.addBeside('attestation.txt', message);
  await bag.addBeside('attestation.sig', signature);
}

/** Opens the checkpoint with the key that the ledger's own records name last: another key would sign another ledger. */
async function headOf(database: Database, note: string): Promise<BundleHead & { verifierKey: string }> {
  const changes = await database.records.keyChanges();
  const keys = changes.map(({ key }) => parseVerifierKey(key));
  const { text, signedBy } = openNote(note, keys);
  // After a change of keys two of them sign for a while; the newest counts.
  const key = keys.findLast((candidate) => signedBy.includes(candidate));
  if (key === undefined) throw new SallyportError('LEDGER_SIGNATURE_INVALID', 'The checkpoint is not signed by a key of this ledger');
  const { origin, size, root } = parseCheckpoint(text);
  const verifierKey = changes.findLast((change) => parseVerifierKey(change.key).id === key.id)?.key ?? '';
  return { note, origin, size, root, key, verifierKey };
}

async function keyChanges(database: Database, size: number) {
  const changes = await database.records.keyChanges();
  return changes.filter(({ index }) => index < size);
}

interface WrittenSessions {
  sessions: BundlePageSession[];
  population: PopulationRow[];
  parts: string[];
  damage: string[];
}

async function writeSessions(
  bag: BagWriter,
  database: Database,
  selection: Selection,
  size: number,
  { progress, signal }: BundleRequest,
): Promise<WrittenSessions> {
  const written: WrittenSessions = { sessions: [], population: [], parts: [], damage: [] };
  let ofBytes = 0;
  for (const { row } of selection.sessions) ofBytes += await recordedBytes(database, row.id);
  let bytes = 0;
  const source: SegmentSource = {
    directory: database.directory,
    signal,
    onRead: (read) => {
      bytes += read / READS_OF_A_SEGMENT;
      progress({ sessions: written.sessions.length, ofSessions: selection.sessions.length, bytes, ofBytes, written: bag.bytes });
    },
  };
  for (const selected of selection.sessions) {
    signal.throwIfAborted();
    const facts = await sessionFacts(database, selected, size);
    const session = asOfCheckpoint(selected, facts.ended);
    const { place } = selected;
    const erased = session.state === 'erased';
    const { recordings, parts, damage } = erased
      ? { recordings: [], parts: [], damage: [] }
      : await writeSession(bag, source, session, facts);
    written.parts.push(...parts);
    written.damage.push(...damage);
    written.sessions.push({ ...session, transcript: null, recordings });
    const note = [
      session.state === 'live' ? 'still running when this bundle was written' : '',
      erased ? 'erased; its hashes remain in the ledger' : '',
      ...damage,
    ];
    written.population.push({
      session,
      firstIndex: place.first - 1,
      lastIndex: place.last - 1,
      records: place.records,
      note: note.filter((words) => words !== '').join('; '),
    });
  }
  return written;
}

async function recordedBytes(database: Database, session: string): Promise<number> {
  const segments = await database.segments.ofSession(session);
  return segments.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A session that has ended since the checkpoint is still running in this bundle. */
function asOfCheckpoint({ row }: SelectedSession, ended: boolean): SessionRow {
  const { seq: _, ...session } = row;
  return ended || session.state === 'erased' ? session : { ...session, state: 'live', ended: null, reason: null };
}

function completenessOf(selection: Selection, disclosed: Disclosed): BundleCompleteness {
  const range = Math.max(0, selection.last - selection.first + 1);
  return {
    first: selection.first - 1,
    last: selection.last - 1,
    range,
    included: disclosed.count,
    elsewhere: range - disclosed.inRange,
    sessions: selection.sessions.length,
    leftOut: selection.leftOut,
  };
}

async function* linesOf(lines: Iterable<string>): AsyncGenerator<string> {
  yield* lines;
}
