import type { AuditRecord } from '../../../contract/record.ts';
import { SallyportError } from '../../base/errors.ts';
import type { Database } from '../../store/database.ts';
import type { DisclosedRange } from '../../store/disclosure-table.ts';
import { readRecord } from '../verify/record-form.ts';
import type { Selection } from './selection.ts';

/** A record that a bundle discloses; one without `bytes` was erased, and only its hash is left. */
export interface DisclosedRecord {
  /** In the ledger, from 0. */
  index: number;
  /** SHA-256 of the record's bytes, hexadecimal: its entry in the ledger. */
  hash: string;
  session: string | null;
  /** Canonical JSON, exactly as it was hashed. */
  bytes: Buffer | undefined;
}

const PAGE = 1000;

/**
 * All records of the selected sessions, and those of no session within the range: what the gateway itself did, refusals,
 * configurations, keys, holds, erasures. In the order of the ledger.
 */
export async function* disclosedRecords(database: Database, selection: Selection): AsyncGenerator<DisclosedRecord> {
  const range = rangeOf(selection);
  for (let after = selection.first - 1; ; ) {
    const page = await database.disclosure.records(range, after, PAGE);
    for (const row of page) {
      after = row.seq;
      yield {
        index: row.seq - 1,
        hash: Buffer.from(row.hash).toString('hex'),
        session: row.session,
        bytes: row.bytes === null ? undefined : Buffer.from(row.bytes),
      };
    }
    if (page.length < PAGE) return;
  }
}

/**
 * Throws EXPORT_FAILED when records were erased since they were disclosed: the bundle would contradict itself, and hold
 * what was to be forgotten.
 */
export async function requireUnerased(database: Database, selection: Selection, disclosed: number): Promise<void> {
  if ((await database.disclosure.kept(rangeOf(selection), selection.first - 1)) === disclosed) return;
  throw new SallyportError('EXPORT_FAILED', 'Records were erased while the bundle was written', { remedy: 'run the export again' });
}

function rangeOf({ sessions, last, lastOfNone }: Selection): DisclosedRange {
  return { sessions: JSON.stringify(sessions.map(({ row }) => row.id)), until: last, untilOfNone: lastOfNone };
}

/**
 * What a record says; undefined for a type that only a newer version knows. Throws EXPORT_FAILED for bytes that are no
 * record: nobody should take a bundle of a ledger that was tampered with for the answer to a question.
 */
export function parseDisclosed(index: number, bytes: Uint8Array): AuditRecord | undefined {
  const form = readRecord(bytes);
  if (form.state === 'record') return form.record;
  if (form.state === 'newer') return undefined;
  throw new SallyportError('EXPORT_FAILED', `Record ${index} of the ledger is damaged: ${form.why}`, {
    remedy: 'sallyport verify says what else is wrong; restore the database from a backup, or leave the session out',
  });
}
