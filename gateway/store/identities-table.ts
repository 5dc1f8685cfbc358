import type { AuditRecord } from '../../contract/record.ts';
import type { Connection } from './connection.ts';
import { member, type Projection } from './projection.ts';

/** Where the record stands that says last what is known of somebody. What it says is read from there. */
export const identitiesProjection: Projection = {
  'identity.changed': `
    INSERT INTO identities (principal, seq) VALUES (${member('body.principal')}, new.seq)
    ON CONFLICT (principal) DO UPDATE SET seq = excluded.seq;`,
};

/** Somebody as the last record about them has them. */
export type KnownIdentity = AuditRecord<'identity.changed'>['body'];

const PAGE = 1000;

export class IdentitiesTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Everybody of whom something is on record, also those who are removed, by name and in pages. */
  async *all(): AsyncGenerator<readonly KnownIdentity[]> {
    let after = '';
    for (;;) {
      const rows = await this.#connection.all<{ principal: string; body: string }>(
        `SELECT i.principal, json_extract(CAST(r.bytes AS TEXT), '$.body') AS body
         FROM identities i JOIN records r ON r.seq = i.seq
         WHERE i.principal > ? AND r.bytes IS NOT NULL ORDER BY i.principal LIMIT ?`,
        [after, PAGE],
      );
      yield rows.map(({ body }) => JSON.parse(body) as KnownIdentity);
      after = rows.at(-1)?.principal ?? after;
      if (rows.length < PAGE) return;
    }
  }
}
