import type { SessionRow, SessionState } from '../../contract/session.ts';
import type { Connection, SqlValue } from './connection.ts';
import { member, microsOf, type Projection, timeOf } from './projection.ts';

/** A session's row, with its place in the ledger, by which lists are paged. */
export interface StoredSession extends SessionRow {
  seq: number;
}

export interface SessionFilter {
  /** This one alone; only these. */
  session?: string;
  among?: readonly string[];
  /** Started at or after / before this time, in the form of records (ISO 8601 UTC with microseconds). */
  from?: string;
  to?: string;
  principal?: string;
  onBehalfOf?: string;
  target?: string;
  protocol?: string;
  state?: SessionState;
  /** Text in the principal, who it acts for, the target, or a channel's command; case does not matter. */
  text?: string;
  /** Sessions opened before the one with this `seq`. */
  before?: number;
}

const asErased = `state = 'erased', principal = '', principal_kind = 'unknown', on_behalf_of = NULL, source = '', bytes_in = 0, bytes_out = 0`;

/** Bytes of a session that has no close yet are those of its sealed segments; its close states them exactly. */
export const sessionsProjection: Projection = {
  'session.open': `
    INSERT INTO sessions (seq, id, started, state, principal, principal_kind, on_behalf_of, target, target_kind, protocol, source)
    VALUES (new.seq, new.session, new.time, 'live', ${member('actor.principal')}, ${member('actor.kind')}, ${member('actor.onBehalfOf')},
            ${member('target.name')}, ${member('target.kind')}, ${member('body.protocol')}, ${member('actor.source')})
    ON CONFLICT DO NOTHING;`,
  'channel.open': `
    UPDATE sessions SET channels = max(channels, ${member('body.channel')} + 1) WHERE id = new.session;`,
  'segment.sealed': `
    UPDATE sessions
    SET bytes_in = bytes_in + ${member('body.streams.i.bytes')},
        bytes_out = bytes_out + ${member('body.streams.o.bytes')} + ${member('body.streams.e.bytes')}
    WHERE id = new.session AND ended IS NULL;`,
  'session.close': `
    UPDATE sessions
    SET ended = new.time, reason = ${member('body.reason')}, channels = ${member('body.channels')},
        bytes_in = ${member('body.bytes.i')}, bytes_out = ${member('body.bytes.o')} + ${member('body.bytes.e')},
        state = CASE state WHEN 'recovered' THEN state ELSE 'closed' END
    WHERE id = new.session;`,
  // It ended, as far as anybody knows, with the last frame of its channels.
  'session.recovered': `
    UPDATE sessions
    SET state = 'recovered',
        reason = coalesce(reason, 'the gateway stopped without closing it'),
        ended = coalesce(ended, (
          SELECT ${timeOf(`max(${microsOf('c.opened')} + json_extract(r.value, '$.lastFrameAt') / 1000)`)}
          FROM json_each(CAST(new.bytes AS TEXT), '$.body.channels') r
          JOIN channels c ON c.session = new.session AND c.channel = json_extract(r.value, '$.channel')
        ), started)
    WHERE id = new.session;`,
  // From here on only what `remains` says is known. Its target is the record's own.
  erased: `
    UPDATE sessions
    SET ${asErased}, target = ${member('target.name')}, target_kind = ${member('target.kind')},
        started = coalesce(${member('body.remains.started')}, started), ended = coalesce(${member('body.remains.ended')}, started),
        protocol = ${member('body.remains.protocol')}, channels = ${member('body.remains.channels')}, reason = ${member('body.reason')}
    WHERE id = new.session AND ${member('body.remains')} IS NOT NULL;`,
};

/** For a session whose `session.open` is erased: its `erased` record comes later in the ledger and completes the row. */
export const erasedSessionOpen = `
    INSERT INTO sessions (seq, id, started, state, principal, principal_kind, target, target_kind, protocol, source)
    VALUES (new.seq, new.session, new.time, 'erased', '', 'unknown', '', 'unknown', '', '')
    ON CONFLICT DO NOTHING;`;

const columns = `seq, id, started, ended, state, principal, principal_kind AS principalKind, on_behalf_of AS onBehalfOf, target,
  protocol, source, channels, bytes_in AS bytesIn, bytes_out AS bytesOut, reason`;

export class SessionsTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Newest first. */
  find(filter: SessionFilter & { limit: number }): Promise<StoredSession[]> {
    const { clause, parameters } = conditionsOf(filter);
    return this.#connection.all<StoredSession>(`SELECT ${columns} FROM sessions ${clause} ORDER BY seq DESC LIMIT ?`, [
      ...parameters,
      filter.limit,
    ]);
  }

  async count(filter: SessionFilter): Promise<number> {
    const { clause, parameters } = conditionsOf(filter);
    const row = await this.#connection.get<{ n: number }>(`SELECT count(*) AS n FROM sessions ${clause}`, parameters);
    return row?.n ?? 0;
  }

  /** Sessions that are over and not erased and ended before `time`, the first to end first, after `last`. */
  endedBefore(time: string, last: { ended: string; seq: number } | undefined, limit: number): Promise<StoredSession[]> {
    return this.#connection.all<StoredSession>(
      `SELECT ${columns} FROM sessions
       WHERE state IN ('closed', 'recovered') AND ended < ? AND (ended, seq) > (?, ?) ORDER BY ended, seq LIMIT ?`,
      [time, last?.ended ?? '', last?.seq ?? 0, limit],
    );
  }

  /** Sessions whose id begins with `prefix`, at most `limit`. */
  byPrefix(prefix: string, limit: number): Promise<StoredSession[]> {
    // U+FFFF sorts after every character of an id.
    return this.#connection.all<StoredSession>(`SELECT ${columns} FROM sessions WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`, [
      prefix,
      `${prefix}\uffff`,
      limit,
    ]);
  }

  /** Sessions with neither a close nor a recovery. */
  live(): Promise<StoredSession[]> {
    return this.#connection.all<StoredSession>(`SELECT ${columns} FROM sessions WHERE state = 'live' ORDER BY seq`);
  }
}

function conditionsOf(filter: SessionFilter): { clause: string; parameters: SqlValue[] } {
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  const where = (condition: string, ...values: SqlValue[]) => {
    conditions.push(condition);
    parameters.push(...values);
  };
  if (filter.session !== undefined) where('id = ?', filter.session);
  if (filter.among !== undefined) where('id IN (SELECT value FROM json_each(?))', JSON.stringify(filter.among));
  if (filter.from !== undefined) where('started >= ?', filter.from);
  if (filter.to !== undefined) where('started < ?', filter.to);
  if (filter.principal !== undefined) where('principal = ?', filter.principal);
  if (filter.onBehalfOf !== undefined) where('on_behalf_of = ?', filter.onBehalfOf);
  if (filter.target !== undefined) where('target = ?', filter.target);
  if (filter.protocol !== undefined) where('protocol = ?', filter.protocol);
  if (filter.state !== undefined) where('state = ?', filter.state);
  if (filter.before !== undefined) where('seq < ?', filter.before);
  if (filter.text !== undefined) {
    const pattern = `%${filter.text.replaceAll(/[\\%_]/g, '\\$&')}%`;
    const inChannel = `EXISTS (SELECT 1 FROM channels c WHERE c.session = sessions.id AND json_extract(c.detail, '$.command') LIKE ? ESCAPE '\\')`;
    where(
      `(principal LIKE ? ESCAPE '\\' OR on_behalf_of LIKE ? ESCAPE '\\' OR target LIKE ? ESCAPE '\\' OR ${inChannel})`,
      pattern,
      pattern,
      pattern,
      pattern,
    );
  }
  return { clause: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, parameters };
}
