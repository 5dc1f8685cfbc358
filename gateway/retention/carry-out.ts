import { recordSchema } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import type { Database } from '../store/database.ts';
import type { ErasureRow } from '../store/erasures-table.ts';
import { type IndexRange, readRecord } from './plan-erasure.ts';
import type { MadeOfRecordings } from './retention.ts';
import { deleteFiles } from './session-files.ts';

/** Records that one transaction takes the bytes from. */
const RECORDS_AT_ONCE = 500;

const schema = recordSchema('erased');

/**
 * Does what an `erased` record says: takes the bytes from its records, deletes its files. May be done again, also where
 * it was cut off in the middle. `now` is wall clock microseconds. Returns the bytes of the files that it deleted.
 */
export async function carryOut(
  { database, made }: { readonly database: Database; readonly made: MadeOfRecordings },
  { seq, session }: Pick<ErasureRow, 'seq' | 'session'>,
  now: number,
): Promise<number> {
  const [row] = await database.records.after(seq - 1, 1);
  if (row === undefined || row.seq !== seq || row.bytes === null) throw contradicted(seq, 'it is not there');
  // Its bytes are compared with its hash first: a record that somebody altered decides nothing.
  const read = schema.safeParse(readRecord({ ...row, bytes: row.bytes }));
  if (!read.success || (read.data.session ?? null) !== session)
    throw contradicted(seq, 'it does not say what the database says that it does');
  const { files, records } = read.data.body;
  if (session === null && files.length > 0) throw contradicted(seq, 'it names files and no session');
  if (!areInOrder(records, seq - 2)) throw contradicted(seq, 'its ranges of records are not in order, or go beyond itself');
  // Records first: whoever verifies meanwhile sees that the session is erased before its files are missing.
  for (const ranges of groups(records)) await database.records.erase(session, ranges);
  if (session === null) return 0;
  const names = files.map(({ file }) => file);
  let bytes = 0;
  try {
    await made.forget(session);
  } finally {
    // Whatever keeps what was made of it from going, the recording goes.
    bytes = await deleteFiles(database.directory, session, names, now);
  }
  return bytes;
}

function areInOrder(ranges: readonly IndexRange[], limit: number): boolean {
  let before = -1;
  for (const [first, last] of ranges) {
    if (first <= before || last < first) return false;
    before = last;
  }
  return before <= limit;
}

/** As ranges of `seq`, which is the index plus one, in groups of a bounded number of records. */
function* groups(ranges: readonly IndexRange[]): Generator<[number, number][]> {
  let group: [number, number][] = [];
  let records = 0;
  for (const [first, last] of ranges) {
    for (let from = first; from <= last; ) {
      const to = Math.min(last, from + RECORDS_AT_ONCE - records - 1);
      group.push([from + 1, to + 1]);
      records += to - from + 1;
      from = to + 1;
      if (records < RECORDS_AT_ONCE) continue;
      yield group;
      group = [];
      records = 0;
    }
  }
  if (group.length > 0) yield group;
}

function contradicted(seq: number, what: string): SallyportError {
  return new SallyportError('LEDGER_DAMAGED', `The record ${seq - 1} of an erasure cannot be followed: ${what}`, {
    remedy: 'sallyport verify says what else is wrong; nothing was deleted',
  });
}
