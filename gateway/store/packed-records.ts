import type { SealedRecord } from '../ledger/records.ts';
import type { SqlValue } from './connection.ts';

/*
 * A group of records as four parameters of one statement, whatever its size. Six parameters a record would cost more than
 * everything that SQLite does with them: each crosses from JavaScript by itself, and the statement has to be prepared anew
 * for every size of a group. All that has a fixed width stands side by side in one blob, where `substr` finds it
 * without searching; it is plain ASCII. Hashes and bytes follow in blobs of their own.
 */
const ID = 36;
const TIME = 27;
const SESSION = 36;
const TYPE = 32;
const OFFSET = 10;
const LENGTH = 6;
const WIDTH = ID + TIME + SESSION + TYPE + OFFSET + LENGTH;

/** `seq` goes on after the last one there is, without a gap: it is the place in the ledger. */
export const INSERT_PACKED = `
  WITH RECURSIVE
    place(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM place WHERE i + 1 < ?1),
    next(seq) AS MATERIALIZED (SELECT coalesce(max(seq), 0) + 1 FROM records)
  INSERT INTO records (seq, id, time, type, session, hash, bytes)
  SELECT next.seq + i, ${text(0, ID)}, ${text(ID, TIME)}, rtrim(${text(ID + TIME + SESSION, TYPE)}), nullif(rtrim(${text(ID + TIME, SESSION)}), ''),
         substr(?3, i * 32 + 1, 32), substr(?4, ${number(WIDTH - LENGTH - OFFSET, OFFSET)} + 1, ${number(WIDTH - LENGTH, LENGTH)})
  FROM place, next`;

/** Values for `INSERT_PACKED`. Throws RangeError for a record whose parts do not have the widths of their columns. */
export function packRecords(records: readonly SealedRecord[]): SqlValue[] {
  let fixed = '';
  let offset = 0;
  for (const { record, bytes } of records) {
    const { id, time, type, session = '' } = record;
    fixed += id + time + session.padEnd(SESSION) + type.padEnd(TYPE) + digits(offset, OFFSET) + digits(bytes.length, LENGTH);
    offset += bytes.length;
  }
  const packed = Buffer.from(fixed, 'latin1');
  const hashes = Buffer.concat(records.map(({ hash }) => hash));
  if (packed.length !== records.length * WIDTH || hashes.length !== records.length * 32) throw new RangeError('a record cannot be packed');
  return [records.length, packed, hashes, Buffer.concat(records.map(({ bytes }) => bytes))];
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function text(offset: number, width: number): string {
  return `CAST(substr(?2, i * ${WIDTH} + ${offset + 1}, ${width}) AS TEXT)`;
}

function number(offset: number, width: number): string {
  return `CAST(${text(offset, width)} AS INTEGER)`;
}
