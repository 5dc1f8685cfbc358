import { randomBytes } from 'node:crypto';
import {
  type Actor,
  type AuditRecord,
  MAX_RECORD_BYTES,
  type RecordDraft,
  type RecordType,
  recordBodies,
  recordSchema,
} from '../../contract/record.ts';
import { type Clock, isoMicros } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import { uuidV7 } from '../base/ids.ts';
import { canonicalForm } from './canonical-json.ts';
import { sha256 } from './merkle.ts';
import { shortenRecord } from './shorten-record.ts';

/** A record with the bytes that count (canonical JSON) and their SHA-256, which is its entry in the ledger. */
export interface SealedRecord {
  readonly record: AuditRecord;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

/** A durable record. */
export interface StoredRecord extends SealedRecord {
  /** Its place in the ledger, from 0. */
  readonly index: number;
}

/**
 * Where records are kept. `append` is all or nothing, keeps the order, and resolves when the records are durable, with
 * the place of the first one in the ledger; the others follow it without a gap.
 */
export interface RecordStore {
  append(records: readonly SealedRecord[]): Promise<number>;
}

/** Is told of every group of records once it is durable, before those who appended them are. */
export interface RecordFollower {
  /** Hashes in the order of the ledger, the first of them at this index. Never throws. */
  take(first: number, hashes: readonly Uint8Array[]): void;
}

/** One transaction takes at most this many records, so that a burst does not make its first record wait for its last. */
const MAX_GROUP = 1024;

const NONCE_BYTES = 16;

/** Records that may wait for the store. Beyond this the disk is not keeping up, and waiting longer would only hide it. */
const MAX_PENDING = 65_536;

interface Waiting {
  sealed: SealedRecord;
  resolve: (stored: StoredRecord) => void;
  reject: (error: SallyportError) => void;
  /** It is to be durable in the same moment as the one before it. */
  tied?: boolean;
}

/**
 * The one way in which an audit fact is written down. While one group is on its way to the disk, everything that
 * arrives forms the next group: a lone record costs one sync, a burst shares one.
 */
export class Records {
  /** The actor of what the gateway does by itself. */
  readonly gateway: Actor;
  readonly #store: RecordStore;
  readonly #clock: Clock;
  readonly #follower: RecordFollower | undefined;
  readonly #schemas = compileSchemas();
  readonly #listeners = new Set<(records: readonly StoredRecord[]) => void>();
  #waiting: Waiting[] = [];
  #inFlight = 0;
  #idle: (() => void)[] = [];
  #random = Buffer.alloc(0);
  #randomUsed = 0;

  constructor(store: RecordStore, clock: Clock, hostname: string, follower?: RecordFollower) {
    this.#store = store;
    this.#clock = clock;
    this.#follower = follower;
    this.gateway = { principal: 'gateway', kind: 'gateway', source: hostname };
  }

  /**
   * Has `listener` told of every group of records from now on, in the order of the ledger, once it is durable. It never
   * throws, and is quick: whoever appended them waits. Returns how to end that.
   */
  onDurable(listener: (records: readonly StoredRecord[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Records that are not durable yet. */
  get pending(): number {
    return this.#waiting.length + this.#inFlight;
  }

  /**
   * Resolves when the record is durable, and rejects with LEDGER_FAILED when it is not; a later append may succeed
   * again. Id and time are those of the call, and records are stored in the order of the calls.
   */
  append(draft: RecordDraft): Promise<StoredRecord> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= MAX_PENDING) {
        reject(ledgerFailed(`${this.pending} records wait for the disk already; the record ${draft.type} was not taken`));
        return;
      }
      let sealed: SealedRecord;
      try {
        sealed = this.#seal(draft);
      } catch (thrown) {
        reject(
          thrown instanceof SallyportError
            ? thrown
            : ledgerFailed(`The record ${draft.type} cannot be written: ${messageOf(thrown)}`, thrown),
        );
        return;
      }
      this.#waiting.push({ sealed, resolve, reject });
      if (this.#inFlight === 0) void this.#write();
    });
  }

  /**
   * As `append`, of several records of which either all become durable or none, and which stand next to each other in the
   * ledger.
   */
  appendTogether(drafts: readonly RecordDraft[]): Promise<StoredRecord[]> {
    if (drafts.length > MAX_GROUP) return Promise.reject(ledgerFailed(`${drafts.length} records are too many to be written together`));
    if (this.#waiting.length + drafts.length > MAX_PENDING)
      return Promise.reject(ledgerFailed(`${this.pending} records wait for the disk already; no more were taken`));
    let sealed: SealedRecord[];
    try {
      sealed = drafts.map((draft) => this.#seal(draft));
    } catch (thrown) {
      return Promise.reject(
        thrown instanceof SallyportError ? thrown : ledgerFailed(`The records cannot be written: ${messageOf(thrown)}`, thrown),
      );
    }
    const stored = sealed.map(
      (each, position) =>
        new Promise<StoredRecord>((resolve, reject) => this.#waiting.push({ sealed: each, resolve, reject, tied: position > 0 })),
    );
    if (this.#inFlight === 0) void this.#write();
    return Promise.all(stored);
  }

  /** Resolves when nothing is pending. A failed append is told to its caller, not here. */
  flush(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #seal(draft: RecordDraft): SealedRecord {
    const now = this.#clock.wallMicros();
    const record: AuditRecord = { ...draft, id: uuidV7(now), time: isoMicros(now), nonce: this.#nonce() };
    const checked = this.#schemas[draft.type].safeParse(record);
    if (!checked.success) {
      const faults = checked.error.issues.map((issue) => `${issue.path.join('.') || 'record'}: ${issue.message}`);
      throw ledgerFailed(`The record ${draft.type} is not valid: ${faults.join('; ')}`);
    }
    const { value, bytes } = canonicalForm(record);
    if (bytes.length <= MAX_RECORD_BYTES) return { record: value, bytes, hash: sha256(bytes) };
    const shorter = shortenRecord(value, MAX_RECORD_BYTES);
    return { ...shorter, hash: sha256(shorter.bytes) };
  }

  /** One call for many: asking the system for 16 bytes costs as much as asking for 4,096. No byte is used twice. */
  #nonce(): string {
    if (this.#randomUsed + NONCE_BYTES > this.#random.length) {
      this.#random = randomBytes(256 * NONCE_BYTES);
      this.#randomUsed = 0;
    }
    const nonce = this.#random.toString('hex', this.#randomUsed, this.#randomUsed + NONCE_BYTES);
    this.#randomUsed += NONCE_BYTES;
    return nonce;
  }

  /** Never rejects: each record's outcome goes to its own promise. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const size = groupSize(this.#waiting);
      const group = size === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, size);
      this.#waiting = size === this.#waiting.length ? [] : this.#waiting.slice(size);
      this.#inFlight = group.length;
      try {
        const sealed = group.map((waiting) => waiting.sealed);
        const first = await this.#store.append(sealed);
        const hashes = sealed.map(({ hash }) => hash);
        this.#follower?.take(first, hashes);
        const stored = sealed.map((each, offset): StoredRecord => ({ ...each, index: first + offset }));
        for (const [offset, each] of stored.entries()) group[offset]?.resolve(each);
        for (const listener of this.#listeners) listener(stored);
      } catch (thrown) {
        const error = ledgerFailed(`${group.length} audit records could not be made durable: ${messageOf(thrown)}`, thrown);
        for (const waiting of group) waiting.reject(error);
      }
      this.#inFlight = 0;
    }
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}

/** As many as one transaction takes, without a cut between records that belong together: those wait for the next one. */
function groupSize(waiting: readonly Waiting[]): number {
  if (waiting.length <= MAX_GROUP) return waiting.length;
  let size = MAX_GROUP;
  while (waiting[size]?.tied === true) size -= 1;
  return size;
}

type Schemas = { [T in RecordType]: ReturnType<typeof recordSchema<T>> };

function compileSchemas(): Schemas {
  const entries = (Object.keys(recordBodies) as RecordType[]).map((type) => [type, recordSchema(type)] as const);
  return Object.fromEntries(entries) as Schemas;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function ledgerFailed(message: string, cause?: unknown): SallyportError {
  return new SallyportError('LEDGER_FAILED', message, {
    remedy: 'see that the disk of the data directory has space and accepts writes',
    ...(cause === undefined ? {} : { cause }),
  });
}
