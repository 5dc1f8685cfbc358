import type { SessionRow } from '../../../contract/session.ts';
import type { Database } from '../../store/database.ts';
import type { SessionFilter } from '../../store/session-filter.ts';

type Filter = Pick<SessionFilter, 'session' | 'principal' | 'onBehalfOf' | 'target' | 'protocol' | 'state'>;

/** So few sessions are looked up beforehand, and then nothing but their own blocks is looked at. */
const FEW = 50;
/** Sessions of which it is remembered what they are, while one page is made. */
const REMEMBERED = 5000;

/** Which sessions a search is about. What is erased, or not on record, never is. */
export class SessionSieve {
  /** All of them, where they are few. */
  readonly sessions: readonly string[] | undefined;
  readonly #database: Database;
  readonly #filter: Filter;
  readonly #known = new Map<string, SessionRow | undefined>();

  private constructor(database: Database, filter: Filter, sessions: readonly string[] | undefined) {
    this.#database = database;
    this.#filter = filter;
    this.sessions = sessions;
  }

  static async open(database: Database, { session, principal, onBehalfOf, target, protocol, state }: Filter): Promise<SessionSieve> {
    const filter: Filter = {
      ...(session === undefined ? {} : { session }),
      ...(principal === undefined ? {} : { principal }),
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
      ...(target === undefined ? {} : { target }),
      ...(protocol === undefined ? {} : { protocol }),
      ...(state === undefined ? {} : { state }),
    };
    if (Object.keys(filter).length === 0) return new SessionSieve(database, filter, undefined);
    const found = await database.sessions.find({ ...filter, limit: FEW + 1 });
    return new SessionSieve(database, filter, found.length > FEW ? undefined : found.map(({ id }) => id));
  }

  get none(): boolean {
    return this.sessions?.length === 0;
  }

  /** Those of these sessions that are asked for. */
  async pass(sessions: readonly string[]): Promise<ReadonlyMap<string, SessionRow>> {
    const unknown = [...new Set(sessions)].filter((session) => !this.#known.has(session));
    if (this.#known.size + unknown.length > REMEMBERED) this.#known.clear();
    const among = [...new Set(sessions)].filter((session) => !this.#known.has(session));
    if (among.length > 0) {
      for (const session of among) this.#known.set(session, undefined);
      const rows = await this.#database.sessions.find({ ...this.#filter, among, limit: among.length });
      for (const { seq: _, ...row } of rows) if (row.state !== 'erased') this.#known.set(row.id, row);
    }
    const passed = new Map<string, SessionRow>();
    for (const session of sessions) {
      const row = this.#known.get(session);
      if (row !== undefined) passed.set(session, row);
    }
    return passed;
  }
}
