import type { ApprovalState } from '../../contract/approval.ts';
import type { Connection } from './connection.ts';
import { member, type Projection } from './projection.ts';

/** Decisions so far, the one that arrives among them, reach what the request needs. */
const enough = `needed <= (SELECT count(*) FROM approval_decisions d WHERE d.approval = approvals.id)`;
const decision = `
    INSERT INTO approval_decisions (approval, seq) VALUES (${member('body.approval')}, new.seq) ON CONFLICT DO NOTHING;`;
const becomes = (state: string): string =>
  `UPDATE approvals SET state = ${state} WHERE id = ${member('body.approval')} AND state = 'waiting';`;

export const approvalsProjection: Projection = {
  'approval.asked': `
    INSERT INTO approvals (id, seq, session, state, needed, connection)
    VALUES (${member('body.request.id')}, new.seq, new.session,
            CASE WHEN ${member('body.request.breakGlass')} THEN 'review' ELSE 'waiting' END, ${member('body.request.needed')},
            ${member('body.request.channel')} IS NULL)
    ON CONFLICT DO NOTHING;`,
  'approval.decided': `${decision}
    ${becomes(member('body.state'))}`,
  'approval.expired': becomes(`'expired'`),
  'approval.withdrawn': becomes(`'withdrawn'`),
  'grant.used': `
    INSERT INTO connection_grants (session, approval)
    SELECT new.session, ${member('body.approval')} WHERE ${member('body.channel')} IS NULL
    ON CONFLICT DO NOTHING;`,
  'review.signed': `${decision}
    UPDATE approvals SET state = 'reviewed' WHERE id = ${member('body.approval')} AND state = 'review' AND ${enough};`,
};

/** A request, by its record; what it says of people stands in the record alone. `seq` is the record's place, from 1. */
export interface ApprovalRow {
  id: string;
  seq: number;
  session: string;
  state: ApprovalState;
}

const columns = 'id, seq, session, state';

export class ApprovalsTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Those that no record says the end of, the oldest first. */
  open(): Promise<ApprovalRow[]> {
    return this.#connection.all<ApprovalRow>(`SELECT ${columns} FROM approvals WHERE state IN ('waiting', 'review') ORDER BY seq`);
  }

  /** All of them, or of a session, the newest first, before `before`, at most `limit`. */
  list(filter: { session?: string | undefined; before?: number | undefined; limit: number }): Promise<ApprovalRow[]> {
    return this.#connection.all<ApprovalRow>(
      `SELECT ${columns} FROM approvals WHERE seq < ? AND (? IS NULL OR session = ?) ORDER BY seq DESC LIMIT ?`,
      [filter.before ?? Number.MAX_SAFE_INTEGER, filter.session ?? null, filter.session ?? null, filter.limit],
    );
  }

  find(id: string): Promise<ApprovalRow | undefined> {
    return this.#connection.get<ApprovalRow>(`SELECT ${columns} FROM approvals WHERE id = ?`, [id]);
  }

  /** Places of the records with the decisions about a request, in their order. */
  async decisions(id: string): Promise<number[]> {
    const rows = await this.#connection.all<{ seq: number }>('SELECT seq FROM approval_decisions WHERE approval = ? ORDER BY seq', [id]);
    return rows.map(({ seq }) => seq);
  }
}
