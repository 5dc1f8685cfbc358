import type { Database } from '../../store/database.ts';
import type { SeqRange } from '../../store/period-index.ts';
import type { RecordRow } from '../../store/records-table.ts';
import type { AuditedRecord, RecordCheck } from './audited-record.ts';
import { isInPeriod, type Period } from './question.ts';

const PAGE = 1000;

/**
 * The part of the ledger that holds the period, without a hole in it. That nothing of the period lies just outside is
 * seen by reading the records at both edges: should one of them be of the period, the range grows until none is.
 */
export async function rangeOfPeriod(database: Database, period: Period, newest: number, check: RecordCheck): Promise<SeqRange> {
  const range = await database.period.range(idAt(period.from, 'first'), idAt(period.to, 'end'), newest);
  const isOf = async (seq: number): Promise<boolean> => {
    const [row] = await database.records.after(seq - 1, 1);
    if (row?.seq !== seq) return false; // Its absence is told by whoever counts.
    const inside = isInPeriod((await check.read(row)).time, period);
    if (inside) check.faults.add(`Record ${seq - 1} is of the period, and the database's index does not say so`);
    return inside;
  };
  while (range.first > 1 && (await isOf(range.first - 1))) range.first -= 1;
  while (range.last < newest && (await isOf(range.last + 1))) range.last += 1;
  return range;
}

/** Every record of a range, each checked, while the next ones are fetched. A number that is missing is a fault. */
export async function* readRange(database: Database, range: SeqRange, check: RecordCheck): AsyncGenerator<AuditedRecord> {
  const fetch = (first: number): Promise<RecordRow[]> => {
    if (first > range.last) return Promise.resolve([]);
    const page = database.records.after(first - 1, Math.min(PAGE, range.last - first + 1));
    page.catch(() => undefined); // Whoever awaits it is told.
    return page;
  };
  let expected = range.first;
  let fetching = fetch(expected);
  try {
    while (expected <= range.last) {
      const page = (await fetching).filter(({ seq }) => seq <= range.last);
      const last = page.at(-1)?.seq;
      if (last === undefined) break;
      fetching = fetch(last + 1);
      for (const row of page) {
        missing(expected, row.seq - 1, check);
        expected = row.seq + 1;
        yield await check.read(row);
      }
    }
  } finally {
    await fetching; // A reader that stops early leaves no query behind.
  }
  missing(expected, range.last, check);
}

/** A session's records in a range. */
export async function* readSession(
  database: Database,
  session: string,
  range: SeqRange,
  check: RecordCheck,
): AsyncGenerator<AuditedRecord> {
  let after = range.first - 1;
  for (;;) {
    const page: RecordRow[] = await database.records.ofSession(session, after, PAGE);
    for (const row of page) {
      if (row.seq > range.last) return;
      after = row.seq;
      yield await check.read(row);
    }
    if (page.length < PAGE) return;
  }
}

function missing(from: number, to: number, check: RecordCheck): void {
  if (from === to) check.faults.add(`Record ${from - 1} is missing`);
  else if (from < to) check.faults.add(`Records ${from - 1} to ${to - 1} are missing`);
}

/**
 * The beginning of the ids (UUIDv7, RFC 9562 section 5.7) of a time's millisecond, or of the one behind it where the
 * end of a period is within a millisecond.
 */
function idAt(time: string | undefined, edge: 'first' | 'end'): string | undefined {
  if (time === undefined) return undefined;
  const millis = Math.max(0, Date.parse(`${time.slice(0, 23)}Z`));
  const within = edge === 'end' && time.slice(23, 26) !== '000';
  const hex = (millis + (within ? 1 : 0)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
