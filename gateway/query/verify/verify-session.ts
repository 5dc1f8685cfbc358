import { hash } from 'node:crypto';
import type { VerdictStep } from '../../../contract/operations/audit.ts';
import type { AuditRecord } from '../../../contract/record.ts';
import { asSallyportError, SallyportError } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';
import { type Checkpoint, parseCheckpoint } from '../../ledger/checkpoint.ts';
import { openNote, parseVerifierKey, unverifiedText } from '../../ledger/signed-note.ts';
import { EvidenceReader } from '../../store/evidence-reader.ts';
import { openLedgerFiles } from '../../store/ledger-files.ts';
import { listedAs } from '../../store/listed-as.ts';
import { AuthenticTiles } from '../audit/authentic-tiles.ts';
import { ApprovalChecks } from './approval-checks.ts';
import { FilesCheck } from './files-check.ts';
import { type Finding, fault, type Report } from './finding.ts';
import { ListsCheck } from './lists-check.ts';
import { readRecord } from './record-form.ts';
import { ReviewerKeys } from './reviewer-keys.ts';
import { type SealedFile, sealedFiles } from './sealed-files.ts';
import { SessionRecords } from './session-records.ts';
import { SignOffChecks } from './sign-off-checks.ts';
import { placeWords, some } from './verdict.ts';

export interface SessionVerification {
  readonly ok: boolean;
  readonly records: number;
  readonly segments: number;
  /** Of the ledger at the checkpoint that everything was proved under. */
  readonly size: number;
  /** Place of the last record that was looked at, from 1. */
  readonly endSeq: number;
  readonly steps: VerdictStep[];
  readonly faults: string[];
}

/** Records of one session that are held at once. One with more than this is verified with all the others. */
const MOST_RECORDS = 200_000;
const MOST_FAULTS = 100;
const PAGE = 500;

/** Of a record: what stands there, and what it says. */
interface ReadRow {
  readonly index: number;
  readonly hash: Uint8Array;
  readonly erased: boolean;
  readonly record: AuditRecord | undefined;
}

/**
 * One session against the ledger: its records, their places under the signed checkpoint, its files, what was approved in
 * it and who signed it off. A record that was made to look like one of another session is for the verification of
 * everything. `key`: of the ledger, as a verifier key. Throws SESSION_NOT_FOUND.
 */
export async function verifySession(directory: string, session: string, key: string): Promise<SessionVerification> {
  // Read before the records: what is written in between is newer than it, never older.
  const note = await openLedgerFiles(directory).checkpoint();
  const reader = await EvidenceReader.open(directory);
  try {
    return await new Verifying({ directory, session, key, note, reader }).all();
  } finally {
    await reader.close();
  }
}

interface Parts {
  readonly directory: string;
  readonly session: string;
  readonly key: string;
  readonly note: string | undefined;
  readonly reader: EvidenceReader;
}

class Verifying {
  readonly #parts: Parts;
  readonly #steps: VerdictStep[] = [];
  readonly #faults: string[] = [];
  #rows: ReadRow[] = [];
  #checkpoint: Checkpoint | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async all(): Promise<SessionVerification> {
    const { session } = this.#parts;
    await this.#step('records', (report) => this.#readRecords(report));
    await this.#step('checkpoint', (report) => this.#openCheckpoint(report));
    await this.#step('inclusion', (report) => this.#prove(report));
    const files = this.#files();
    await this.#step('recordings', (report) => this.#compareFiles(files, report));
    await this.#step('continuity', (report) => this.#follow(report));
    await this.#step('approvals', (report) => this.#approvals(report));
    await this.#step('sign-offs', (report) => this.#signOffs(report));
    return {
      ok: this.#faults.length === 0,
      records: this.#rows.length,
      segments: files.filter(({ seal }) => seal !== undefined).length,
      size: this.#checkpoint?.size ?? 0,
      endSeq: (this.#rows.at(-1)?.index ?? -1) + 1,
      steps: this.#steps,
      faults: this.#faults.slice(0, MOST_FAULTS).map((words) => printable(words.replaceAll(session, 'the session'))),
    };
  }

  async #step(name: string, work: (report: Report) => Promise<string> | string): Promise<void> {
    const began = performance.now();
    const found: Finding[] = [];
    const report: Report = (finding) => {
      if (finding.severity === 'fault') found.push(finding);
    };
    let words: string;
    try {
      words = await work(report);
    } catch (thrown) {
      const error = asSallyportError(thrown);
      if (error.code === 'SESSION_NOT_FOUND') throw error;
      words = error.message;
      report(fault('unreadable', {}, error.message));
    }
    const [first] = found;
    const more = found.length === 1 ? '' : `, and ${found.length - 1} more`;
    for (const { where, words: said } of found) this.#faults.push(`${placeWords(where) === '' ? '' : `${placeWords(where)}: `}${said}`);
    this.#steps.push({
      name,
      ok: first === undefined,
      words: printable(first === undefined ? words : `${first.words}${more}`),
      millis: Math.round((performance.now() - began) * 1000) / 1000,
    });
  }

  async #readRecords(report: Report): Promise<string> {
    const { reader, session } = this.#parts;
    let after = 0;
    for (;;) {
      const page = await reader.ofSession(session, after, PAGE);
      for (const row of page) this.#rows.push(readRow(row, report));
      after = page.at(-1)?.seq ?? after;
      if (page.length < PAGE) break;
      if (this.#rows.length > MOST_RECORDS)
        throw new SallyportError('REQUEST_INVALID', `the session has more than ${MOST_RECORDS} records`, {
          remedy: 'verify everything instead',
        });
    }
    if (this.#rows.length === 0) throw new SallyportError('SESSION_NOT_FOUND', `There is no session ${session}`);
    const erased = this.#rows.filter((row) => row.erased).length;
    const whole = `${some(this.#rows.length, 'record')}, each with the hash that stands beside it`;
    return erased === 0 ? whole : `${whole}; of ${erased} of them nothing but the hash is left, since they are erased`;
  }

  #openCheckpoint(report: Report): string {
    const { note } = this.#parts;
    const file = 'ledger/checkpoint';
    if (note === undefined) {
      report(fault('missing', { file }, 'There is no checkpoint: nothing here is signed'));
      return '';
    }
    try {
      this.#checkpoint = parseCheckpoint(unverifiedText(note));
      openNote(note, [parseVerifierKey(this.#parts.key)]);
    } catch (thrown) {
      report(fault('forged', { file }, asSallyportError(thrown).message));
    }
    return `The checkpoint over ${some(this.#checkpoint?.size ?? 0, 'record')} carries the signature of the ledger's key`;
  }

  async #prove(report: Report): Promise<string> {
    const checkpoint = this.#checkpoint;
    if (checkpoint === undefined) return 'There is no checkpoint to prove it under';
    const tiles = new AuthenticTiles(openLedgerFiles(this.#parts.directory), checkpoint.size, checkpoint.root);
    const covered = this.#rows.filter(({ index }) => index < checkpoint.size);
    for (const { index, hash: entry } of covered)
      if (!(await tiles.has(index, entry))) report(fault('altered', { index }, 'The ledger has another hash at the place of this record'));
    const holes = await this.#parts.reader.holes();
    if (holes > 0) report(fault('missing', {}, `${some(holes, 'record')} missing from the ledger, which may have been of this session`));
    const newer = this.#rows.length - covered.length;
    const proved = `${some(covered.length, 'record')} proved to stand in the log at their places`;
    return newer === 0 ? proved : `${proved}; ${some(newer, 'record')} newer than the checkpoint`;
  }

  #files(): SealedFile[] {
    return this.#rows.flatMap(({ index, record }) => (record?.type === 'segment.sealed' ? sealedFiles(index, record) : []));
  }

  async #compareFiles(files: readonly SealedFile[], report: Report): Promise<string> {
    const { directory, reader, session } = this.#parts;
    if ((await reader.sessionsInErasure()).has(session)) return 'The session is being erased at this moment';
    const onDisk = new FilesCheck(directory, report, 1);
    await onDisk.sealed(files);
    await onDisk.setAsideWhatIsInTheMaking();
    const now = await EvidenceReader.open(directory);
    try {
      await onDisk.resolve(now);
    } finally {
      await now.close();
    }
    return `${some(onDisk.files, 'file')} of recordings with ${some(onDisk.bytes, 'byte')}, each what was sealed`;
  }

  async #follow(report: Report): Promise<string> {
    const followed = new SessionRecords(report);
    for (const [index, record] of this.#told()) followed.take(index, record);
    followed.finish();
    const lists = new ListsCheck(this.#parts.reader, report);
    await lists.outcomes(followed.outcomes);
    await lists.segments(this.#files());
    for (const { index, type } of followed.strays)
      if (!this.#rows.some(({ erased }) => erased))
        report(fault('missing', { index }, `A record ${type} stands outside of the session, which was not open then`));
    return `${some(followed.channels, 'channel')} with ${some(followed.segments, 'sealed segment')}, without a gap, and the lists agree`;
  }

  #approvals(report: Report): string {
    const checks = new ApprovalChecks(report, { origin: this.#checkpoint?.origin, part: true, keys: new ReviewerKeys(report) });
    for (const [index, record] of this.#told()) checks.take(index, record);
    checks.finish();
    if (checks.asked === 0) return 'Nothing in it was asked of anybody';
    return `${some(checks.asked, 'request')} for approval with ${some(checks.decided, 'decision')}, each signed by its reviewer`;
  }

  #signOffs(report: Report): string {
    const checks = new SignOffChecks(report, { origin: this.#checkpoint?.origin, part: false, keys: new ReviewerKeys(report) });
    for (const [index, record] of this.#told()) checks.take(index, record);
    checks.finish();
    return checks.signOffs === 0 ? 'Nobody has signed it off' : `${some(checks.signOffs, 'sign-off')}, each signed by its reviewer`;
  }

  *#told(): Generator<[number, AuditRecord]> {
    for (const { index, record } of this.#rows) if (record !== undefined) yield [index, record];
  }
}

function readRow(row: Awaited<ReturnType<EvidenceReader['ofSession']>>[number], report: Report): ReadRow {
  const index = row.seq - 1;
  const { bytes } = row;
  if (bytes === null) return { index, hash: row.hash, erased: true, record: undefined };
  if (!hash('sha256', bytes, 'buffer').equals(row.hash))
    report(fault('altered', { index }, 'The bytes of the record do not have the hash that stands beside them'));
  const form = readRecord(bytes);
  if (form.state === 'malformed') report(fault('malformed', { index }, `What stands there is no record: ${form.why}`));
  else if (listedAs(form.record) !== row.listed)
    report(fault('inconsistent', { index }, 'The database lists the record as something else than it says itself'));
  return { index, hash: row.hash, erased: false, record: form.state === 'record' ? form.record : undefined };
}
