import { hash } from 'node:crypto';
import type { AuditRecord } from '../../../contract/record.ts';
import type { RecordRow } from '../../store/records-table.ts';
import type { AuthenticTiles } from './authentic-tiles.ts';

/** A record as an answer rests on it. */
export interface AuditedRecord {
  /** Index in the ledger, from 0. */
  index: number;
  time: string;
  type: string;
  session: string | null;
  /** Undefined once it is erased: then only the members above are known, and nothing proves them. */
  record: AuditRecord | undefined;
}

/** What was found wrong with the records that were read. Named faults are few; beyond that they are counted. */
export class Faults {
  readonly named: string[] = [];
  count = 0;

  add(words: string): void {
    this.count += 1;
    if (this.named.length < MOST_NAMED) this.named.push(words);
  }
}

const MOST_NAMED = 100;

/**
 * Compares every record with its hash, its hash with the ledger, and the columns it was found by with what its bytes
 * say. What is wrong is a fault of the answer, and the record is used as its bytes are: leaving it out would hide it.
 */
export class RecordCheck {
  readonly faults: Faults;
  readonly #tiles: AuthenticTiles | undefined;
  #ledgerFailed = false;

  constructor(tiles: AuthenticTiles | undefined, faults: Faults) {
    this.#tiles = tiles;
    this.faults = faults;
  }

  async read(row: RecordRow): Promise<AuditedRecord> {
    const index = row.seq - 1;
    await this.#compareWithLedger(index, row.hash);
    const { time, type, session, bytes } = row;
    if (bytes === null) return { index, time, type, session, record: undefined };
    if (Buffer.compare(hash('sha256', bytes, 'buffer'), row.hash) !== 0)
      this.faults.add(`Record ${index} was altered: its bytes are not those of its hash`);
    const record = this.#parse(index, bytes);
    if (record === undefined) return { index, time, type, session, record: undefined };
    for (const [name, column, said] of [
      ['id', row.id, record.id],
      ['time', time, record.time],
      ['type', type, record.type],
      ['session', session, record.session ?? null],
    ] as const) {
      if (column !== said)
        this.faults.add(`Record ${index} is not where it belongs: the database has another ${name} for it than it says itself`);
    }
    return { index, time: record.time, type: record.type, session: record.session ?? null, record };
  }

  async #compareWithLedger(index: number, entry: Uint8Array): Promise<void> {
    if (this.#tiles === undefined || index >= this.#tiles.size || this.#ledgerFailed) return;
    try {
      if (!(await this.#tiles.has(index, entry))) this.faults.add(`Record ${index} was altered: the ledger has another hash at its place`);
    } catch (thrown) {
      // Said once: what follows can't be compared with a ledger that does not hold together.
      this.#ledgerFailed = true;
      this.faults.add(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  #parse(index: number, bytes: Uint8Array): AuditRecord | undefined {
    try {
      const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
      if (isRecord(value)) return value;
    } catch {
      // Not JSON: told in the line below.
    }
    this.faults.add(`Record ${index} cannot be read: its bytes are no record`);
    return undefined;
  }
}

/** Enough to read members without stumbling; that its hash is in the ledger is what says that a gateway wrote it. */
function isRecord(value: unknown): value is AuditRecord {
  if (!isObject(value)) return false;
  const { id, time, type, outcome, actor, target, body, session } = value;
  return (
    [id, time, type, outcome].every((member) => typeof member === 'string') &&
    (session === undefined || typeof session === 'string') &&
    isObject(actor) &&
    typeof actor.principal === 'string' &&
    isObject(target) &&
    typeof target.name === 'string' &&
    isObject(body)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
