import { type SessionFlag, sessionFlags } from '../../contract/operations/sessions.ts';
import type { OperationOutput } from '../../contract/operator-api.ts';
import type { Database } from '../store/database.ts';
import type { SessionOverview } from '../store/session-overview.ts';
import type { VerifiedSessions } from './verified-sessions.ts';

export type SessionSummary = OperationOutput<'session.show'>['summary'];

export interface Summarising {
  /** A connection of its own: what somebody searches for does not keep records waiting. */
  readonly reading: () => Promise<Database>;
  /** Those of the configuration in force. */
  readonly targets: () => ReadonlyMap<string, { readonly tags: Readonly<Record<string, string>> }>;
  /** Entries under the ledger's last signed checkpoint. */
  readonly signed: () => number;
  readonly verified: VerifiedSessions;
}

/** What a table shows of these sessions besides, one for each. */
export async function summarise(sessions: readonly SessionOverview[], parts: Summarising): Promise<SessionSummary[]> {
  const database = await parts.reading();
  const held = await database.overviews.held(sessions.map(({ row }) => row.id));
  return sessions.map((session) => summaryOf(session, held.has(session.row.id), parts));
}

function summaryOf(session: SessionOverview, held: boolean, parts: Summarising): SessionSummary {
  const { row, actions, asked, denied, review } = session;
  return {
    tags: { ...parts.targets().get(row.target)?.tags },
    actions,
    asked,
    denied,
    flags: flagsOf(session, held),
    evidence: evidenceOf(session, parts),
    review: review ?? 'none',
  };
}

function flagsOf({ row, asked, denied, breakGlass, supervised, terminated, hidden }: SessionOverview, held: boolean): SessionFlag[] {
  const stands: Readonly<Record<SessionFlag, boolean>> = {
    asked: asked > 0,
    denied: denied > 0,
    'break-glass': breakGlass > 0,
    supervised: supervised > 0,
    terminated: terminated > 0,
    hidden: hidden > 0,
    recovered: row.state === 'recovered',
    held,
  };
  return sessionFlags.filter((flag) => stands[flag]);
}

function evidenceOf({ row: { id, state }, endSeq }: SessionOverview, { signed, verified }: Summarising): SessionSummary['evidence'] {
  if (state === 'erased') return 'erased';
  const found = verified.of(id, endSeq ?? Number.POSITIVE_INFINITY);
  if (found === 'failed') return found;
  if (endSeq === null || endSeq > signed()) return 'open';
  return found ?? 'committed';
}
