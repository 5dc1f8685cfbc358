import type { Actor, Resource } from '../../contract/record.ts';
import type { OpenSession, RecordedSegment, RecoveryIndex } from '../recording/recovery-index.ts';
import type { Connection } from './connection.ts';

/** What the records say of sessions that an earlier life of the gateway left behind. */
export class RecoveryTable implements RecoveryIndex {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async openSessions(): Promise<OpenSession[]> {
    const rows = await this.#connection.all<{ session: string; actor: string; target: string; openChannels: string }>(`
      SELECT s.id AS session,
             json_extract(CAST(r.bytes AS TEXT), '$.actor') AS actor,
             json_extract(CAST(r.bytes AS TEXT), '$.target') AS target,
             (SELECT json_group_array(c.channel) FROM channels c WHERE c.session = s.id AND c.closed IS NULL) AS openChannels
      FROM sessions s JOIN records r ON r.seq = s.seq
      WHERE s.state = 'live' AND r.bytes IS NOT NULL ORDER BY s.seq`);
    return rows.map((row) => ({
      session: row.session,
      actor: JSON.parse(row.actor) as Actor,
      target: JSON.parse(row.target) as Resource,
      openChannels: JSON.parse(row.openChannels) as number[],
    }));
  }

  async sealedSegments(session: string): Promise<RecordedSegment[]> {
    const body = (path: string) => `json_extract(CAST(r.bytes AS TEXT), '$.body.${path}')`;
    const end = (stream: string) => `${body(`streams.${stream}.offset`)} + ${body(`streams.${stream}.bytes`)}`;
    const rows = await this.#connection.all<Omit<RecordedSegment, 'ends'> & { i: number; o: number; e: number }>(
      `SELECT ${body('channel')} AS channel, ${body('segment')} AS segment, ${body('file')} AS file, ${body('bytes')} AS bytes, ${body('to')} AS "to",
              ${end('i')} AS i, ${end('o')} AS o, ${end('e')} AS e
       FROM records r WHERE r.session = ? AND r.type = 'segment.sealed' AND r.bytes IS NOT NULL ORDER BY r.seq`,
      [session],
    );
    return rows.map(({ i, o, e, ...segment }) => ({ ...segment, ends: { i, o, e } }));
  }
}
