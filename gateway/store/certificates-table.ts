import type { Connection } from './connection.ts';
import { member, type Projection } from './projection.ts';

const isCertificate = `${member('body.credential')} = 'ssh-certificate'`;

/** Certificates of the gateway's own authority. Whose they are stands in the records and nowhere else. */
export const certificatesProjection: Projection = {
  'credential.issued': `
    INSERT INTO certificates (serial, seq, valid_to)
    SELECT ${member('body.id')}, new.seq, ${member('body.validTo')} WHERE ${isCertificate}
    ON CONFLICT DO NOTHING;`,
  'credential.revoked': `
    UPDATE certificates SET revoked = new.time WHERE serial = ${member('body.id')} AND revoked IS NULL AND ${isCertificate};`,
};

export class CertificatesTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Serial numbers of those that are revoked and would else be good after this time (ISO 8601 with microseconds). */
  async revoked(after: string): Promise<string[]> {
    const rows = await this.#connection.all<{ serial: string }>(
      'SELECT serial FROM certificates WHERE revoked IS NOT NULL AND valid_to > ?',
      [after],
    );
    return rows.map(({ serial }) => serial);
  }

  /** When one ends; undefined when no such certificate was issued. */
  async validTo(serial: string): Promise<string | undefined> {
    const row = await this.#connection.get<{ validTo: string }>('SELECT valid_to AS validTo FROM certificates WHERE serial = ?', [serial]);
    return row?.validTo;
  }
}
