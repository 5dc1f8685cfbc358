import type { AuditRecord, RecordType } from '../../contract/record.ts';
import { Database } from '../../gateway/store/database.ts';
import { until } from './wait.ts';

/** Every record of a type, the oldest first; works while the gateway runs. */
export async function recordsOf<T extends RecordType>(data: string, type: T): Promise<AuditRecord<T>[]> {
  const database = await Database.openForReading(data);
  try {
    const found: AuditRecord<T>[] = [];
    let after = 0;
    for (let rows = await database.records.after(after, 1000); rows.length > 0; rows = await database.records.after(after, 1000)) {
      after = rows.at(-1)?.seq ?? after;
      for (const row of rows)
        if (row.type === type && row.bytes !== null) found.push(JSON.parse(Buffer.from(row.bytes).toString()) as AuditRecord<T>);
    }
    return found;
  } finally {
    await database.close();
  }
}

/** The first record of a type that fits, now or soon. */
export function recordedAs<T extends RecordType>(
  data: string,
  type: T,
  fits: (record: AuditRecord<T>) => boolean,
): Promise<AuditRecord<T>> {
  return until(`a record ${type} that fits`, async () => (await recordsOf(data, type)).find(fits));
}
