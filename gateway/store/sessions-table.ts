import type { SessionRow } from '../../contract/session.ts';
import type { Connection, SqlValue } from './connection.ts';
import { member, microsOf, type Projection, timeOf } from './projection.ts';
import { NOTHING_COUNTED } from './session-counts.ts';
import { conditionsOf, type SessionFilter } from './session-filter.ts';

/** A session's row, with its place in the ledger, by which lists are paged. */
export interface StoredSession extends SessionRow {
  seq: number;
}

const nameOf = (path: string) => `(SELECT n.id FROM names n WHERE n.name = ${member(path)})`;
const named = (path: string) => `
    INSERT INTO names (name) SELECT ${member(path)} WHERE ${member(path)} IS NOT NULL AND ${nameOf(path)} IS NULL;`;

/** Bytes of a session that has no close yet are those of its sealed segments; its close states them exactly. */
export const sessionsProjection: Projection = {
  'session.open': `
    ${named('actor.principal')} ${named('actor.onBehalfOf')}
    INSERT INTO sessions (seq, id, started, state, principal, on_behalf_of, target, target_kind, protocol)
    VALUES (new.seq, new.session, new.time, 'live', ${nameOf('actor.principal')}, ${nameOf('actor.onBehalfOf')},
            ${member('target.name')}, ${member('target.kind')}, ${member('body.protocol')})
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
    SET ended = new.time, end_seq = new.seq, channels = ${member('body.channels')},
        bytes_in = ${member('body.bytes.i')}, bytes_out = ${member('body.bytes.o')} + ${member('body.bytes.e')},
        state = CASE state WHEN 'recovered' THEN state ELSE 'closed' END
    WHERE id = new.session;`,
  // It ended, as far as anybody knows, with the last frame of its channels.
  'session.recovered': `
    UPDATE sessions
    SET state = 'recovered', end_seq = coalesce(end_seq, new.seq),
        ended = coalesce(ended, (
          SELECT ${timeOf(`max(${microsOf('c.opened')} + json_extract(r.value, '$.lastFrameAt') / 1000)`)}
          FROM json_each(CAST(new.bytes AS TEXT), '$.body.channels') r
          JOIN channels c ON c.session = new.session AND c.channel = json_extract(r.value, '$.channel')
        ), started)
    WHERE id = new.session;`,
  // From here on only what `remains` says is known. Its target is the record's own.
  erased: `
    UPDATE sessions
    SET state = 'erased', principal = NULL, on_behalf_of = NULL, end_seq = new.seq, bytes_in = 0, bytes_out = 0, ${NOTHING_COUNTED},
        target = ${member('target.name')}, target_kind = ${member('target.kind')}, protocol = ${member('body.remains.protocol')},
        ended = coalesce(${member('body.remains.ended')}, started), channels = ${member('body.remains.channels')}
    WHERE id = new.session AND ${member('body.remains')} IS NOT NULL;`,
};

/** For a session whose `session.open` is erased: its `erased` record comes later in the ledger and completes the row. */
export const erasedSessionOpen = `
    INSERT INTO sessions (seq, id, started, state, target, target_kind, protocol)
    VALUES (new.seq, new.session, new.time, 'erased', '', 'unknown', '')
    ON CONFLICT DO NOTHING;`;

export const sessionColumns = `seq, id, started, ended, state, principal, principalKind, onBehalfOf, target, protocol, source, channels, bytesIn, bytesOut, reason`;

export class SessionsTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Newest first. */
  find(filter: SessionFilter & { limit: number }): Promise<StoredSession[]> {
    const { clause, parameters } = conditionsOf(filter);
    return this.#sessions(`SELECT ${sessionColumns} FROM session_rows ${clause} ORDER BY seq DESC LIMIT ?`, [...parameters, filter.limit]);
  }

  /** How many there are, and how many of them were cut off by a crash, and are erased. */
  async countByState(): Promise<{ sessions: number; recovered: number; erased: number }> {
    const rows = await this.#connection.all<{ state: string; n: number }>('SELECT state, count(*) AS n FROM main.sessions GROUP BY state');
    const of = (state: string): number => rows.find((row) => row.state === state)?.n ?? 0;
    return { sessions: rows.reduce((sum, { n }) => sum + n, 0), recovered: of('recovered'), erased: of('erased') };
  }

  async count(filter: SessionFilter): Promise<number> {
    const { clause, parameters } = conditionsOf(filter);
    const row = await this.#connection.get<{ n: number }>(`SELECT count(*) AS n FROM session_rows ${clause}`, parameters);
    return row?.n ?? 0;
  }

  /** Sessions that are over and not erased, of each target: how many, and when the first of them ended. */
  endedPerTarget(): Promise<{ target: string; sessions: number; first: string }[]> {
    return this.#connection.all(
      `SELECT target, count(*) AS sessions, min(ended) AS first FROM session_rows
       WHERE state IN ('closed', 'recovered') GROUP BY target ORDER BY target`,
    );
  }

  /** How many of a target's are over, not erased, ended before a time, and meet any of these filters; all without one. */
  async countEnded(target: string, before: string, filters?: readonly SessionFilter[]): Promise<number> {
    const read = filters?.map((filter) => conditionsOf(filter));
    const any = read?.map(({ conditions }) => `(${['1', ...conditions].join(' AND ')})`) ?? ['1'];
    const row = await this.#connection.get<{ n: number }>(
      `SELECT count(*) AS n FROM session_rows
       WHERE state IN ('closed', 'recovered') AND target = ? AND ended < ? AND (${['0', ...any].join(' OR ')})`,
      [target, before, ...(read?.flatMap(({ parameters }) => parameters) ?? [])],
    );
    return row?.n ?? 0;
  }

  /** Sessions that are over and not erased and ended before `time`, the first to end first, after `last`. */
  endedBefore(time: string, last: { ended: string; seq: number } | undefined, limit: number): Promise<StoredSession[]> {
    return this.#sessions(
      `SELECT ${sessionColumns} FROM session_rows
       WHERE state IN ('closed', 'recovered') AND ended < ? AND (ended, seq) > (?, ?) ORDER BY ended, seq LIMIT ?`,
      [time, last?.ended ?? '', last?.seq ?? 0, limit],
    );
  }

  /** Sessions whose id begins with `prefix`, at most `limit`. */
  byPrefix(prefix: string, limit: number): Promise<StoredSession[]> {
    // U+FFFF sorts after every character of an id.
    return this.#sessions(`SELECT ${sessionColumns} FROM session_rows WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`, [
      prefix,
      `${prefix}\uffff`,
      limit,
    ]);
  }

  /** Sessions with neither a close nor a recovery. */
  live(): Promise<StoredSession[]> {
    return this.#sessions(`SELECT ${sessionColumns} FROM session_rows WHERE state = 'live' ORDER BY seq`);
  }

  async #sessions(sql: string, parameters: readonly SqlValue[] = []): Promise<StoredSession[]> {
    const rows = await this.#connection.all<SessionColumns>(sql, parameters);
    return rows.map(storedSession);
  }
}

/** What only the records say is missing once they are erased. */
export type SessionColumns = {
  [C in keyof StoredSession]: C extends 'principal' | 'principalKind' | 'source' ? StoredSession[C] | null : StoredSession[C];
};

export function storedSession(row: SessionColumns): StoredSession {
  return { ...row, principal: row.principal ?? '', principalKind: row.principalKind ?? 'unknown', source: row.source ?? '' };
}
