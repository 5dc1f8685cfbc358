import { afterAll, expect, test } from 'vitest';
import { type ApprovalRequest, decisionText } from '../../contract/approval.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import { createLog } from '../../gateway/base/log.ts';
import { openEvidence } from '../../gateway/evidence.ts';
import type { Principal } from '../../gateway/identity/principal.ts';
import { LogIns } from '../../gateway/operator-api/log-ins.ts';
import { RegisteredKeys } from '../../gateway/operator-api/registered-keys.ts';
import { openApprovals } from '../../gateway/serve/approvals.ts';
import { operatorsOf } from '../../gateway/serve/operators.ts';
import { reviewerKey } from '../support/reviewer-key.ts';
import { Belongings } from '../support/temp.ts';

/** Who decides about approvals when the identity provider says who is a reviewer. */

const belongings = new Belongings();
afterAll(() => belongings.release());

const issuer = 'https://id.example.com';
const human = (name: string, more: Partial<Principal> = {}): [string, Principal] => [
  name,
  { name, kind: 'human', groups: [], sshKeys: [], operator: [], disabled: false, ...more },
];
const target = { name: 'web-1', kind: 'ssh' } as const;

test('people whom the provider makes reviewers decide with the keys that they registered, for as long as they are logged in', async () => {
  const data = belongings.directory('approvals');
  const log = createLog('silent');
  const clock = systemClock;
  const evidence = await openEvidence({ gateway: { listen: {}, data, name: 'bastion-1' }, ledger: {} }, data, { clock, log });
  belongings.add(() => evidence.close());
  const principals = new Map([human('engineer@example.com'), human('alice@example.com', { operator: ['reviewer'] })]);
  const oidc = { issuer, unlisted: true, roles: { reviewer: ['sre'], auditor: [], admin: [] } } as never;
  const locked = new Set<string>();
  const isLocked = (name: string): boolean => locked.has(name);
  const [alices, bobs, carols] = [reviewerKey(), reviewerKey(), reviewerKey()];
  const kept = (operator: string, { line, fingerprint }: typeof alices) => ({
    operator,
    key: line,
    fingerprint,
    label: 'laptop',
    since: '',
  });
  const registered = new RegisteredKeys([
    kept('alice@example.com', alices),
    kept('bob@example.com', bobs),
    kept('carol@example.com', carols),
  ]);
  const logIns = new LogIns(
    operatorsOf(
      () => ({ principals, oidc }),
      isLocked,
      (name) => registered.of(name),
    ),
    clock,
  );
  const enter = (operator: string, groups: string[]): string => {
    const authentication = { method: 'oidc', provider: { issuer, subject: operator } };
    const { known } = logIns.make({ operator, claimed: { issuer, groups }, authentication });
    logIns.put(known);
    return known.id;
  };
  const rule = {
    name: 'changes',
    reviewers: { groups: ['sre'], names: [] },
    needed: 1,
    withinSeconds: 600,
    reasonRequired: false,
    grants: 'once',
    breakGlass: false,
  } as const;
  const approvals = await openApprovals({
    ...evidence,
    clock,
    log,
    principals: () => principals,
    rules: () => new Map([['changes', rule]]),
    isLocked,
    registeredKeys: (name) => registered.of(name),
    provided: (name) => logIns.provided(name),
  });
  belongings.add(() => approvals.close());
  const actor = { principal: 'deploy-bot', kind: 'agent', onBehalfOf: 'engineer@example.com', source: '192.0.2.1:50000' } as const;
  const ask = async (): Promise<{ request: ApprovalRequest; consent: Promise<unknown> }> => {
    let consent: Promise<unknown> = Promise.resolve();
    const request = await new Promise<ApprovalRequest>((resolve, reject) => {
      consent = approvals.obtain(
        {
          ...actor,
          target,
          session: uuidV7(clock.wallMicros()),
          channel: 0,
          action: 'ssh:exec',
          facts: { command: 'systemctl restart web' },
          policies: ['asks'],
          policySet: 'a'.repeat(64),
          rule: 'changes',
          actor,
          resource: target,
        },
        new AbortController().signal,
        resolve,
      );
      consent.catch(reject);
    });
    return { request, consent };
  };
  const decide = (request: ApprovalRequest, reviewer: string, key: typeof alices): Promise<unknown> => {
    const decision = { verdict: 'approve', reviewer, reason: 'as planned' } as const;
    const signature = key.sign(decisionText(evidence.ledger.key.name, request, decision));
    const given = {
      approval: request.id,
      digest: request.digest,
      verdict: decision.verdict,
      reason: decision.reason,
      key: key.line,
      signature,
    };
    return approvals.decide(given, { principal: reviewer, kind: 'human', source: '192.0.2.2:50000' });
  };

  // Alice is a reviewer by the configuration, and in no group of the rule: nobody could decide.
  await expect(ask()).rejects.toMatchObject({ code: 'APPROVAL_UNAVAILABLE' });
  const bob = enter('bob@example.com', ['sre']);
  enter('carol@example.com', ['sales']);
  const first = await ask();
  await expect(decide(first.request, 'carol@example.com', carols)).rejects.toMatchObject({ code: 'APPROVAL_NOT_YOURS' });
  await expect(decide(first.request, 'alice@example.com', alices)).rejects.toMatchObject({ code: 'APPROVAL_NOT_YOURS' });
  await expect(decide(first.request, 'bob@example.com', carols)).rejects.toThrow();
  await decide(first.request, 'bob@example.com', bobs);
  await expect(first.consent).resolves.toMatchObject({ reviewers: ['bob@example.com'] });

  const second = await ask();
  locked.add('bob@example.com');
  await expect(decide(second.request, 'bob@example.com', bobs)).rejects.toMatchObject({ code: 'APPROVAL_NOT_YOURS' });
  locked.clear();
  logIns.end(bob);
  await expect(decide(second.request, 'bob@example.com', bobs)).rejects.toMatchObject({ code: 'APPROVAL_NOT_YOURS' });
  // What the provider says of her comes on top of the configuration.
  enter('alice@example.com', ['sre']);
  await decide(second.request, 'alice@example.com', alices);
  await expect(second.consent).resolves.toMatchObject({ reviewers: ['alice@example.com'] });
});
