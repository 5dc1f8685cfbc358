import type { SessionScope } from '../../contract/record.ts';
import type { Connection } from './connection.ts';
import { member, type Projection } from './projection.ts';

export const holdsProjection: Projection = {
  'hold.set': `
    INSERT INTO holds (id, seq, time, principal, scope, reason)
    VALUES (${member('body.hold')}, new.seq, new.time, ${member('actor.principal')}, ${member('body.scope')}, ${member('body.reason')})
    ON CONFLICT DO NOTHING;`,
  'hold.cleared': `
    UPDATE holds SET cleared = new.time, cleared_by = ${member('actor.principal')}, clear_reason = ${member('body.reason')}
    WHERE id = ${member('body.hold')} AND cleared IS NULL;`,
};

/** Sessions in its scope, also those that begin later, are neither expired nor erased until it is cleared. */
export interface HoldRow {
  id: string;
  /** When and by whom it was set. */
  time: string;
  principal: string;
  scope: SessionScope;
  reason: string;
  cleared: string | null;
  clearedBy: string | null;
  clearReason: string | null;
}

const columns = 'id, time, principal, scope, reason, cleared, cleared_by AS clearedBy, clear_reason AS clearReason';

export class HoldsTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The oldest first. */
  async inForce(): Promise<HoldRow[]> {
    return (await this.#connection.all<Columns>(`SELECT ${columns} FROM holds WHERE cleared IS NULL ORDER BY seq`)).map(holdRow);
  }

  /** Also those that are cleared, the oldest first. */
  async all(): Promise<HoldRow[]> {
    return (await this.#connection.all<Columns>(`SELECT ${columns} FROM holds ORDER BY seq`)).map(holdRow);
  }
}

type Columns = Omit<HoldRow, 'scope'> & { scope: string };

function holdRow(row: Columns): HoldRow {
  return { ...row, scope: JSON.parse(row.scope) as SessionScope };
}
