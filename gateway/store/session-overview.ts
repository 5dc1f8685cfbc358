import type { SessionRow } from '../../contract/session.ts';
import type { Connection, SqlValue } from './connection.ts';
import { HoldsTable } from './holds-table.ts';
import { conditionsOf, filterOfScope, type SessionFilter, textInTable } from './session-filter.ts';
import { type SessionColumns, sessionColumns, storedSession } from './sessions-table.ts';

/** A session with what a table shows of it besides: numbers that are kept as its records arrive. */
export interface SessionOverview {
  /** Place of its opening in the ledger, from 1. */
  readonly seq: number;
  readonly row: SessionRow;
  /** Place of the record that ended it, from 1; null while it runs. */
  endSeq: number | null;
  actions: number;
  asked: number;
  denied: number;
  breakGlass: number;
  supervised: number;
  terminated: number;
  hidden: number;
  review: 'fine' | 'concern' | null;
}

/** What stands out and is kept in a column. */
const flagged = {
  asked: 'asked > 0',
  denied: 'denied > 0',
  'break-glass': 'break_glass > 0',
  supervised: 'supervised > 0',
  terminated: 'terminated > 0',
  recovered: "state = 'recovered'",
  hidden: 'hidden > 0',
} as const;

export interface OverviewFilter extends SessionFilter {
  /** One of these targets. */
  targets?: readonly string[];
  flag?: keyof typeof flagged | 'held';
  review?: 'none' | 'fine' | 'concern';
  /** Opened no later than the one with this `seq`. */
  upTo?: number;
}

export interface LookedThrough {
  /** Places, the newest first. */
  readonly found: readonly number[];
  /** The oldest that was looked at. */
  readonly reached: number | undefined;
  /** Whether there may be more behind it. */
  readonly more: boolean;
}

/**
 * The list of sessions for people who scroll through all of it: what a question finds is counted and paged on numbers
 * alone, and only for the rows of a page are records read.
 */
export class SessionOverviews {
  readonly #connection: Connection;
  readonly #holds: HoldsTable;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#holds = new HoldsTable(connection);
  }

  /** Newest first, without the first `offset` of them. */
  async find(filter: OverviewFilter, limit: number, offset = 0): Promise<SessionOverview[]> {
    const { clause, parameters } = await this.#conditions(filter);
    return this.#read(`SELECT seq FROM main.sessions ${clause} ORDER BY seq DESC LIMIT ? OFFSET ?`, [...parameters, limit, offset]);
  }

  /** The same by place. */
  async at(seqs: readonly number[]): Promise<SessionOverview[]> {
    return this.#read('SELECT value AS seq FROM json_each(?)', [JSON.stringify(seqs)]);
  }

  /**
   * Of the next sessions that meet everything but its text, the newest `most`: the places of those that meet that as well.
   * Their records have to be read for it, so it is asked in steps that nobody waits long for.
   */
  async lookThrough({ text = '', ...filter }: OverviewFilter, most: number): Promise<LookedThrough> {
    const others = await this.#conditions(filter);
    const { condition, parameters } = textInTable(text, 'looked');
    const row = await this.#connection.get<{ found: string; looked: number; reached: number | null }>(
      `WITH looked AS MATERIALIZED (
         SELECT seq, id, principal, on_behalf_of, target FROM main.sessions ${others.clause} ORDER BY seq DESC LIMIT ?)
       SELECT (SELECT json_group_array(seq) FROM (SELECT seq FROM looked WHERE ${condition} ORDER BY seq DESC)) AS found,
              (SELECT count(*) FROM looked) AS looked, (SELECT min(seq) FROM looked) AS reached`,
      [...others.parameters, most, ...parameters],
    );
    const reached = row?.reached ?? undefined;
    return { found: JSON.parse(row?.found ?? '[]') as number[], reached, more: (row?.looked ?? 0) === most };
  }

  async count(filter: OverviewFilter): Promise<number> {
    const { clause, parameters } = await this.#conditions(filter);
    const row = await this.#connection.get<{ n: number }>(`SELECT count(*) AS n FROM main.sessions ${clause}`, parameters);
    return row?.n ?? 0;
  }

  async one(id: string): Promise<SessionOverview | undefined> {
    return (await this.find({ session: id }, 1))[0];
  }

  /** Those of them that a hold in force stands on. */
  async held(sessions: readonly string[]): Promise<Set<string>> {
    const { clause, parameters } = await this.#conditions({ among: sessions, flag: 'held' });
    const rows = await this.#connection.all<{ id: string }>(`SELECT id FROM main.sessions ${clause}`, parameters);
    return new Set(rows.map(({ id }) => id));
  }

  async #read(places: string, parameters: readonly SqlValue[]): Promise<SessionOverview[]> {
    const rows = await this.#connection.all<SessionColumns & Omit<SessionOverview, 'row' | 'seq'>>(
      `SELECT ${sessionColumns.replaceAll(/\b(?=\w)/g, 'r.')}, s.end_seq AS endSeq, s.actions, s.asked, s.denied, s.break_glass AS breakGlass,
              s.supervised, s.terminated, s.hidden, s.review
       FROM (${places}) p CROSS JOIN main.sessions s ON s.seq = p.seq CROSS JOIN session_rows r ON r.seq = p.seq ORDER BY p.seq DESC`,
      parameters,
    );
    return rows.map(({ endSeq, actions, asked, denied, breakGlass, supervised, terminated, hidden, review, ...columns }) => {
      const { seq, ...row } = storedSession(columns);
      return { seq, row, endSeq, actions, asked, denied, breakGlass, supervised, terminated, hidden, review };
    });
  }

  async #conditions({ targets, flag, review, upTo, ...filter }: OverviewFilter): Promise<{ clause: string; parameters: SqlValue[] }> {
    const { conditions, parameters } = conditionsOf(filter, 'main.sessions');
    const where = (condition: string, ...values: SqlValue[]) => {
      conditions.push(condition);
      parameters.push(...values);
    };
    if (targets !== undefined) where('target IN (SELECT value FROM json_each(?))', JSON.stringify(targets));
    if (review === 'none') where('review IS NULL');
    else if (review !== undefined) where('review = ?', review);
    if (upTo !== undefined) where('seq <= ?', upTo);
    if (flag === 'held') {
      const scopes = (await this.#holds.inForce()).map(({ scope }) => conditionsOf(filterOfScope(scope), 'main.sessions'));
      const met = anyOf(scopes.map((scope) => `(${['1', ...scope.conditions].join(' AND ')})`));
      where(`state <> 'erased' AND ${met}`, ...scopes.flatMap((scope) => scope.parameters));
    } else if (flag !== undefined) {
      where(flagged[flag]);
    }
    return { clause: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, parameters };
  }
}

/** In halves: SQLite takes expressions of a depth of 1000, and there may be more holds. */
function anyOf(conditions: readonly string[]): string {
  if (conditions.length <= 1) return conditions[0] ?? '0';
  const half = Math.ceil(conditions.length / 2);
  return `(${anyOf(conditions.slice(0, half))} OR ${anyOf(conditions.slice(half))})`;
}
