import type { AuditRecord } from '../../../contract/record.ts';
import type { Database } from '../../store/database.ts';
import type { AuditedRecord, RecordCheck } from './audited-record.ts';
import { readSession } from './read-period.ts';

/** Erased records that may wait to be looked up together. */
const MOST_WAITING = 10_000;
const PAGE = 200;

/**
 * A record without bytes has to be named by an `erased` record, whose own bytes are proved like any other's. One that
 * is not was emptied by somebody else, and is a fault.
 */
export class ErasureCheck {
  records = 0;
  readonly #database: Database;
  readonly #check: RecordCheck;
  readonly #newest: number;
  readonly #waiting = new Map<string | null, number[]>();
  #count = 0;

  constructor(database: Database, check: RecordCheck, newest: number) {
    this.#database = database;
    this.#check = check;
    this.#newest = newest;
  }

  async note(index: number, session: string | null): Promise<void> {
    this.records += 1;
    const own = this.#waiting.get(session) ?? [];
    own.push(index);
    this.#waiting.set(session, own);
    this.#count += 1;
    if (this.#count >= MOST_WAITING) await this.settle();
  }

  async settle(): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#count = 0;
    for (const [session, indexes] of waiting) {
      const left = new Set(indexes);
      for await (const ranges of session === null ? this.#ofNoSession() : this.#ofSession(session)) {
        for (const index of left) if (ranges.some(([first, last]) => index >= first && index <= last)) left.delete(index);
        if (left.size === 0) break;
      }
      for (const index of left) this.#check.faults.add(`Record ${index} was emptied, and no record of an erasure names it`);
    }
  }

  async *#ofSession(session: string): AsyncGenerator<readonly (readonly [number, number])[]> {
    for await (const { record } of readSession(this.#database, session, { first: 1, last: this.#newest }, this.#check))
      if (record?.type === 'erased') yield rangesOf(record);
  }

  async *#ofNoSession(): AsyncGenerator<readonly (readonly [number, number])[]> {
    let after = 0;
    for (;;) {
      const page = await this.#database.period.ofType('erased', after, PAGE);
      for (const row of page) {
        after = row.seq;
        const { record } = (await this.#check.read(row)) satisfies AuditedRecord;
        if (record?.type === 'erased') yield rangesOf(record);
      }
      if (page.length < PAGE) return;
    }
  }
}

/** A record whose bytes were altered may say anything. */
function rangesOf({ body }: AuditRecord<'erased'>): readonly (readonly [number, number])[] {
  return Array.isArray(body.records) ? body.records.filter((range) => Array.isArray(range)) : [];
}
