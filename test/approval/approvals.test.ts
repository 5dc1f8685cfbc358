import { describe, expect, it } from 'vitest';
import { type ApprovalRequest, decisionText } from '../../contract/approval.ts';
import type { Actor, RecordDraft } from '../../contract/record.ts';
import type { ApprovalRule } from '../../gateway/approval/approval-rule.ts';
import type { Approvals, Consent, GivenDecision, Wish } from '../../gateway/approval/approvals.ts';
import type { Reviewer } from '../../gateway/approval/may-decide.ts';
import { SallyportError } from '../../gateway/base/errors.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import { approvalsIn } from '../support/approvals.ts';
import { type ReviewerKey, reviewerKey } from '../support/reviewer-key.ts';

const ORIGIN = 'test.example/log';
const rule: ApprovalRule = {
  name: 'prod-write',
  reviewers: { groups: ['platform'], names: ['dora@example.com'] },
  needed: 1,
  withinSeconds: 600,
  reasonRequired: false,
  grants: 'once',
  breakGlass: false,
};
const rules = [
  rule,
  { ...rule, name: 'two', needed: 2 },
  { ...rule, name: 'with-reason', reasonRequired: true },
  { ...rule, name: 'session', grants: 'session' as const },
  { ...rule, name: 'while', grants: 60 },
  { ...rule, name: 'emergency', breakGlass: true },
];
const target = { name: 'web-1', kind: 'ssh' as const, address: '10.0.0.5:22' };
const agent: Actor = {
  principal: 'deploy-bot',
  kind: 'agent',
  onBehalfOf: 'engineer@example.com',
  authentication: { method: 'publickey', key: 'SHA256:agent' },
  source: '192.0.2.1:50000',
};

interface World {
  approvals: Approvals;
  written: RecordDraft[];
  keys: Record<string, ReviewerKey>;
  reviewers: Reviewer[];
  now: { micros: number };
  failing: { append: boolean };
}

const people = ['alice@example.com', 'bob@example.com', 'carol@example.com', 'engineer@example.com'];

function world(): World {
  const written: RecordDraft[] = [];
  const failing = { append: false };
  const now = { micros: 1_772_358_600_000_000 };
  const keys = Object.fromEntries([...people, 'mallory@example.com'].map((name) => [name, reviewerKey()]));
  const reviewers: Reviewer[] = people.map((name) => ({ name, groups: ['platform'], active: true, keys: [keyOf(keys, name).line] }));
  reviewers.push({ name: 'mallory@example.com', groups: ['sales'], active: true, keys: [keyOf(keys, 'mallory@example.com').line] });
  const approvals = approvalsIn({
    rules,
    reviewers: () => reviewers,
    clock: { wallMicros: () => now.micros },
    append: async (draft) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (failing.append) throw new SallyportError('LEDGER_FAILED', 'the disk is full');
      written.push(draft);
    },
  });
  return { approvals, written, keys, reviewers, now, failing };
}

function keyOf(keys: Record<string, ReviewerKey>, name: string): ReviewerKey {
  const key = keys[name];
  if (key === undefined) throw new Error(`nobody is called ${name}`);
  return key;
}

function wish(changed: Partial<Wish> = {}): Wish {
  return {
    principal: 'deploy-bot',
    kind: 'agent',
    onBehalfOf: 'engineer@example.com',
    source: agent.source,
    target,
    session: uuidV7(1_772_358_600_000_000),
    channel: 0,
    action: 'ssh:exec',
    facts: { command: 'systemctl restart web', terminal: false },
    policies: ['prod'],
    policySet: 'a'.repeat(64),
    rule: 'prod-write',
    actor: agent,
    resource: target,
    ...changed,
  };
}

interface Asked {
  request: ApprovalRequest;
  consent: Promise<Consent>;
  abort: AbortController;
}

async function ask({ approvals }: World, wanted = wish()): Promise<Asked> {
  const abort = new AbortController();
  let consent: Promise<Consent> | undefined;
  const request = await new Promise<ApprovalRequest>((resolve, reject) => {
    consent = approvals.obtain(wanted, abort.signal, resolve);
    consent.catch(reject);
  });
  if (consent === undefined) throw new Error('nothing was asked');
  consent.catch(() => undefined);
  return { request, consent, abort };
}

function signed(
  { keys }: World,
  request: ApprovalRequest,
  reviewer: string,
  verdict: 'approve' | 'deny' = 'approve',
  reason = 'as planned',
): GivenDecision {
  const key = keyOf(keys, reviewer);
  const signature = key.sign(decisionText(ORIGIN, request, { verdict, reviewer, reason }));
  return { approval: request.id, digest: request.digest, verdict, reason, key: key.line, signature };
}

const operator = (name: string): Actor => ({ principal: name, kind: 'human', source: '192.0.2.9:443' });

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'done';
  } catch (thrown) {
    if (thrown instanceof SallyportError) return thrown.code;
    throw thrown;
  }
}

describe('a request for approval', () => {
  it('is durable before it is shown, signed when it is decided, and its use is durable before it begins', async () => {
    const here = world();
    const { request, consent } = await ask(here);
    expect(here.written.map(({ type }) => type)).toEqual(['approval.asked']);
    await here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com'));
    expect(await consent).toEqual({ approval: request.id, reviewers: ['alice@example.com'] });
    expect(here.written.map(({ type, session }) => [type, session])).toEqual([
      ['approval.asked', request.session],
      ['approval.decided', request.session],
      ['grant.used', request.session],
    ]);
    expect(here.approvals.open()).toEqual([]);
  });

  it('that is denied says by whom and why', async () => {
    const here = world();
    const { request, consent } = await ask(here);
    await here.approvals.decide(signed(here, request, 'alice@example.com', 'deny', 'not on a Friday'), operator('alice@example.com'));
    await expect(consent).rejects.toMatchObject({ code: 'APPROVAL_DENIED', message: 'alice@example.com denied this: not on a Friday' });
    expect(here.written.map(({ type }) => type)).not.toContain('grant.used');
  });

  it('that needs two takes two different reviewers', async () => {
    const here = world();
    const { request, consent } = await ask(here, wish({ rule: 'two' }));
    await here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com'));
    expect(await codeOf(here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com')))).toBe(
      'APPROVAL_NOT_YOURS',
    );
    expect(here.approvals.find(request.id)?.state).toBe('waiting');
    await here.approvals.decide(signed(here, request, 'bob@example.com'), operator('bob@example.com'));
    expect((await consent).reviewers).toEqual(['alice@example.com', 'bob@example.com']);
  });

  it('cannot be decided after its deadline by the clock on the wall', async () => {
    const here = world();
    const { request, consent } = await ask(here, wish({ rule: 'prod-write' }));
    here.now.micros += 600e6;
    expect(await codeOf(here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com')))).toBe(
      'APPROVAL_OVER',
    );
    expect(here.written.map(({ type }) => type)).toEqual(['approval.asked']);
    await here.approvals.close();
    expect(await codeOf(consent)).toBe('APPROVAL_UNAVAILABLE');
  });

  it('is withdrawn when the gateway stops, and nothing is asked any more', async () => {
    const here = world();
    const { consent } = await ask(here);
    await here.approvals.close();
    expect(await codeOf(consent)).toBe('APPROVAL_UNAVAILABLE');
    expect(here.written.at(-1)).toMatchObject({ type: 'approval.withdrawn', body: { reason: 'the gateway is shutting down' } });
    expect(await codeOf(here.approvals.obtain(wish(), new AbortController().signal, () => undefined))).toBe('APPROVAL_UNAVAILABLE');
  });

  it('ends at its deadline by itself', async () => {
    const here = world();
    const short = approvalsIn({
      rules: [{ ...rule, withinSeconds: 1 }],
      reviewers: () => here.reviewers,
      append: async (draft) => void here.written.push(draft),
    });
    const { consent } = await ask({ ...here, approvals: short });
    await expect(consent).rejects.toMatchObject({ code: 'APPROVAL_EXPIRED' });
    expect(here.written.at(-1)).toMatchObject({ type: 'approval.expired', body: { reason: 'deadline' } });
  });

  it('is withdrawn when whoever asked has gone, and cannot be decided after that', async () => {
    const here = world();
    const { request, consent, abort } = await ask(here);
    abort.abort(new Error('the client disconnected'));
    await expect(consent).rejects.toMatchObject({ code: 'APPROVAL_UNAVAILABLE' });
    expect(here.written.at(-1)).toMatchObject({ type: 'approval.withdrawn', body: { reason: 'the client disconnected' } });
    expect(await codeOf(here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com')))).toBe(
      'APPROVAL_NOT_FOUND',
    );
  });

  it('has one outcome in 1,000 tries of two reviewers in the same moment', async () => {
    const here = world();
    const outcomes = { approved: 0, denied: 0 };
    for (let attempt = 0; attempt < 1000; attempt += 1) {
      const { request, consent } = await ask(here);
      const words = [signed(here, request, 'alice@example.com'), signed(here, request, 'bob@example.com', 'deny', 'no')];
      const names = ['alice@example.com', 'bob@example.com'];
      const order = attempt % 2 === 0 ? [0, 1] : [1, 0];
      const codes = await Promise.all(
        order.map((index) => codeOf(here.approvals.decide(words[index] as GivenDecision, operator(names[index] as string)))),
      );
      expect(codes).toEqual(['done', 'APPROVAL_OVER']);
      const approved = order[0] === 0;
      expect(await codeOf(consent)).toBe(approved ? 'done' : 'APPROVAL_DENIED');
      outcomes[approved ? 'approved' : 'denied'] += 1;
    }
    const decided = here.written.filter(({ type }) => type === 'approval.decided');
    expect(decided).toHaveLength(1000);
    expect(here.written.filter(({ type }) => type === 'grant.used')).toHaveLength(outcomes.approved);
    expect(outcomes).toEqual({ approved: 500, denied: 500 });
  });

  it('has one outcome when the client goes in the moment of the decision', async () => {
    const here = world();
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const { request, consent, abort } = await ask(here);
      const decided = codeOf(here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com')));
      abort.abort(new Error('gone'));
      expect(await decided).toBe('done');
      expect(await codeOf(consent)).toBe('done');
    }
    expect(here.written.filter(({ type }) => type === 'approval.withdrawn')).toEqual([]);
  });
});

describe('nobody decides about themselves', () => {
  it.each([
    ['the human on whose behalf an agent asks', {}, 'engineer@example.com'],
    ['whoever asks', { principal: 'alice@example.com', kind: 'human' as const, onBehalfOf: undefined }, 'alice@example.com'],
  ])('%s', async (_who, changed, reviewer) => {
    const here = world();
    const { request } = await ask(here, wish(changed as Partial<Wish>));
    expect(await codeOf(here.approvals.decide(signed(here, request, reviewer), operator(reviewer)))).toBe('APPROVAL_NOT_YOURS');
    expect(here.approvals.whyNot(here.approvals.find(request.id) as never, reviewer)).toBeDefined();
    expect(here.written.map(({ type }) => type)).toEqual(['approval.asked']);
  });

  it('with the key that the request came with, under another name', async () => {
    const here = world();
    const shared = keyOf(here.keys, 'alice@example.com');
    const { request } = await ask(here, wish({ actor: { ...agent, authentication: { method: 'certificate', key: shared.fingerprint } } }));
    expect(await codeOf(here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com')))).toBe(
      'APPROVAL_NOT_YOURS',
    );
  });

  it('while they wait for others by the same rule', async () => {
    const here = world();
    const { request } = await ask(here);
    const own = await ask(here, wish({ principal: 'bob@example.com', kind: 'human', onBehalfOf: 'bob@example.com' }));
    expect(await codeOf(here.approvals.decide(signed(here, request, 'bob@example.com'), operator('bob@example.com')))).toBe(
      'APPROVAL_NOT_YOURS',
    );
    own.abort.abort();
    await codeOf(own.consent);
    expect(await codeOf(here.approvals.decide(signed(here, request, 'bob@example.com'), operator('bob@example.com')))).toBe('done');
  });

  it.each([
    ['with a signature of another reviewer', (here: World, request: ApprovalRequest) => ({ ...signed(here, request, 'bob@example.com') })],
    [
      'with the key of another reviewer, saying it is their own',
      (here: World, request: ApprovalRequest) => ({
        ...signed(here, request, 'bob@example.com'),
        key: keyOf(here.keys, 'alice@example.com').line,
      }),
    ],
    [
      'with a decision for another digest',
      (here: World, request: ApprovalRequest) => signed(here, { ...request, digest: 'b'.repeat(64) }, 'alice@example.com'),
    ],
    [
      'with a decision about other arguments',
      (here: World, request: ApprovalRequest) => ({
        ...signed(here, { ...request, facts: { command: 'true' } }, 'alice@example.com'),
        digest: request.digest,
      }),
    ],
    [
      'with a denial turned into consent',
      (here: World, request: ApprovalRequest) => ({ ...signed(here, request, 'alice@example.com', 'deny'), verdict: 'approve' as const }),
    ],
    [
      'with another reason than was signed',
      (here: World, request: ApprovalRequest) => ({ ...signed(here, request, 'alice@example.com'), reason: 'other words' }),
    ],
    [
      'with a signature made for another purpose',
      (here: World, request: ApprovalRequest) => ({
        ...signed(here, request, 'alice@example.com'),
        signature: keyOf(here.keys, 'alice@example.com').sign(
          decisionText(ORIGIN, request, { verdict: 'approve', reviewer: 'alice@example.com', reason: 'as planned' }),
          'file',
        ),
      }),
    ],
    [
      'with a decision for another gateway',
      (here: World, request: ApprovalRequest) => ({
        ...signed(here, request, 'alice@example.com'),
        signature: keyOf(here.keys, 'alice@example.com').sign(
          decisionText('other.example/log', request, { verdict: 'approve', reviewer: 'alice@example.com', reason: 'as planned' }),
        ),
      }),
    ],
    [
      'with no signature at all',
      (here: World, request: ApprovalRequest) => ({ ...signed(here, request, 'alice@example.com'), signature: '' }),
    ],
  ])('nobody decides %s', async (_how, forged) => {
    const here = world();
    const { request } = await ask(here);
    expect(['APPROVAL_NOT_YOURS', 'APPROVAL_OVER', 'SIGNATURE_INVALID']).toContain(
      await codeOf(here.approvals.decide(forged(here, request), operator('alice@example.com'))),
    );
    expect(here.approvals.find(request.id)?.state).toBe('waiting');
    expect(here.written.map(({ type }) => type)).toEqual(['approval.asked']);
  });

  it('a decision that was given once cannot be given again for the same action', async () => {
    const here = world();
    const first = await ask(here);
    const given = signed(here, first.request, 'alice@example.com');
    await here.approvals.decide(given, operator('alice@example.com'));
    await first.consent;
    const second = await ask(here);
    expect(second.request.digest).toBe(first.request.digest);
    expect(await codeOf(here.approvals.decide(given, operator('alice@example.com')))).toBe('APPROVAL_NOT_FOUND');
    expect(await codeOf(here.approvals.decide({ ...given, approval: second.request.id }, operator('alice@example.com')))).toBe(
      'SIGNATURE_INVALID',
    );
  });

  it.each([
    ['outside of the rule', 'mallory@example.com'],
    ['unknown', 'nobody@example.com'],
  ])('somebody %s decides nothing', async (_who, name) => {
    const here = world();
    here.keys['nobody@example.com'] = reviewerKey();
    const { request } = await ask(here);
    expect(await codeOf(here.approvals.decide(signed(here, request, name), operator(name)))).toBe('APPROVAL_NOT_YOURS');
  });

  it('a reviewer who was disabled meanwhile decides nothing', async () => {
    const here = world();
    const { request } = await ask(here);
    here.reviewers.splice(0, 1, { ...(here.reviewers[0] as Reviewer), active: false });
    expect(await codeOf(here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com')))).toBe(
      'APPROVAL_NOT_YOURS',
    );
  });
});

describe('reasons', () => {
  it('are needed for denying, and for approving where the rule says so', async () => {
    const here = world();
    const { request } = await ask(here, wish({ rule: 'with-reason' }));
    for (const verdict of ['approve', 'deny'] as const)
      expect(
        await codeOf(here.approvals.decide(signed(here, request, 'alice@example.com', verdict, ''), operator('alice@example.com'))),
      ).toBe('REQUEST_INVALID');
    const free = await ask(here);
    expect(
      await codeOf(here.approvals.decide(signed(here, free.request, 'alice@example.com', 'approve', ''), operator('alice@example.com'))),
    ).toBe('done');
  });
});

describe('what an approval is good for', () => {
  it('is not what comes later when each use is to be asked about', async () => {
    const here = world();
    const session = uuidV7(1_772_358_600_000_000);
    const first = await ask(here, wish({ session, rule: 'session' }));
    await here.approvals.decide(signed(here, first.request, 'alice@example.com'), operator('alice@example.com'));
    await first.consent;
    const again = await ask(here, wish({ session, rule: 'session', eachUse: true }));
    expect(again.request.id).not.toBe(first.request.id);
  });

  it('is nothing beyond the session when that ended before the decision was recorded', async () => {
    const here = world();
    const session = uuidV7(1_772_358_600_000_000);
    const { request, consent } = await ask(here, wish({ session, rule: 'session' }));
    const decided = here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com'));
    here.approvals.sessionOver(session);
    await decided;
    await consent;
    const again = await ask(here, wish({ session, rule: 'session' }));
    expect(again.request.id).not.toBe(request.id);
  });

  it('is one use, of exactly what was asked', async () => {
    const here = world();
    const session = uuidV7(1_772_358_600_000_000);
    const { request, consent } = await ask(here, wish({ session }));
    await here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com'));
    await consent;
    const again = await ask(here, wish({ session }));
    expect(again.request.id).not.toBe(request.id);
  });

  it.each(['session', 'while'])('is more with a rule for a %s, and only for the same arguments', async (name) => {
    const here = world();
    const session = uuidV7(1_772_358_600_000_000);
    const { request, consent } = await ask(here, wish({ session, rule: name }));
    await here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com'));
    await consent;
    const none = new AbortController().signal;
    const covered = await here.approvals.obtain(wish({ session, rule: name }), none, () => expect.unreachable('it is covered'));
    expect(covered.approval).toBe(request.id);
    const uses = here.written.filter(({ type }) => type === 'grant.used');
    const use = { approval: request.id, askedIn: session };
    expect(uses.map(({ body }) => body)).toEqual([expect.objectContaining(use), expect.objectContaining(use)]);
    if (name === 'while') {
      await here.approvals.obtain(wish({ rule: name }), none, () => expect.unreachable('it is covered'));
      expect(here.written.at(-1)).toMatchObject({ type: 'grant.used', session: expect.not.stringContaining(session), body: use });
    }
    await ask(here, wish({ session, rule: name, facts: { command: 'systemctl stop web', terminal: false } }));
    await ask(here, wish({ session, rule: name, policySet: 'b'.repeat(64) }));
    await ask(here, wish({ session, rule: name, principal: 'other-bot' }));
    if (name === 'session') await ask(here, wish({ rule: name }));
    else here.now.micros += 61e6;
    here.approvals.sessionOver(session);
    await ask(here, wish({ session, rule: name }));
  });

  it('is nothing when its use cannot be recorded', async () => {
    const here = world();
    const { request, consent } = await ask(here);
    await here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com'));
    here.failing.append = true;
    await expect(consent).rejects.toMatchObject({ code: 'LEDGER_FAILED' });
  });

  it('is nothing when the decision cannot be recorded: it was not given', async () => {
    const here = world();
    const { request } = await ask(here);
    here.failing.append = true;
    expect(await codeOf(here.approvals.decide(signed(here, request, 'alice@example.com'), operator('alice@example.com')))).toBe(
      'LEDGER_FAILED',
    );
    here.failing.append = false;
    expect(here.approvals.find(request.id)?.state).toBe('waiting');
    expect(await codeOf(here.approvals.decide(signed(here, request, 'bob@example.com'), operator('bob@example.com')))).toBe('done');
  });
});

describe('break-glass', () => {
  it('is allowed at once and stays open until somebody else has reviewed it', async () => {
    const here = world();
    const none = new AbortController().signal;
    const consent = await here.approvals.obtain(wish({ rule: 'emergency' }), none, () => expect.unreachable('nobody waits'));
    expect(here.written.map(({ type }) => type)).toEqual(['approval.asked', 'grant.used']);
    const open = here.approvals.find(consent.approval);
    expect(open?.state).toBe('review');
    const { request } = open as NonNullable<typeof open>;
    expect(request.breakGlass).toBe(true);
    expect(await codeOf(here.approvals.decide(signed(here, request, 'engineer@example.com'), operator('engineer@example.com')))).toBe(
      'APPROVAL_NOT_YOURS',
    );
    await here.approvals.decide(signed(here, request, 'alice@example.com', 'deny', 'not an emergency'), operator('alice@example.com'));
    expect(here.written.at(-1)).toMatchObject({ type: 'review.signed', body: { verdict: 'deny' } });
    expect(here.approvals.open()).toEqual([]);
  });
});

describe('what cannot be asked is refused', () => {
  it.each([
    ['a rule that is not there', { rule: 'gone' }],
    ['more than a reviewer can be shown', { facts: { command: 'x'.repeat(30_000) } }],
    ['what has no canonical form', { facts: { command: 1.5 } }],
  ])('%s', async (_what, changed) => {
    const here = world();
    expect(await codeOf(here.approvals.obtain(wish(changed), new AbortController().signal, () => undefined))).toBe('APPROVAL_UNAVAILABLE');
    expect(here.written).toEqual([]);
  });

  it('when nobody could decide', async () => {
    const here = world();
    here.reviewers.splice(0, 3);
    expect(await codeOf(here.approvals.obtain(wish(), new AbortController().signal, () => undefined))).toBe('APPROVAL_UNAVAILABLE');
  });

  it('when one principal floods the reviewers', async () => {
    const here = world();
    for (let index = 0; index < 32; index += 1) await ask(here);
    expect(await codeOf(here.approvals.obtain(wish(), new AbortController().signal, () => undefined))).toBe('APPROVAL_UNAVAILABLE');
    await ask(here, wish({ principal: 'other-bot' }));
  });

  it('when it cannot be recorded: nobody is shown it', async () => {
    const here = world();
    here.failing.append = true;
    expect(await codeOf(here.approvals.obtain(wish(), new AbortController().signal, () => expect.unreachable('it is not durable')))).toBe(
      'LEDGER_FAILED',
    );
    expect(here.approvals.open()).toEqual([]);
  });
});
