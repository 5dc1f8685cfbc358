import type { AuditRecord } from '../../contract/record.ts';
import type { Database } from '../store/database.ts';

/** A record with its place in the ledger and the SHA-256 of its bytes in hexadecimal. */
export interface SessionRecord {
  seq: number;
  hash: string;
  type: string;
  time: string;
  /** Null once it is erased: then only what stands here is known of it. */
  record: AuditRecord | null;
}

const PAGE = 500;

/** A session's records in the order of the ledger. */
export async function* sessionRecords(database: Database, session: string): AsyncGenerator<SessionRecord> {
  let after = 0;
  for (;;) {
    const page = await database.records.ofSession(session, after, PAGE);
    for (const row of page) {
      after = row.seq;
      yield {
        seq: row.seq,
        hash: Buffer.from(row.hash).toString('hex'),
        type: row.type,
        time: row.time,
        record: row.bytes === null ? null : (JSON.parse(Buffer.from(row.bytes).toString('utf8')) as AuditRecord),
      };
    }
    if (page.length < PAGE) return;
  }
}
