import { createHash } from 'node:crypto';
import { type ApprovalRequest, boundText } from '../../../contract/approval.ts';
import type { Approval } from '../../../contract/operator-api.ts';

let made = 0;

/** A request that waits, as a gateway answers it. What is not said of it is as good as any. */
export function requested(changed: Partial<ApprovalRequest> = {}, rest: Partial<Omit<Approval, 'request'>> = {}): Approval {
  made += 1;
  const bound = {
    principal: 'deploy-bot',
    onBehalfOf: 'engineer@example.com',
    target: { name: 'web-1', kind: 'ssh', address: '10.0.0.5:22' },
    action: 'ssh:exec' as const,
    facts: { command: 'systemctl restart shop', terminal: false },
    policySet: 'b'.repeat(64),
    rule: 'prod',
    ...changed,
  };
  const request: ApprovalRequest = {
    ...bound,
    id: `01a2bc3d-0000-7000-8000-${String(made).padStart(12, '0')}`,
    digest: createHash('sha256').update(boundText(bound)).digest('hex'),
    kind: 'agent',
    source: '127.0.0.1:4000',
    session: '01a2bc3d-1111-7000-8000-000000000001',
    channel: 0,
    policies: ['asks'],
    asked: '2026-03-01T09:30:00.000000Z',
    expires: '2026-03-01T09:40:00.000000Z',
    needed: 1,
    reasonRequired: false,
    grants: 'once',
    breakGlass: false,
    ...changed,
  };
  return {
    request: { ...request, facts: { ...request.facts }, policies: [...request.policies] },
    state: 'waiting',
    origin: 'test.example/log',
    decisions: [],
    yours: { may: true },
    ...rest,
  };
}
