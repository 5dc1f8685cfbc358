import type { RecordDraft } from '../../../contract/record.ts';
import { temporaryDirectory } from '../../store/support.ts';
import { approval, makeReviewer, request } from '../../support/approval-records.ts';
import { type AuditedData, human } from './audited-data.ts';

/** An identity as a gateway takes it into force. */
export function identity(
  principal: string,
  state: 'known' | 'disabled' | 'removed',
  change: Partial<RecordDraft<'identity.changed'>['body']> = {},
): RecordDraft<'identity.changed'> {
  return {
    type: 'identity.changed',
    outcome: 'success',
    actor: { principal: 'gateway', kind: 'gateway', source: 'gateway-1' },
    target: { name: 'gateway-1', kind: 'gateway' },
    body: { principal, kind: 'human', state, groups: [], operator: [], ...change },
  };
}

/** One of each that answers about approvals have a row of: granted, denied, by oneself, emergency access; and somebody who left. */
export async function everyKindOfApproval(data: AuditedData, session: string): Promise<void> {
  const directory = await temporaryDirectory();
  const [alice, engineer] = await Promise.all([makeReviewer(directory, 'alice@example.com'), makeReviewer(directory, human.principal)]);
  const origin = data.evidence.ledger.key.name;
  const [granted, denied, own, glass] = [request(session), request(session), request(session), request(session, { breakGlass: true })];
  await data.at('2026-03-01T10:00:03', ...[granted, denied, own, glass].map((each) => approval.asked(each)));
  await data.at(
    '2026-03-01T10:00:20',
    await approval.decided(origin, granted, alice),
    await approval.decided(origin, denied, alice, { verdict: 'deny', reason: 'not today' }),
    await approval.decided(origin, own, engineer),
    approval.used(granted),
    approval.used(glass),
    await approval.reviewed(origin, glass, alice),
    identity('carol@example.com', 'disabled'),
  );
}
