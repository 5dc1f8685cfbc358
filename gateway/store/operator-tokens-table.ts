import type { Connection } from './connection.ts';
import { member, type Projection } from './projection.ts';

/**
 * The records of issue and revocation decide from when to when a token counts. Its hash stands in no record, where it
 * would be public, and so the row comes before them and is no projection: it is never made anew.
 */
export const operatorTokensProjection: Projection = {
  'credential.issued': `
    UPDATE operator_tokens SET issued = new.seq
    WHERE id = ${member('body.id')} AND ${member('body.credential')} = 'operator-token';`,
  'credential.revoked': `
    UPDATE operator_tokens SET revoked = new.seq
    WHERE id = ${member('body.id')} AND ${member('body.credential')} = 'operator-token' AND revoked IS NULL;`,
};

/** A token of a program. */
export interface OperatorTokenRow {
  readonly id: string;
  /** SHA-256 of the token. */
  readonly hash: Uint8Array;
  readonly operator: string;
  readonly roles: readonly string[];
  /** Microseconds since 1970 (UTC). */
  readonly expires: number;
}

export class OperatorTokensTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** It counts from the record `credential.issued` of this id on. */
  prepare({ id, hash, operator, roles, expires }: OperatorTokenRow): Promise<void> {
    return this.#connection.run('INSERT INTO operator_tokens (id, hash, operator, roles, expires) VALUES (?, ?, ?, ?, ?)', [
      id,
      hash,
      operator,
      JSON.stringify(roles),
      expires,
    ]);
  }

  /** Those that count after `now`. The others are forgotten: what was of them is in the records. */
  async inForce(now: number): Promise<OperatorTokenRow[]> {
    await this.#connection.run('DELETE FROM operator_tokens WHERE expires <= ? OR issued IS NULL OR revoked IS NOT NULL', [now]);
    const rows = await this.#connection.all<Omit<OperatorTokenRow, 'roles'> & { roles: string }>(
      'SELECT id, hash, operator, roles, expires FROM operator_tokens ORDER BY issued',
    );
    return rows.map((row) => ({ ...row, roles: JSON.parse(row.roles) as string[] }));
  }
}
