import type { AuditRecord } from '../../../contract/record.ts';
import { fault, notice, type Report } from './finding.ts';

/** A key of the ledger, from the record on that names it. */
export interface LedgerKeyPeriod {
  /** Of its `ledger.created` or `key.rotated`. */
  index: number;
  /** C2SP verifier key. */
  key: string;
  origin: string;
}

/** The keys that the records name, one after the other. They are what the ledger says of itself: an auditor's own key counts more. */
export class KeyHistory {
  readonly #report: Report;
  readonly periods: LedgerKeyPeriod[] = [];

  constructor(report: Report) {
    this.#report = report;
  }

  take(index: number, record: AuditRecord): void {
    const last = this.periods.at(-1);
    if (record.type === 'ledger.created') {
      const { origin, key, taken } = record.body;
      if (last !== undefined)
        this.#report(fault('inconsistent', { index }, `The ledger is created a second time; record ${last.index} created it before`));
      if (taken > index)
        this.#report(
          fault('inconsistent', { index }, `The ledger says that it took over ${taken} older records, and only ${index} stand before it`),
        );
      else if (taken > 0)
        this.#report(
          notice(
            'unproven',
            { index: 0, last: taken - 1 },
            `These ${taken} records are older than the ledger: it proves that they are what they were when it was created`,
          ),
        );
      this.periods.push({ index, key, origin });
    } else if (record.type === 'key.rotated') {
      const { origin, previous, next, endorsed } = record.body;
      if (last !== undefined && (last.key !== previous || last.origin !== origin))
        this.#report(fault('inconsistent', { index }, `The key is changed from ${previous}, and the key before it was ${last.key}`));
      this.#report(
        notice(
          'key',
          { index },
          `The key of the ledger was changed from ${previous} to ${next}, ${endorsed ? 'and the former key signs the next checkpoint too' : 'without the former key: nothing but this record says that the new key is the right one'}`,
        ),
      );
      this.periods.push({ index, key: next, origin });
    }
  }
}
