import type { BundlePage, BundlePageSegment } from '../../../contract/bundle-page.ts';
import { BundleData, type RecordLine } from '../bundle-data.ts';
import { readBundlePage } from '../bundle-shape.ts';
import { type LogKey, NotReadable, parseLogKey } from '../checkpoint.ts';
import { type Comparison, compareCheckpoint } from '../compare-checkpoint.ts';
import { DataFault } from '../data-fault.ts';
import { type ReadRecord, readRecord } from '../record-facts.ts';
import { addFinding, newSteps, runStep, type Step } from '../step.ts';
import { Verification } from '../verification.ts';
import { BundleZip } from './bundle-zip.ts';
import { APPROVAL_TYPES, type ApprovalFacts, checkApprovals } from './check-approvals.ts';
import { checkAttestation } from './check-attestation.ts';
import { checkBag, checkTags, type FileDigests } from './check-bag.ts';
import { checkBeside } from './check-beside.ts';
import { WindowedSource } from './windowed-source.ts';
import type { ByteSource } from './zip-directory.ts';
import { ZipParts } from './zip-parts.ts';
import { newZipSteps } from './zip-steps.ts';

const NOT_RUN = 'This step could not run: the list of what the bundle holds cannot be read.';

/** A bundle in its zip file, verified one step after the other, and what can be shown of it. */
export class ZipVerification {
  readonly zip: BundleZip;
  /** Undefined where the list of what the bundle holds cannot be read; `pageFault` says why. */
  readonly page: BundlePage | undefined;
  readonly pageFault: string | undefined;
  readonly verification: Verification | undefined;
  finished = false;
  readonly #data: BundleData;
  readonly #own = newZipSteps();
  readonly #changed: () => void;
  readonly #approvals: ReadRecord[] = [];
  readonly #digests: FileDigests = new Map();
  #tagManifest: string | undefined;

  /** Throws NotABundle for a file that is none. */
  static async open(source: ByteSource, changed: () => void): Promise<ZipVerification> {
    const zip = await BundleZip.open(new WindowedSource(source));
    const parts = new ZipParts(zip);
    try {
      return new ZipVerification(zip, parts, readBundlePage(await parts.load('bundle')), changed);
    } catch (thrown) {
      if (!(thrown instanceof DataFault)) throw thrown;
      return new ZipVerification(zip, parts, thrown.message, changed);
    }
  }

  private constructor(zip: BundleZip, parts: ZipParts, page: BundlePage | string, changed: () => void) {
    this.zip = zip;
    this.#changed = changed;
    this.#data = new BundleData(parts);
    this.page = typeof page === 'string' ? undefined : page;
    this.pageFault = typeof page === 'string' ? page : undefined;
    this.verification =
      this.page &&
      new Verification(this.page, this.#data, changed, (record) => {
        if (APPROVAL_TYPES.has(record.type)) this.#approvals.push(record);
      });
  }

  get steps(): readonly Step[] {
    const { file, bag, tags, attestation, approvals } = this.#own;
    return [file, bag, tags, attestation, ...(this.verification?.list ?? this.#withoutPage), approvals];
  }

  readonly #withoutPage: readonly Step[] = Object.values(newSteps());

  async run(): Promise<void> {
    const { file, bag, tags, attestation, approvals } = this.#own;
    await runStep(file, this.#changed, (step) => this.#checkFile(step));
    await runStep(bag, this.#changed, (step) => checkBag(this.zip, step, this.#digests, this.#changed));
    await runStep(tags, this.#changed, (step) =>
      checkTags(this.zip, step, (digest) => {
        this.#tagManifest = digest;
      }),
    );
    const { page, verification } = this;
    if (page === undefined || verification === undefined) {
      for (const step of [attestation, ...this.#withoutPage, approvals])
        await runStep(step, this.#changed, () => {
          addFinding(step, { words: `${NOT_RUN} ${this.pageFault ?? ''}` });
          return 'Not run';
        });
    } else {
      const facts = { key: this.#keyOf(page), tagManifest: this.#tagManifest, checkpoint: page.ledger.checkpoint };
      await runStep(attestation, this.#changed, (step) => checkAttestation(this.zip, step, facts));
      await verification.run();
      await checkBeside(this.zip, page, verification, this.#digests);
      await runStep(approvals, this.#changed, (step) =>
        checkApprovals(this.#approvals, this.#approvalFacts(page, verification), step, this.#changed),
      );
    }
    this.finished = true;
    this.#changed();
  }

  /**
   * The cast text of a segment, for a player. What is given out is what a record seals, and that record is the one that
   * the ledger has the hash of; anything else is damage. Never rejects.
   */
  async segmentText(session: string, channel: number, segment: BundlePageSegment): Promise<{ text: string } | { damage: string }> {
    const { verification } = this;
    if (verification === undefined) return { damage: NOT_RUN };
    const found = await verification.segmentText(session, channel, segment);
    if ('damage' in found) return found;
    const seal = verification.seal(session, channel, segment.segment);
    if (seal === undefined) return { damage: 'No record in this bundle seals it, so nothing says that it is what was recorded.' };
    if (!verification.fitsItsTile(seal.index)) return { damage: `The record that seals it (${seal.index}) was altered.` };
    return found;
  }

  /** The records of a session, in the order of the ledger. Throws DataFault. */
  async records(session: string): Promise<ReadRecord[]> {
    const { verification } = this;
    await verification?.recordsRead;
    const places = verification?.sessions.get(session)?.records ?? [];
    const wanted = new Map(places.map(({ index }) => [index, true]));
    const read: ReadRecord[] = [];
    for (const script of new Set(places.map((place) => place.script))) {
      const lines: RecordLine[] = await this.#data.records(script);
      for (const { index, text } of lines) {
        const record = wanted.has(index) ? readRecord(index, text) : undefined;
        if (record !== undefined) read.push(record);
      }
    }
    return read;
  }

  /** With a checkpoint that somebody got another way. */
  async compare(text: string): Promise<Comparison> {
    const { checkpoint, key, tiles } = this.verification ?? {};
    if (checkpoint === undefined || key === undefined || tiles === undefined)
      return {
        state: 'cannot tell',
        heading: 'Nothing to compare with',
        words: 'The bundle has no checkpoint and key that could be read, or the steps that read them have not run yet.',
      };
    return compareCheckpoint(text, checkpoint, key, tiles);
  }

  async #checkFile(step: Step): Promise<string> {
    const { size } = this.zip;
    const unchanged = await this.zip.isUnchanged((bytes) => {
      step.progress = bytes / size;
      this.#changed();
    });
    if (!unchanged) {
      addFinding(step, { words: 'The file has another digest than the one at its end: at least one byte of it was changed.' });
      return 'A byte of the file was changed';
    }
    return `${size.toLocaleString('en')} bytes, as they were written`;
  }

  #approvalFacts({ ledger, sessions }: BundlePage, verification: Verification): ApprovalFacts {
    const listed = new Set(sessions.map(({ id }) => id));
    const complete = (session: string) =>
      ledger.erased.length === 0 && listed.has(session) && verification.sessions.get(session)?.erased.length === 0;
    return { origin: ledger.origin, complete };
  }

  #keyOf(page: BundlePage): LogKey | undefined {
    try {
      return parseLogKey(page.ledger.verifierKey);
    } catch (thrown) {
      if (thrown instanceof NotReadable) return undefined;
      throw thrown;
    }
  }
}
