import type { SessionRow } from '../../../contract/session.ts';

const COLUMNS = [
  'session',
  'in_this_bundle',
  'state',
  'started',
  'ended',
  'principal',
  'principal_kind',
  'on_behalf_of',
  'target',
  'protocol',
  'source',
  'channels',
  'bytes_in',
  'bytes_out',
  'reason',
  'first_index',
  'last_index',
  'records',
  'note',
] as const;

export interface PopulationRow {
  session: SessionRow;
  /** Indexes in the ledger. */
  firstIndex: number;
  lastIndex: number;
  records: number;
  note: string;
}

/** The sessions that answer the question as CSV (RFC 4180), one a line; those that were left out by name and reason only. */
export function* populationCsv(rows: Iterable<PopulationRow>, leftOut: readonly { session: string; reason: string }[]): Generator<string> {
  yield csvLine(COLUMNS);
  for (const { session, firstIndex, lastIndex, records, note } of rows) {
    yield csvLine([
      session.id,
      'yes',
      session.state,
      session.started,
      session.ended ?? '',
      session.principal,
      session.principalKind,
      session.onBehalfOf ?? '',
      session.target,
      session.protocol,
      session.source,
      session.channels,
      session.bytesIn,
      session.bytesOut,
      session.reason ?? '',
      firstIndex,
      lastIndex,
      records,
      note,
    ]);
  }
  for (const { session, reason } of leftOut) yield csvLine([session, 'no', ...Array<string>(COLUMNS.length - 3).fill(''), reason]);
}

function csvLine(values: readonly (string | number)[]): string {
  return `${values.map((value) => csvField(String(value))).join(',')}\r\n`;
}

/**
 * Spreadsheets take a field that begins with one of these for a formula, and a name in here may be an attacker's: an
 * apostrophe in front makes it text (OWASP, CSV injection). Quotes alone do not help.
 */
function csvField(value: string): string {
  const text = /^[=+\-@\t\r\n|%]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
