import type { AuditRecord } from '../../../contract/record.ts';
import { listedAs } from '../../store/listed-as.ts';
import { ApprovalChecks } from './approval-checks.ts';
import type { DisclosedDecision } from './disclosed-decision.ts';
import { type ErasedFile, type ErasureCounts, Erasures } from './erasures.ts';
import { type Finding, fault, notice } from './finding.ts';
import { KeyHistory, type LedgerKeyPeriod } from './key-history.ts';
import { type Envelope, readRecord } from './record-form.ts';
import { type ReviewerKey, ReviewerKeys } from './reviewer-keys.ts';
import { type SealedFile, sealedFiles } from './sealed-files.ts';
import { type SessionOutcome, SessionRecords, type StrayRecord } from './session-records.ts';
import { SignOffChecks } from './sign-off-checks.ts';

/** Some records in the order of the ledger. Plain data: it crosses to a worker thread. */
export interface RecordBatch {
  indexes: number[];
  /** Bytes of each; -1: erased; another negative number: what stands there is no record. */
  lengths: number[];
  bytes: Uint8Array;
  /** What each is listed as in the database, one a line (store/evidence-reader.ts). None in a bundle. */
  columns?: string;
}

/** What a batch of records led to. */
export interface RecordFindings {
  findings: Finding[];
  files: SealedFile[];
  erasedFiles: ErasedFile[];
  outcomes: SessionOutcome[];
  strays: StrayRecord[];
  /** Of a bundle: what stands in files of its own. */
  decisions: DisclosedDecision[];
}

export interface RecordTotals {
  records: number;
  sessions: number;
  channels: number;
  segments: number;
  erased: ErasureCounts;
  first: string | undefined;
  last: string | undefined;
  keys: LedgerKeyPeriod[];
  /** Requests for approval, what reviewers signed about them, and with which keys. */
  approvals: { asked: number; decided: number; reviewers: ReviewerKey[] };
  /** Words of reviewers on whole sessions. */
  signOffs: number;
  /** Ids of holds in force. */
  holds: string[];
  /** Versions of the gateways that wrote them. */
  versions: string[];
  /** Of a part of the records: the last of each session. */
  lastIndexes: ReadonlyMap<string, number>;
}

export interface RecordChecksOptions {
  unfinished?: readonly number[];
  part?: boolean;
  origin?: string | undefined;
}

/** Clocks differ by less when they are kept by NTP; more than this is said. */
const BACKWARDS_MILLIS = 1000;
const MAX_NOTED_CLOCKS = 20;
const MAX_VERSIONS = 100;

/**
 * Everything that can be told from the records themselves, one after the other in the order of the ledger: their form,
 * and whether they fit together. Knows no files and no tree.
 */
export class RecordChecks {
  #findings: Finding[] = [];
  #files: SealedFile[] = [];
  readonly #report = (finding: Finding) => this.#findings.push(finding);
  readonly #sessions = new SessionRecords(this.#report);
  readonly #keys = new KeyHistory(this.#report);
  readonly #erasures: Erasures;
  readonly #reviewers: ReviewerKeys;
  readonly #approvals: ApprovalChecks;
  readonly #signOffs: SignOffChecks;
  readonly #versions = new Set<string>();
  readonly #part: boolean;
  readonly #lastIndexes = new Map<string, number>();
  #records = 0;
  #first: string | undefined;
  #last: string | undefined;
  #clocks = 0;

  /**
   * `unfinished`: indexes of erasures that are on record and not completed. `part`: these are not all records. `origin`:
   * the ledger's, as its checkpoint says it; without one it is what the records say.
   */
  constructor({ unfinished = [], part = false, origin }: RecordChecksOptions = {}) {
    this.#part = part;
    this.#reviewers = new ReviewerKeys(this.#report);
    this.#approvals = new ApprovalChecks(this.#report, { origin, part, keys: this.#reviewers });
    this.#signOffs = new SignOffChecks(this.#report, { origin, part, keys: this.#reviewers });
    this.#erasures = new Erasures(this.#report, { unfinished: new Set(unfinished), part });
  }

  take({ indexes, lengths, bytes, columns }: RecordBatch): RecordFindings {
    const beside = columns?.split('\n');
    if (beside !== undefined && beside.length !== indexes.length && indexes.length > 0)
      this.#report(
        fault(
          'inconsistent',
          { index: indexes[0] ?? 0, last: indexes.at(-1) ?? 0 },
          'The database lists one of these records under a name with a line feed in it',
        ),
      );
    let offset = 0;
    for (let at = 0; at < indexes.length; at += 1) {
      const index = indexes[at] as number;
      const length = lengths[at] as number;
      this.#records += 1;
      if (length === -1) this.#erased(index, beside?.[at]);
      else if (length < 0)
        this.#report(fault('altered', { index }, 'Where the bytes of a record should be, the database has something else'));
      else this.#takeBytes(index, bytes.subarray(offset, offset + length), beside?.[at]);
      offset += Math.max(0, length);
    }
    return this.#taken();
  }

  finish(): RecordFindings {
    this.#sessions.finish();
    this.#approvals.finish();
    this.#signOffs.finish();
    this.#erasures.finish();
    if (this.#clocks > MAX_NOTED_CLOCKS) this.#report(notice('clock', {}, `The clock was set back ${this.#clocks} times in all`));
    return this.#taken();
  }

  totals(): RecordTotals {
    const { sessions, channels, segments } = this.#sessions;
    return {
      records: this.#records,
      sessions,
      channels,
      segments,
      erased: { ...this.#erasures.counts },
      first: this.#first,
      last: this.#last,
      keys: this.#keys.periods,
      approvals: { asked: this.#approvals.asked, decided: this.#approvals.decided, reviewers: this.#reviewers.all },
      signOffs: this.#signOffs.signOffs,
      holds: this.#erasures.holds,
      versions: [...this.#versions],
      lastIndexes: this.#lastIndexes,
    };
  }

  #takeBytes(index: number, bytes: Uint8Array, beside: string | undefined): void {
    this.#erasures.present(index);
    const form = readRecord(bytes);
    if (form.state === 'malformed') {
      this.#report(fault('malformed', { index }, `What stands there is no record: ${form.why}`));
      return;
    }
    const { record } = form;
    if (beside !== undefined) this.#compareColumns(index, record, beside);
    this.#followClock(index, record.time);
    if (this.#part && record.session !== undefined) this.#lastIndexes.set(record.session, index);
    if (form.state === 'newer') {
      this.#report(notice('newer', { index }, `A record of type ${record.type.slice(0, 60)}, which this version does not know`));
      return;
    }
    this.#takeRecord(index, form.record);
  }

  /** What was at this place, the database still lists: `id time type session`. */
  #erased(index: number, beside: string | undefined): void {
    this.#erasures.gone(index);
    const [, time = '', type, session] = beside?.split(' ') ?? [];
    if (type === 'approval.asked' && session !== undefined) this.#approvals.erasedRequest(session, time);
  }

  #takeRecord(index: number, record: AuditRecord): void {
    this.#sessions.take(index, record);
    this.#approvals.take(index, record);
    this.#signOffs.take(index, record);
    switch (record.type) {
      case 'segment.sealed':
        this.#files.push(...sealedFiles(index, record));
        break;
      case 'ledger.created':
      case 'key.rotated':
        this.#keys.take(index, record);
        break;
      case 'hold.set':
      case 'hold.cleared':
      case 'erased':
        this.#erasures.take(index, record);
        break;
      case 'storage.changed':
        if (record.body.state !== 'ample')
          this.#report(
            notice(
              'low-disk',
              { index },
              `At ${record.time} the disk had ${record.body.free} bytes left: ${record.body.state === 'low' ? 'new sessions were refused' : 'running sessions were ended'}`,
            ),
          );
        break;
      case 'session.close':
        if (record.body.code === 'DISK_LOW')
          this.#report(
            notice('low-disk', { index, session: record.session ?? '' }, 'The session was ended because the disk was almost full'),
          );
        break;
      case 'gateway.start':
        if (this.#versions.size < MAX_VERSIONS) this.#versions.add(record.body.version.slice(0, 40));
        break;
      default:
        break;
    }
  }

  #compareColumns(index: number, record: Envelope, beside: string): void {
    const said = listedAs(record);
    if (said === beside) return;
    this.#report(fault('inconsistent', { index }, `The database lists the record as ${beside}, and the record itself says ${said}`));
  }

  #followClock(index: number, time: string): void {
    this.#first ??= time;
    const last = this.#last;
    this.#last = time;
    if (last === undefined || time >= last) return;
    const back = Date.parse(last) - Date.parse(time);
    if (!(back > BACKWARDS_MILLIS)) return;
    this.#clocks += 1;
    if (this.#clocks <= MAX_NOTED_CLOCKS)
      this.#report(
        notice(
          'clock',
          { index },
          `The record is dated ${time}, ${Math.round(back / 1000)} s before the one in front of it: the clock of the gateway was set back`,
        ),
      );
  }

  #taken(): RecordFindings {
    const taken = {
      findings: this.#findings,
      files: this.#files,
      erasedFiles: this.#erasures.files,
      outcomes: this.#sessions.outcomes,
      strays: this.#sessions.strays,
      decisions: [...this.#approvals.decisions, ...this.#signOffs.decisions].sort((a, b) => a.index - b.index),
    };
    this.#findings = [];
    this.#files = [];
    this.#erasures.files = [];
    this.#sessions.outcomes = [];
    this.#sessions.strays = [];
    this.#approvals.decisions = [];
    this.#signOffs.decisions = [];
    return taken;
  }
}
