import type { ApprovalRequest, ApprovalState } from '../../contract/approval.ts';
import type { AuditRecord } from '../../contract/record.ts';
import type { ApprovalRow } from '../store/approvals-table.ts';
import type { Database } from '../store/database.ts';

/** A request as its records say it. */
export interface KeptApproval {
  readonly asked: AuditRecord<'approval.asked'>;
  readonly request: ApprovalRequest;
  readonly state: ApprovalState;
  readonly decisions: readonly KeptDecision[];
}

export interface KeptDecision {
  readonly verdict: 'approve' | 'deny';
  readonly reviewer: string;
  readonly reason: string;
  readonly time: string;
  readonly key: string;
  readonly signature: string;
}

/** Undefined once the records are erased. */
export async function readApproval(database: Database, row: ApprovalRow): Promise<KeptApproval | undefined> {
  const asked = await recordAt(database, row.seq);
  if (asked?.type !== 'approval.asked') return undefined;
  const decisions: KeptDecision[] = [];
  for (const seq of await database.approvals.decisions(row.id)) {
    const record = await recordAt(database, seq);
    if (record?.type !== 'approval.decided' && record?.type !== 'review.signed') continue;
    const { verdict, reason, key, signature } = record.body;
    decisions.push({ verdict, reviewer: record.actor.principal, reason, time: record.time, key, signature });
  }
  const { onBehalfOf, channel, justification, target, ...request } = asked.body.request;
  return {
    asked,
    state: row.state,
    decisions,
    request: {
      ...request,
      target,
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
      ...(channel === undefined ? {} : { channel }),
      ...(justification === undefined ? {} : { justification }),
    },
  };
}

async function recordAt(database: Database, seq: number): Promise<AuditRecord | undefined> {
  const row = await database.records.at(seq);
  return row?.bytes == null ? undefined : (JSON.parse(Buffer.from(row.bytes).toString('utf8')) as AuditRecord);
}
