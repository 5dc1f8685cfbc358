import type { AuditRecord } from '../../contract/record.ts';
import type { Connection } from './connection.ts';
import { member, type Projection } from './projection.ts';

const happened = `${member('outcome')} = 'success'`;

/** Which records added the keys that are registered. Whose they are, and which, stands in those and nowhere else. */
export const operatorKeysProjection: Projection = {
  'operator.key': `
    INSERT INTO operator_keys (seq) SELECT new.seq WHERE ${happened} AND ${member('body.change')} = 'added';
    DELETE FROM operator_keys WHERE ${happened} AND ${member('body.change')} = 'removed' AND seq IN (
      SELECT k.seq FROM main.operator_keys k JOIN main.records r ON r.seq = k.seq
      WHERE json_extract(CAST(r.bytes AS TEXT), '$.body.fingerprint') = ${member('body.fingerprint')});`,
};

/** A key as the record has it that added it. */
export type RegisteredKeyRow = Pick<AuditRecord<'operator.key'>['body'], 'operator' | 'key' | 'fingerprint' | 'label'> & {
  readonly since: string;
};

export class OperatorKeysTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Those that were not removed, the oldest first. */
  async registered(): Promise<RegisteredKeyRow[]> {
    const rows = await this.#connection.all<{ time: string; body: string }>(
      `SELECT r.time, json_extract(CAST(r.bytes AS TEXT), '$.body') AS body
       FROM operator_keys k JOIN records r ON r.seq = k.seq WHERE r.bytes IS NOT NULL ORDER BY k.seq`,
    );
    return rows.map(({ time, body }) => {
      const { operator, key, fingerprint, label } = JSON.parse(body) as AuditRecord<'operator.key'>['body'];
      return { operator, key, fingerprint, label, since: time };
    });
  }
}
