import type { Connection } from './connection.ts';
import { COUNTED_SINCE } from './migrations.ts';

/*
 * What sessions and channels are to a reader: the projections, with what only the records say of people. Views of the
 * connection itself, so that a database of an older version, which a reader must not change, reads like any other.
 */

const ABANDONED = "'the gateway stopped without closing it'";

const said = (record: string, path: string) => `json_extract(CAST(${record}.bytes AS TEXT), '$.${path}')`;

const counts = ', s.actions, s.asked, s.denied, s.break_glass AS breakGlass, s.supervised, s.terminated, s.hidden, s.review';

const sessionRows = (version: number) => `
  SELECT s.seq, s.id, s.started, s.ended, s.state, p.name AS principal, ${said('o', 'actor.kind')} AS principalKind,
         b.name AS onBehalfOf, s.target, s.protocol, ${said('o', 'actor.source')} AS source, s.channels,
         s.bytes_in AS bytesIn, s.bytes_out AS bytesOut,
         CASE e.type WHEN 'session.recovered' THEN ${ABANDONED} ELSE ${said('e', 'body.reason')} END AS reason
         ${version < COUNTED_SINCE ? '' : counts}
  FROM main.sessions s
  LEFT JOIN main.names p ON p.id = s.principal
  LEFT JOIN main.names b ON b.id = s.on_behalf_of
  LEFT JOIN main.records o ON o.seq = s.seq AND s.state <> 'erased'
  LEFT JOIN main.records e ON e.seq = s.end_seq`;

const channelRows = `
  SELECT c.session, c.channel, c.kind, ${said('o', 'body.detail')} AS detail, c.opened, c.closed, c.exit_status, c.exit_signal,
         c.bytes_i, c.bytes_o, c.bytes_e,
         CASE e.type WHEN 'session.recovered' THEN ${ABANDONED} ELSE ${said('e', 'body.reason')} END AS reason
  FROM main.channels c
  LEFT JOIN main.records o ON o.seq = c.open_seq
  LEFT JOIN main.records e ON e.seq = c.close_seq`;

const ofVersion1 = `
  CREATE TEMP VIEW session_rows AS
  SELECT seq, id, started, ended, state, principal, principal_kind AS principalKind, on_behalf_of AS onBehalfOf, target, protocol, source, channels,
         bytes_in AS bytesIn, bytes_out AS bytesOut, reason
  FROM main.sessions;
  CREATE TEMP VIEW channel_rows AS SELECT * FROM main.channels;
  CREATE TEMP TABLE holds (id, seq, time, principal, scope, reason, cleared, cleared_by, clear_reason);
  CREATE TEMP TABLE erasures (seq, session, part, parts, nonce, finished);`;

/** To be called once on every connection that reads sessions, with the version of the database. */
export function createReadViews(connection: Connection, version: number): Promise<void> {
  if (version === 1) return connection.exec(ofVersion1);
  return connection.exec(`CREATE TEMP VIEW session_rows AS ${sessionRows(version)}; CREATE TEMP VIEW channel_rows AS ${channelRows};`);
}
