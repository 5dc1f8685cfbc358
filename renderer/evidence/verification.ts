import type { BundlePage, BundlePageSegment, BundlePageSession } from '../../contract/bundle-page.ts';
import type { BundleData } from './bundle-data.ts';
import { absence, checkSegment, type SegmentVerdict } from './check-segment.ts';
import { checkSession } from './check-session.ts';
import { type Checkpoint, checkSignature, type LogKey, NotReadable, parseCheckpoint, parseLogKey } from './checkpoint.ts';
import { DataFault, wordsOf } from './data-fault.ts';
import { fromHex, sameBytes } from './encodings.ts';
import { textOf } from './inflate.ts';
import { leafHash } from './merkle.ts';
import { type ReadRecord, readRecord } from './record-facts.ts';
import { noFacts, type Seal, type SessionFacts, takeRecord } from './session-facts.ts';
import { sha256 } from './sha256.ts';
import { addFinding, faultCount, makeProgress, newSteps, number, paced, runStep, type Step, type StepId } from './step.ts';
import { TileSet } from './tile-set.ts';
import { TreeCheck } from './tree.ts';

/** Parts of recordings that are read at once. */
const READ_AHEAD = 4;

export type RecordProof = 'proved' | 'not proved' | 'altered';

/**
 * Verifies a bundle in the reader's own browser, one step after the other. A fault in one place is named there and the
 * steps go on: what is intact stays usable and is known to be.
 */
export class Verification {
  readonly steps = newSteps();
  readonly tiles: TileSet;
  readonly sessions = new Map<string, SessionFacts>();
  /** Records that belong to no session, in the order of the ledger. */
  readonly loose: { index: number; script: string; type: string }[] = [];
  checkpoint: Checkpoint | undefined;
  key: LogKey | undefined;
  finished = false;
  readonly #bundle: BundlePage;
  readonly #data: BundleData;
  readonly #changed: () => void;
  readonly #onRecord: (record: ReadRecord) => void;
  readonly #leaves = new Map<number, Uint8Array>();
  readonly #verdicts = new Map<string, SegmentVerdict>();
  readonly #sessionFaults = new Map<string, number>();
  #tree: TreeCheck | undefined;
  #counted = 0;
  #recordsRead: () => void = () => undefined;
  /** Resolves when all records have been read: replays and lists of records wait for it. */
  readonly recordsRead = new Promise<void>((resolve) => {
    this.#recordsRead = resolve;
  });

  /** `onRecord` is told every record, in the order of the ledger. */
  constructor(bundle: BundlePage, data: BundleData, changed: () => void, onRecord: (record: ReadRecord) => void = () => undefined) {
    this.#bundle = bundle;
    this.#data = data;
    this.#changed = changed;
    this.#onRecord = onRecord;
    this.tiles = new TileSet(bundle.ledger.tiles);
  }

  get list(): Step[] {
    const { records, tree, signature, segments, sessions, range } = this.steps;
    return [records, tree, signature, segments, sessions, range];
  }

  async run(): Promise<void> {
    await this.#step('records', (step) => this.#readRecords(step));
    this.#recordsRead();
    await this.#step('tree', (step) => this.#checkTree(step));
    await this.#step('signature', (step) => this.#checkSignature(step));
    await this.#step('segments', (step) => this.#checkSegments(step));
    await this.#step('sessions', (step) => this.#checkSessions(step));
    await this.#step('range', (step) => this.#checkRange(step));
    this.finished = true;
    this.#changed();
  }

  proofOf(index: number): RecordProof {
    const leaf = this.#leaves.get(index);
    if (leaf === undefined || this.#tree === undefined) return 'not proved';
    const inTree = this.#tree.leaf(index);
    if (inTree === undefined) return 'not proved';
    if (!sameBytes(leaf, inTree)) return 'altered';
    return this.steps.signature.state === 'passed' ? 'proved' : 'not proved';
  }

  seal(session: string, channel: number, segment: number): Seal | undefined {
    return this.sessions
      .get(session)
      ?.channels.get(channel)
      ?.seals.find((seal) => seal.segment === segment);
  }

  verdict(session: string, channel: number, segment: number): SegmentVerdict | undefined {
    return this.#verdicts.get(`${session}/${channel}/${segment}`);
  }

  /** Faults found in a session so far; undefined while its steps have not run. */
  faultsOf(session: string): number | undefined {
    if (this.steps.sessions.state === 'waiting') return undefined;
    return this.#sessionFaults.get(session) ?? 0;
  }

  /** The cast text of a segment, compared with its seal. Never rejects; what was altered is not given out. */
  async segmentText(session: string, channel: number, segment: BundlePageSegment): Promise<{ text: string } | { damage: string }> {
    await this.recordsRead;
    const key = `${session}/${channel}/${segment.segment}`;
    if (segment.script === null) {
      this.#verdicts.set(key, { state: 'missing', words: absence(segment) });
      return { damage: absence(segment) };
    }
    try {
      const bytes = await this.#data.castText(segment);
      const verdict = await checkSegment(bytes, this.seal(session, channel, segment.segment));
      this.#verdicts.set(key, verdict);
      return verdict.state === 'altered' ? { damage: verdict.words } : { text: textOf(bytes) };
    } catch (thrown) {
      const words = wordsOf(thrown);
      this.#verdicts.set(key, { state: 'missing', words });
      return { damage: words };
    }
  }

  #step(id: StepId, work: (step: Step) => Promise<string> | string): Promise<void> {
    return runStep(this.steps[id], this.#changed, work);
  }

  async #readRecords(step: Step): Promise<string> {
    const { scripts, count } = this.#bundle.records;
    const pause = paced();
    let last = -1;
    for (const [at, script] of scripts.entries()) {
      try {
        for (const { index, text } of await this.#data.records(script)) {
          if (index <= last) addFinding(step, { index, words: `Record ${index} stands out of order in page/${script}.js.` });
          last = Math.max(last, index);
          this.#takeRecord(step, script, index, text);
          await pause();
        }
      } catch (thrown) {
        if (!(thrown instanceof DataFault)) throw thrown;
        addFinding(step, { words: thrown.message });
      }
      makeProgress(step, (at + 1) / scripts.length, this.#changed);
    }
    for (const [index, hex] of this.#bundle.ledger.erased) {
      const hash = fromHex(hex);
      if (hash?.length === 32) this.#compareLeaf(step, index, leafHash(hash), `The hash of the erased record ${index}`);
      else addFinding(step, { index, words: `The hash of the erased record ${index} is not one.` });
    }
    if (this.#counted !== count)
      addFinding(step, { words: `The bundle says that it has ${number(count)} records; ${number(this.#counted)} could be read.` });
    const erased = this.#bundle.ledger.erased.length;
    if (step.findings.length > 0) return `${faultCount(step)} in ${number(this.#counted)} records`;
    return `${number(this.#counted)} records${erased > 0 ? ` and ${number(erased)} hashes of erased ones` : ''} stand in the ledger as they are here`;
  }

  #takeRecord(step: Step, script: string, index: number, text: string): void {
    this.#counted += 1;
    this.#compareLeaf(step, index, leafHash(sha256(new TextEncoder().encode(text))), `Record ${index}`);
    const record = readRecord(index, text);
    if (record === undefined) {
      addFinding(step, { index, words: `Record ${index} is not readable as a record.` });
      return;
    }
    this.#onRecord(record);
    if (record.session === undefined) {
      this.loose.push({ index, script, type: record.type });
    } else {
      let facts = this.sessions.get(record.session);
      if (facts === undefined) {
        facts = noFacts();
        this.sessions.set(record.session, facts);
      }
      takeRecord(facts, record, script);
    }
  }

  /** Whether the record at this index is the one that the tile has the hash of, whatever that is worth. */
  fitsItsTile(index: number): boolean {
    const leaf = this.#leaves.get(index);
    return leaf !== undefined && sameBytes(this.tiles.get(0, Math.floor(index / 256))?.hashes[index % 256], leaf);
  }

  #compareLeaf(step: Step, index: number, leaf: Uint8Array, what: string): void {
    this.#leaves.set(index, leaf);
    const tile = this.tiles.get(0, Math.floor(index / 256));
    const inTile = tile?.hashes[index % 256];
    if (inTile === undefined) addFinding(step, { index, words: `${what}: the bundle has no hash of the ledger at this place.` });
    else if (!sameBytes(inTile, leaf))
      addFinding(step, { index, words: `${what} is not the one that the ledger committed to: one of the two was altered.` });
  }

  #checkTree(step: Step): string {
    try {
      this.checkpoint = parseCheckpoint(this.#bundle.ledger.checkpoint);
    } catch (thrown) {
      if (!(thrown instanceof NotReadable)) throw thrown;
      addFinding(step, { words: `The checkpoint cannot be read: ${thrown.message}.` });
      return 'There is no root to compare with';
    }
    const { checkpoint, tiles } = this;
    const { size, root, origin } = checkpoint;
    if (origin !== this.#bundle.ledger.origin)
      addFinding(step, {
        words: `The checkpoint is of the log “${origin}”, and the bundle says that it is of “${this.#bundle.ledger.origin}”.`,
      });
    for (const path of tiles.unreadable) addFinding(step, { words: `${path} is not a tile, or not as long as its name says.` });
    const tree = new TreeCheck(tiles, size, root);
    this.#tree = tree;
    if (tree.missing.length > 0)
      addFinding(step, { words: `Tiles at the end of the ledger are missing: ${tree.missing.slice(0, 5).join(', ')}.` });
    else if (!tree.rootFits)
      addFinding(step, {
        words: `The tiles at the end of the ledger do not add up to the root of ${number(size)} entries: a tile or the checkpoint was altered, or the ledger was cut off.`,
      });
    for (const tile of tree.strangers()) addFinding(step, { words: `${tile.path} does not fit the tile above it: it was altered.` });
    if (step.findings.length > 0) return `${faultCount(step)} in ${number(tiles.size)} tiles`;
    return `${number(tiles.size)} ${tiles.size === 1 ? 'tile gives' : 'tiles give'} the root of ${number(size)} ${size === 1 ? 'entry' : 'entries'}`;
  }

  async #checkSignature(step: Step): Promise<string> {
    try {
      this.key = parseLogKey(this.#bundle.ledger.verifierKey);
    } catch (thrown) {
      if (!(thrown instanceof NotReadable)) throw thrown;
      addFinding(step, { words: `The log’s public key cannot be read: ${thrown.message}.` });
      return 'There is no key to check with';
    }
    if (this.checkpoint === undefined) {
      addFinding(step, { words: 'There is no checkpoint that could be read.' });
      return 'There is nothing to check';
    }
    const verdict = await checkSignature(this.checkpoint, this.key);
    if (this.key.name !== this.checkpoint.origin) addFinding(step, { words: `The key is that of “${this.key.name}”, not of this log.` });
    if (verdict === 'wrong')
      addFinding(step, { words: 'The signature does not fit: the checkpoint or the key was altered, or another key signed it.' });
    if (verdict === 'not signed by this key') addFinding(step, { words: 'The checkpoint carries no signature of the key in this bundle.' });
    if (step.findings.length > 0) return 'The signature does not hold';
    if (verdict === 'browser cannot tell') {
      step.state = 'limited';
      return 'This browser cannot check Ed25519 signatures. Run data/verify.sh, or open the page in a current browser.';
    }
    return `Signed by ${this.key.name}, key ${this.key.id}`;
  }

  async #checkSegments(step: Step): Promise<string> {
    const segments = this.#bundle.sessions.flatMap((session) => allSegments(session));
    const pause = paced();
    let intact = 0;
    let unchecked = 0;
    const reading = new Map<number, Promise<unknown>>();
    const read = (at: number) => {
      const next = segments[at];
      if (next !== undefined) reading.set(at, this.segmentText(next.session.id, next.channel, next.segment));
    };
    // A script takes its time to load and none to compute; so a few are on their way at once.
    for (let at = 0; at < READ_AHEAD; at += 1) read(at);
    for (const [at, { session, channel, segment }] of segments.entries()) {
      await reading.get(at);
      reading.delete(at);
      read(at + READ_AHEAD);
      const verdict = this.verdict(session.id, channel, segment.segment);
      if (verdict?.state === 'intact') intact += 1;
      else if (verdict?.state === 'unchecked') unchecked += 1;
      else {
        this.#blame(session.id);
        const where = { session: session.id, channel, segment: segment.segment };
        addFinding(step, {
          ...where,
          words: `${nameOf(session)}, channel ${channel}, part ${segment.segment}: ${verdict?.words ?? 'not checked'}`,
        });
      }
      makeProgress(step, (at + 1) / segments.length, this.#changed);
      await pause();
    }
    if (step.findings.length > 0) return `${faultCount(step)}; ${number(intact)} of ${parts(segments.length)} of recordings intact`;
    if (unchecked > 0) {
      step.state = 'limited';
      return `${number(intact)} of ${parts(segments.length)} intact. ${number(unchecked)} are older than the digests that a page can compare: run data/verify.sh.`;
    }
    return segments.length === 0 ? 'No recordings are in this bundle' : `${parts(intact)} of recordings, each what its seal says`;
  }

  async #checkSessions(step: Step): Promise<string> {
    const { sessions } = this.#bundle;
    const pause = paced();
    let live = 0;
    for (const [at, session] of sessions.entries()) {
      const found = checkSession(session, this.sessions.get(session.id));
      for (const words of found) {
        this.#blame(session.id);
        addFinding(step, { session: session.id, words: `${nameOf(session)}: ${words}` });
      }
      if (session.state === 'live') live += 1;
      makeProgress(step, (at + 1) / sessions.length, this.#changed);
      await pause();
    }
    const listed = new Set(sessions.map(({ id }) => id));
    for (const [id, facts] of this.sessions) {
      if (!listed.has(id) && facts.open !== undefined)
        addFinding(step, { words: `Session ${id} has records in this bundle and is not in its list.` });
    }
    if (step.findings.length > 0) return `${faultCount(step)} in ${number(sessions.length)} sessions`;
    const still = live === 0 ? '' : `; ${number(live)} still ran when the bundle was written`;
    return `${number(sessions.length)} ${sessions.length === 1 ? 'session' : 'sessions'} from beginning to end${still}`;
  }

  #checkRange(step: Step): string {
    const { first, last, range, included, elsewhere, sessions } = this.#bundle.completeness;
    const size = this.checkpoint?.size ?? 0;
    const inRange = [...this.#leaves.keys()].filter((index) => index >= first && index <= last).length;
    if (range !== Math.max(0, last - first + 1))
      addFinding(step, { words: `The range ${first} to ${last} does not have ${number(range)} entries.` });
    if (last >= size) addFinding(step, { words: `The range ends at ${number(last)}, and the checkpoint covers ${number(size)} entries.` });
    const erased = this.#bundle.ledger.erased.length;
    if (inRange !== included && inRange - erased !== included)
      addFinding(step, { words: `The bundle says that it has ${number(included)} records of the range; it has ${number(inRange)}.` });
    if (included + elsewhere !== range && included + elsewhere + erased !== range)
      addFinding(step, {
        words: `${number(included)} records here and ${number(elsewhere)} elsewhere are not the ${number(range)} of the range.`,
      });
    if (sessions !== this.#bundle.sessions.length)
      addFinding(step, { words: `The answer has ${number(sessions)} sessions, and the list has ${number(this.#bundle.sessions.length)}.` });
    if (step.findings.length > 0) return faultCount(step);
    if (elsewhere === 0) return `All ${number(range)} entries of the range are here`;
    return `${number(inRange)} of ${number(range)} entries are here, ${number(elsewhere)} belong to sessions that were not asked for`;
  }

  #blame(session: string): void {
    this.#sessionFaults.set(session, (this.#sessionFaults.get(session) ?? 0) + 1);
  }
}

function allSegments(session: BundlePageSession): { session: BundlePageSession; channel: number; segment: BundlePageSegment }[] {
  return session.recordings.flatMap(({ channel, segments }) => segments.map((segment) => ({ session, channel, segment })));
}

function nameOf(session: BundlePageSession): string {
  return `${session.principal} at ${session.target}, ${session.started.slice(0, 16).replace('T', ' ')}`;
}

function parts(count: number): string {
  return count === 1 ? '1 part' : `${number(count)} parts`;
}
