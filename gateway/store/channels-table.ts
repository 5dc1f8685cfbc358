import type { ChannelRow } from '../../contract/session.ts';
import type { Connection } from './connection.ts';
import { member, microsOf, type Projection, timeOf } from './projection.ts';

const exit = `exit_status = ${member('body.exit.status')}, exit_signal = ${member('body.exit.signal')}`;

/** As in `sessions`: bytes are those of sealed segments until the close states them. */
export const channelsProjection: Projection = {
  // A channel whose kind becomes known later (a shell was asked for) is opened again with what it has become.
  'channel.open': `
    INSERT INTO channels (session, channel, kind, opened, open_seq)
    VALUES (new.session, ${member('body.channel')}, ${member('body.kind')}, new.time, new.seq)
    ON CONFLICT (session, channel) DO UPDATE SET kind = excluded.kind, open_seq = excluded.open_seq;`,
  'segment.sealed': `
    UPDATE channels
    SET bytes_i = bytes_i + ${member('body.streams.i.bytes')}, bytes_o = bytes_o + ${member('body.streams.o.bytes')},
        bytes_e = bytes_e + ${member('body.streams.e.bytes')}
    WHERE session = new.session AND channel = ${member('body.channel')} AND closed IS NULL;`,
  'channel.close': `
    UPDATE channels
    SET closed = new.time, close_seq = new.seq, ${exit},
        bytes_i = ${member('body.bytes.i')}, bytes_o = ${member('body.bytes.o')}, bytes_e = ${member('body.bytes.e')}
    WHERE session = new.session AND channel = ${member('body.channel')};`,
  'session.recovered': `
    UPDATE channels
    SET closed = ${timeOf(`${microsOf('opened')} + json_extract(r.value, '$.lastFrameAt') / 1000`)}, close_seq = new.seq
    FROM json_each(CAST(new.bytes AS TEXT), '$.body.channels') r
    WHERE session = new.session AND channel = json_extract(r.value, '$.channel') AND closed IS NULL;`,
  erased: 'DELETE FROM channels WHERE session = new.session;',
};

interface Columns {
  session: string;
  channel: number;
  kind: string;
  detail: string | null;
  opened: string;
  closed: string | null;
  exit_status: number | null;
  exit_signal: string | null;
  bytes_i: number;
  bytes_o: number;
  bytes_e: number;
  reason: string | null;
}

export class ChannelsTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** In the order in which they opened. */
  async ofSession(session: string): Promise<ChannelRow[]> {
    const rows = await this.#connection.all<Columns>('SELECT * FROM channel_rows WHERE session = ? ORDER BY channel', [session]);
    return rows.map(channelRow);
  }

  async one(session: string, channel: number): Promise<ChannelRow | undefined> {
    const row = await this.#connection.get<Columns>('SELECT * FROM channel_rows WHERE session = ? AND channel = ?', [session, channel]);
    return row && channelRow(row);
  }

  /** Channels with neither a close nor a recovery, in any session. */
  async open(): Promise<ChannelRow[]> {
    const rows = await this.#connection.all<Columns>('SELECT * FROM channel_rows WHERE closed IS NULL ORDER BY session, channel');
    return rows.map(channelRow);
  }
}

function channelRow(row: Columns): ChannelRow {
  const exited = row.exit_status !== null || row.exit_signal !== null;
  return {
    session: row.session,
    channel: row.channel,
    kind: row.kind,
    detail: JSON.parse(row.detail ?? '{}') as Record<string, unknown>,
    opened: row.opened,
    closed: row.closed,
    exit: exited
      ? {
          ...(row.exit_status === null ? {} : { status: row.exit_status }),
          ...(row.exit_signal === null ? {} : { signal: row.exit_signal }),
        }
      : null,
    bytes: { i: row.bytes_i, o: row.bytes_o, e: row.bytes_e },
    reason: row.reason,
  };
}
