import { describe, expect, test } from 'vitest';
import { decisionText } from '../../../contract/approval.ts';
import { statementText } from '../../../contract/signed-statements.ts';
import { isWhatItSays, requestOf, shownText, webSha256 } from '../../../renderer/app/approvals/check-request.ts';
import { reasonAgainstSigning } from '../../../renderer/app/approvals/may-decide.ts';
import { requested } from './request.ts';

const now = Date.parse('2026-03-01T09:35:00Z');

describe('the digest of a request', () => {
  test('is that of what is shown', async () => {
    expect(await isWhatItSays(requested(), webSha256)).toBe(true);
    expect(await isWhatItSays(requested({ facts: { command: 'echo \u202e\ud83d\ude00' } }), webSha256)).toBe(true);
  });

  test.each([
    ['the command', { facts: { command: 'rm -rf /', terminal: false } }],
    ['a fact that is added', { facts: { command: 'systemctl restart shop', terminal: false, as: 'root' } }],
    ['the target', { target: { name: 'web-2', kind: 'ssh', address: '10.0.0.5:22' } }],
    ['the address of the target', { target: { name: 'web-1', kind: 'ssh', address: '10.0.0.6:22' } }],
    ['whom it is for', { onBehalfOf: 'somebody@example.com' }],
    ['the action', { action: 'ssh:input' as const }],
    ['the rule', { rule: 'easy' }],
    ['the policy set', { policySet: 'c'.repeat(64) }],
  ])('is not, when a gateway shows something else: %s', async (_, changed) => {
    const { request } = requested();
    expect(await isWhatItSays({ request: { ...request, ...changed } }, webSha256)).toBe(false);
  });
});

test('what is signed is the text of exactly the request that was shown', () => {
  const approval = requested({ justification: 'the deploy hangs' });
  const decision = { verdict: 'approve' as const, reviewer: 'alice@example.com', reason: 'seen' };
  const { origin, request } = approval;
  expect(statementText({ kind: 'approval', origin, request, decision }).text).toBe(decisionText(origin, requestOf(approval), decision));
});

describe('nothing is signed', () => {
  const approval = requested();
  const intent = { verdict: 'approve', reason: 'seen', shown: shownText(approval), now } as const;

  test('but what may be', () => {
    expect(reasonAgainstSigning(approval, intent)).toBeUndefined();
  });

  test('when it has changed since it was shown, whatever of it', () => {
    const others: (typeof approval)[] = [
      { ...approval, request: { ...approval.request, needed: 2 } },
      { ...approval, request: { ...approval.request, expires: '2026-03-01T09:50:00.000000Z' } },
      { ...approval, request: { ...approval.request, grants: 'session' } },
      { ...approval, request: { ...approval.request, justification: 'trust me' } },
      { ...approval, origin: 'other.example/log' },
    ];
    for (const changed of others) expect(reasonAgainstSigning(changed, intent)).toMatch(/changed/);
  });

  test('when it is over', () => {
    expect(reasonAgainstSigning({ ...approval, state: 'denied' }, intent)).toMatch(/denied already/);
    expect(reasonAgainstSigning(approval, { ...intent, now: Date.parse(approval.request.expires) })).toMatch(/time is over/);
  });

  test('by whoever may not decide', () => {
    expect(reasonAgainstSigning({ ...approval, yours: { may: false, why: 'you asked' } }, intent)).toMatch(
      /not yours to decide: you asked/,
    );
  });

  test('without a reason, where it takes one', () => {
    expect(reasonAgainstSigning(approval, { ...intent, reason: ' ' })).toBeUndefined();
    expect(reasonAgainstSigning(approval, { ...intent, verdict: 'deny', reason: ' ' })).toMatch(/why/);
    const strict = requested({ reasonRequired: true });
    expect(reasonAgainstSigning(strict, { ...intent, shown: shownText(strict), reason: '' })).toMatch(/why/);
  });

  test('of break-glass there is no deadline: it was allowed already', () => {
    const glass = requested({ breakGlass: true }, { state: 'review' });
    expect(reasonAgainstSigning(glass, { ...intent, shown: shownText(glass), now: now + 86_400_000 })).toBeUndefined();
  });
});
