import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { type Attestation, signAttestation } from './attestation.ts';
import { type Checkpoint, formatCheckpoint } from './checkpoint.ts';
import type { GrowingTree } from './growing-tree.ts';
import type { LedgerStorage, RecordedHashes, TileFile } from './ledger-storage.ts';
import type { RecordFollower } from './records.ts';
import { type NoteSigner, signNote, type VerifierKey } from './signed-note.ts';
import { TILE_WIDTH, tileWidth } from './tiles.ts';
import { ENTRIES_A_TURN, entriesOf } from './tree-from-records.ts';

/** The head of the ledger with the signed note that says so. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: string;
}

export interface LedgerParts {
  readonly storage: LedgerStorage;
  readonly records: RecordedHashes;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LedgerState {
  readonly head: SignedCheckpoint;
  readonly tree: GrowingTree;
  /** Records there are. */
  readonly recorded: number;
  readonly signer: NoteSigner;
  /** Signs as well, until a checkpoint is published that has more entries than this. */
  readonly former?: { readonly signer: NoteSigner; readonly beyond: number } | undefined;
}

/** Milliseconds from the first unsigned record until signing begins, so that it is signed within one second. */
const SIGN_AFTER = 400;
/** Milliseconds between two checkpoints, however many callers want one: a burst of session ends shares a few. */
const SIGN_APART = 50;
/** Milliseconds after a failed attempt. Doubles up to the longest. */
const FIRST_RETRY = 500;
const LONGEST_RETRY = 15_000;
/** Milliseconds that a record may be unsigned before no further session may begin. */
const OVERDUE = 30_000;
/** Hashes in memory, 32 bytes each. When the disk does not keep up, the rest is read from the database later. */
const MAX_QUEUED = 65_536;
const TILES_A_WRITE = 64;

interface Waiting {
  readonly size: number;
  readonly resolve: (head: SignedCheckpoint) => void;
  readonly reject: (error: SallyportError) => void;
}

/**
 * Follows the records into the Merkle tree and publishes it: tiles first, then the checkpoint over them. Records are
 * durable in the database before they come here, so nothing that fails here loses any: it is tried again, and what has
 * not been published when the gateway stops is taken up at the next start. What is published never contradicts what was
 * signed before.
 */
export class Ledger implements RecordFollower {
  readonly #parts: LedgerParts;
  readonly #signer: NoteSigner;
  #former: LedgerState['former'];
  readonly #tree: GrowingTree;
  #head: SignedCheckpoint;
  #signedAt: number | undefined;
  #recorded: number;
  /** Hashes from `#recorded - #queue.length` on; what is before and not in the tree stands in the database only. */
  #queue: Uint8Array[] = [];
  /** Monotonic, of the oldest record that no checkpoint covers. */
  #unsignedSince: number | undefined;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #pause = new AbortController();
  #failing = false;
  #lastAttempt: number | undefined;
  /** Full tiles that are not durable yet. */
  #unwritten: TileFile[] = [];
  #broken: SallyportError | undefined;
  #closed = false;

  constructor({ head, tree, recorded, signer, former }: LedgerState, parts: LedgerParts) {
    this.#parts = parts;
    this.#head = head;
    this.#tree = tree;
    this.#recorded = recorded;
    this.#signer = signer;
    this.#former = former;
    if (recorded > head.size) this.#arrived();
  }

  /** The last checkpoint that was published. */
  get head(): SignedCheckpoint {
    return this.#head;
  }

  /** When it was, by the wall clock in microseconds. Undefined for one of an earlier life of the gateway. */
  get signedAt(): number | undefined {
    return this.#signedAt;
  }

  get key(): VerifierKey {
    return this.#signer.key;
  }

  /** Why no session may begin at the moment, if there is a reason: what cannot be signed in time piles up unprotected. */
  get trouble(): SallyportError | undefined {
    if (this.#broken !== undefined) return this.#broken;
    if (this.#unsignedSince === undefined) return undefined;
    const millis = this.#millisSince(this.#unsignedSince);
    return millis <= OVERDUE ? undefined : behind(`the gateway's ledger has not been signed for ${Math.round(millis / 1000)} seconds`);
  }

  take(first: number, hashes: readonly Uint8Array[]): void {
    if (hashes.length === 0 || this.#broken !== undefined) return;
    if (first < this.#recorded) {
      this.#break(new SallyportError('LEDGER_DAMAGED', `Record ${first} was written a second time; the ledger has ${this.#recorded}`));
      return;
    }
    if (first > this.#recorded || this.#queue.length + hashes.length > MAX_QUEUED) this.#queue = [];
    else for (const hash of hashes) this.#queue.push(hash);
    this.#recorded = first + hashes.length;
    this.#arrived();
  }

  /**
   * Resolves when a published checkpoint covers everything taken so far, and has one published now if need be. Rejects
   * with LEDGER_BEHIND when that fails; the attempts go on all the same.
   */
  signed(): Promise<SignedCheckpoint> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    if (this.#head.size === this.#recorded && this.#former === undefined) return Promise.resolve(this.#head);
    if (this.#closed) return Promise.reject(behind('the ledger has been closed'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ size: this.#recorded, resolve, reject });
      this.#hurry();
    });
  }

  /** What the gateway says of a bundle, signed with the ledger's key. Throws as `signAttestation`. */
  attest(attestation: Attestation): string {
    return signAttestation(attestation, this.#signer);
  }

  /** Publishes what is left, as far as that succeeds, and ends. Nothing may be taken afterwards. */
  async close(): Promise<void> {
    if (!this.#closed && this.#broken === undefined) await this.signed().catch(() => undefined); // It has been logged.
    this.#closed = true;
    this.#pause.abort();
    await this.#running;
  }

  #arrived(): void {
    this.#unsignedSince ??= this.#parts.clock.monotonicNanos();
    this.#running ??= this.#follow();
  }

  #hurry(): void {
    this.#running ??= this.#follow();
    this.#pause.abort();
  }

  /** Never rejects, and ends when everything is signed. */
  async #follow(): Promise<void> {
    await this.#wait(SIGN_AFTER);
    for (let retry = FIRST_RETRY; this.#hasWork(); ) {
      try {
        await this.#publish();
        if (this.#failing) this.#parts.log.info({ size: this.#head.size }, 'the ledger is signed again');
        this.#failing = false;
        retry = FIRST_RETRY;
        if (this.#hasWork()) await this.#wait(this.#waiting.length > 0 ? SIGN_APART : SIGN_AFTER);
      } catch (thrown) {
        this.#failed(thrown);
        if (this.#hasWork()) await this.#wait(retry);
        retry = Math.min(retry * 2, LONGEST_RETRY);
      }
    }
    this.#running = undefined;
  }

  #hasWork(): boolean {
    if (this.#closed || this.#broken !== undefined) return false;
    return this.#head.size < this.#recorded || this.#waiting.length > 0;
  }

  /** Somebody who is in a hurry cuts it short, though not below `SIGN_APART`. */
  async #wait(millis: number): Promise<void> {
    const pause = new AbortController();
    this.#pause = pause;
    const shortest = Math.min(millis, this.#lastAttempt === undefined ? 0 : SIGN_APART - this.#millisSince(this.#lastAttempt));
    await delay(millis, undefined, { signal: pause.signal }).catch(() => undefined);
    if (pause.signal.aborted && shortest > 0 && !this.#closed) await delay(shortest);
  }

  /** Tiles before the checkpoint over them: whoever sees a checkpoint finds its tree. */
  async #publish(): Promise<void> {
    const { clock, storage } = this.#parts;
    const started = clock.monotonicNanos();
    this.#lastAttempt = started;
    const size = this.#recorded;
    await this.#grow(size);
    await this.#writeFull();
    await storage.writeTiles(this.#tree.partial());
    const endorsed = this.#former !== undefined && size > this.#former.beyond ? this.#former.signer : undefined;
    const head: Checkpoint = { origin: this.#head.origin, size, root: this.#tree.root(), extensions: [] };
    const signers = this.#former === undefined ? [this.#signer] : [this.#signer, this.#former.signer];
    const note = signNote(formatCheckpoint(head), signers);
    await storage.writeCheckpoint(note, endorsed === undefined ? undefined : { size });
    this.#head = { ...head, note };
    this.#signedAt = clock.wallMicros();
    if (endorsed !== undefined) this.#former = undefined;
    this.#unsignedSince = this.#recorded > size ? started : undefined;
    const covered = this.#waiting.filter((waiting) => waiting.size <= size);
    this.#waiting = this.#waiting.filter((waiting) => waiting.size > size);
    for (const { resolve } of covered) resolve(this.#head);
  }

  /** Takes entries into the tree, in slices that leave the event loop its turns. */
  async #grow(size: number): Promise<void> {
    while (this.#tree.size < size) {
      if (this.#tree.fullCount >= TILES_A_WRITE) await this.#writeFull();
      const queued = this.#recorded - this.#queue.length;
      if (this.#tree.size < queued) {
        const upTo = Math.min(queued, size, this.#tree.size + TILES_A_WRITE * TILE_WIDTH);
        for await (const entries of entriesOf(this.#parts.records, this.#tree.size, upTo))
          for (const entry of entries) this.#tree.append(entry);
      } else {
        for (const entry of this.#queue.splice(0, Math.min(ENTRIES_A_TURN, size - this.#tree.size))) this.#tree.append(entry);
        if (this.#tree.size < size) await nextTurn();
      }
    }
  }

  async #writeFull(): Promise<void> {
    this.#unwritten.push(...this.#tree.takeFull());
    await this.#parts.storage.writeTiles(this.#unwritten);
    const full = this.#unwritten;
    this.#unwritten = [];
    for (const address of full) {
      const { level, index } = address;
      if (tileWidth(level, index, this.#head.size) > 0) await this.#parts.storage.removePartial(address);
    }
  }

  #failed(thrown: unknown): void {
    const error = asSallyportError(thrown, 'LEDGER_FAILED');
    if (error.code === 'LEDGER_DAMAGED') {
      this.#break(error);
      return;
    }
    this.#failing = true;
    const facts = { code: error.code, signed: this.#head.size, recorded: this.#recorded };
    this.#parts.log.error(facts, `the ledger could not be signed, it will be tried again: ${error.message}`);
    this.#rejectAll(behind(`the ledger could not be signed: ${error.message}`, thrown));
  }

  /** Records contradict what was taken before. Signing ends for good, and with it every new session. */
  #break(error: SallyportError): void {
    this.#broken = error;
    this.#queue = [];
    this.#parts.log.error(
      { code: error.code, signed: this.#head.size, recorded: this.#recorded },
      `the ledger is signed no more: ${error.message}`,
    );
    this.#rejectAll(error);
  }

  #rejectAll(error: SallyportError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error);
  }

  #millisSince(nanos: number): number {
    return (this.#parts.clock.monotonicNanos() - nanos) / 1e6;
  }
}

function behind(message: string, cause?: unknown): SallyportError {
  return new SallyportError('LEDGER_BEHIND', message, {
    remedy: 'see that the disk of the data directory has space and accepts writes; the records themselves are safe',
    ...(cause === undefined ? {} : { cause }),
  });
}
