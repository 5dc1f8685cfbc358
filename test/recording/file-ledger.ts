import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { AuditRecord } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records, type SealedRecord } from '../../gateway/ledger/records.ts';
import { MemoryLedger } from './support.ts';

/** Records as lines of a file: they survive the death of the process that appended them. */
export class FileLedger extends MemoryLedger {
  readonly #path: string;
  override readonly records: Records;

  constructor(path: string) {
    super();
    this.#path = path;
    if (existsSync(path)) {
      // A line that was being written when the process died was never acknowledged.
      for (const line of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
        const record = JSON.parse(line) as AuditRecord;
        this.stored.push({ record, bytes: Buffer.from(line), hash: new Uint8Array(32), index: this.stored.length });
      }
    }
    this.records = new Records({ append: (records) => this.#append(records) }, systemClock, 'test');
  }

  async #append(records: readonly SealedRecord[]): Promise<number> {
    appendFileSync(this.#path, records.map(({ record }) => `${JSON.stringify(record)}\n`).join(''));
    const first = this.stored.length;
    for (const [offset, sealed] of records.entries()) this.stored.push({ ...sealed, index: first + offset });
    return first;
  }
}
