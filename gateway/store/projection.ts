import type { RecordType } from '../../contract/record.ts';

/** What a record of a type does to a table: SQL statements over `new`, the row of `records` that arrives. */
export type Projection = Readonly<Partial<Record<RecordType, string>>>;

/** SQL for a member of the arriving record, for example `member('body.channel')`. Objects come as JSON text. */
export function member(path: string): string {
  return `json_extract(CAST(new.bytes AS TEXT), '$.${path}')`;
}

/** SQL for microseconds since the epoch of a record's time, which has exactly six fractional digits. */
export function microsOf(time: string): string {
  return `(unixepoch(substr(${time}, 1, 19)) * 1000000 + CAST(substr(${time}, 21, 6) AS INTEGER))`;
}

/** The inverse of `microsOf`. */
export function timeOf(micros: string): string {
  return `(strftime('%Y-%m-%dT%H:%M:%S', (${micros}) / 1000000, 'unixepoch') || printf('.%06dZ', (${micros}) % 1000000))`;
}
