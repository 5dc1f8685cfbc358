import type { Connection } from './connection.ts';
import { member, type Projection } from './projection.ts';

const document = member('body.request.document');

export const erasuresProjection: Projection = {
  erased: `
    INSERT INTO erasures (seq, session, part, parts, nonce)
    VALUES (new.seq, new.session, ${member('body.part')}, ${member('body.parts')}, CASE WHEN json_valid(${document}) THEN json_extract(${document}, '$.nonce') END);`,
};

/** An `erased` record, and whether everything that it promises is done. */
export interface ErasureRow {
  seq: number;
  session: string | null;
  part: number;
  parts: number;
}

export class ErasuresTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Promised and not known to be done, the oldest first, after `seq`. */
  unfinished(after: number, limit: number): Promise<ErasureRow[]> {
    return this.#connection.all<ErasureRow>(
      'SELECT seq, session, part, parts FROM erasures WHERE finished = 0 AND seq > ? ORDER BY seq LIMIT ?',
      [after, limit],
    );
  }

  /** Whether an erasure on record was asked for by the request with this nonce. */
  async isRequested(nonce: string): Promise<boolean> {
    return (await this.#connection.get('SELECT 1 FROM erasures WHERE nonce = ? LIMIT 1', [nonce])) !== undefined;
  }

  finish(seqs: readonly number[]): Promise<void> {
    return this.#connection.run('UPDATE erasures SET finished = 1 WHERE seq IN (SELECT value FROM json_each(?))', [JSON.stringify(seqs)]);
  }
}
