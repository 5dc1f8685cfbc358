import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordDraft } from '../../../contract/record.ts';
import { draft } from '../../store/support.ts';
import { approval, makeReviewer, type Reviewer, request } from '../../support/approval-records.ts';
import { Belongings } from '../../support/temp.ts';
import { identity } from './approved-data.ts';
import { AuditedData, agent, decided, digest, finished, gatewayDraft, human, web } from './audited-data.ts';

const belongings = new Belongings();
let alice: Reviewer;
let engineer: Reviewer;
beforeAll(async () => {
  const directory = belongings.directory('reviewers');
  alice = await makeReviewer(directory, 'alice@example.com');
  engineer = await makeReviewer(directory, 'engineer@example.com');
});
afterAll(() => belongings.release());

const ASKED = '2026-03-01T10:00:01';
const DECIDED = '2026-03-01T10:00:20';
const USED = '2026-03-01T10:00:21';

async function open() {
  const data = await AuditedData.open();
  const session = await data.openSession('2026-03-01T10:00:00');
  return { data, session, origin: data.evidence.ledger.key.name };
}

describe('approvals', () => {
  it('say who approved what with which key, and whether before it happened', async () => {
    const { data, session, origin } = await open();
    const [good, late, forged, waiting] = [request(session), request(session), request(session), request(session)];
    await data.at(ASKED, ...[good, late, forged, waiting].map((each) => approval.asked(each)), approval.used(late));
    const mine = await approval.decided(origin, forged, alice);
    await data.at(DECIDED, await approval.decided(origin, good, alice), await approval.decided(origin, late, alice), {
      ...mine,
      body: { ...mine.body, signature: (await approval.decided(origin, forged, engineer)).body.signature },
    });
    await data.at(USED, approval.used(good));
    await data.closeSession('2026-03-01T11:00:00', session);
    await data.close();
    const { rows } = await data.audit('approvals');
    expect(rows).toHaveLength(4);
    expect(rows).toContainEqual({
      asked: '2026-03-01T10:00:01.000000Z',
      approval: good.id,
      human: 'engineer@example.com',
      principal: 'deploy-bot',
      kind: 'agent',
      target: 'web-1',
      action: 'ssh:exec',
      what: '{"command":"make deploy","terminal":false}',
      rule: 'production',
      needed: 1,
      state: 'approved',
      decided: '2026-03-01T10:00:20.000000Z',
      reviewers: ['alice@example.com approved'],
      keys: [alice.key.fingerprint],
      signatures: ['good'],
      reasons: ['looked at the change'],
      used: '2026-03-01T10:00:21.000000Z',
      uses: 1,
      before: 'yes',
      grants: 'one use',
      justification: 'release 4711',
      session,
      index: expect.any(Number),
    });
    expect(rows.find((row) => row.approval === late.id)).toMatchObject({ before: 'NO', used: '2026-03-01T10:00:01.000000Z' });
    expect(rows.find((row) => row.approval === forged.id)).toMatchObject({
      signatures: [expect.stringMatching(/^NOT GOOD: it does not verify/)],
    });
    expect(rows.find((row) => row.approval === waiting.id)).toMatchObject({ state: 'waiting', reviewers: [], before: null });
    expect((await data.audit('approvals', { filters: { principal: 'somebody' } })).rows).toEqual([]);
    expect((await data.audit('approvals', { to: '2026-02-28' })).rows).toEqual([]);
    // What was asked for before the period, and used in it.
    const from = (await data.audit('approvals', { from: '2026-03-01T10:00:21Z' })).rows;
    expect(from.map((row) => [row.approval, row.state, row.before])).toEqual([[good.id, 'approved', 'yes']]);
  });

  it('of a connection that was denied are no session', async () => {
    const data = await AuditedData.open();
    const session = '01951234-0000-7000-8000-00000000000a';
    const asked = request(session, { action: 'connect', facts: {} });
    await data.at(ASKED, approval.asked(asked));
    await data.at(DECIDED, await approval.decided(data.evidence.ledger.key.name, asked, alice, { verdict: 'deny', reason: 'no' }));
    await data.close();
    expect((await data.audit('approvals')).rows).toMatchObject([{ action: 'connect', state: 'denied', before: null }]);
    expect((await data.audit('sessions')).rows).toEqual([]);
    const { rows, statement } = await data.audit('refused');
    expect(rows).toMatchObject([
      { what: 'approval denied', principal: 'deploy-bot', reason: 'alice@example.com denied it: no', policies: ['production'] },
    ]);
    expect(statement.faults.count).toBe(0);
  });

  it('tell commands that were approved from those that were not', async () => {
    const { data, session, origin } = await open();
    const asks = (command: string, channel: number) => {
      const made = decided(session, 'ssh:exec', { command }, { channel });
      return { ...made, body: { ...made.body, decision: { ...made.body.decision, verdict: 'ask' as const } } };
    };
    const [yes, no] = [request(session), request(session, { channel: 1 })];
    await data.at(ASKED, asks('yes', 0), approval.asked(yes), asks('no', 1), approval.asked(no), asks('forced', 2));
    await data.at(DECIDED, await approval.decided(origin, yes, alice), await approval.decided(origin, no, alice, { verdict: 'deny' }));
    await data.at(USED, approval.used(yes), finished(session, 'ssh:exec', 0, 0), finished(session, 'ssh:exec', 0, 2));
    await data.closeSession('2026-03-01T11:00:00', session);
    await data.close();
    expect((await data.audit('commands')).rows.map((row) => [row.command, row.outcome])).toEqual([
      ['yes', 'success'],
      ['forced', 'carried out WITHOUT the approval that policy asks for'],
      ['no', 'not approved'],
    ]);
    expect((await data.audit('refused')).rows.map((row) => row.what)).toEqual(['approval denied']);
    expect((await data.audit('justification')).rows.map((row) => [row.justification, row.reasons])).toEqual([
      ['release 4711', ['alice@example.com: looked at the change']],
      ['release 4711', ['alice@example.com: looked at the change']],
    ]);
  });
});

describe('self-approvals', () => {
  it('are none where there are none, and the answer says how many decisions were looked at', async () => {
    const { data, session, origin } = await open();
    const asked = request(session);
    await data.at(ASKED, approval.asked(asked));
    await data.at(DECIDED, await approval.decided(origin, asked, alice));
    await data.close();
    const { rows, statement } = await data.audit('self-approvals');
    expect(rows).toEqual([]);
    expect(statement).toMatchObject({ answered: 'fully', remarks: [expect.stringMatching(/^1 decision was looked at/)] });
  });

  it('are found: by the human behind the agent, and with a key that signed for two', async () => {
    const { data, session, origin } = await open();
    const [own, first, second] = [request(session), request(session), request(session)];
    await data.at(ASKED, ...[own, first, second].map((each) => approval.asked(each)));
    await data.at(
      DECIDED,
      await approval.decided(origin, own, engineer),
      await approval.decided(origin, first, alice),
      await approval.decided(origin, second, { name: 'carol@example.com', key: alice.key }),
    );
    await data.close();
    const { rows, statement } = await data.audit('self-approvals');
    expect(rows.map((row) => [row.reviewer, row.conflict, row.key])).toEqual([
      ['engineer@example.com', expect.stringContaining('who acts for them'), engineer.key.fingerprint],
      ['carol@example.com', expect.stringContaining('with the key that alice@example.com had signed with'), alice.key.fingerprint],
    ]);
    expect(statement.remarks).toEqual([expect.stringMatching(/^3 decisions were looked at/)]);
  });
});

describe('break-glass', () => {
  it('is told with its review, also when that comes days after the session, and without one', async () => {
    const { data, session, origin } = await open();
    const [reviewed, alone] = [request(session, { breakGlass: true }), request(session, { breakGlass: true })];
    await data.at(ASKED, approval.asked(reviewed), approval.asked(alone), approval.used(reviewed), approval.used(alone));
    await data.closeSession('2026-03-01T11:00:00', session);
    await data.at(
      '2026-03-05T09:00:00',
      await approval.reviewed(origin, reviewed, alice, { verdict: 'deny', reason: 'there was no incident' }),
    );
    await data.close();
    const { rows } = await data.audit('break-glass');
    expect(rows.map((row) => [row.approval, row.review, row.reviewed, row.reasons])).toEqual([
      [reviewed.id, 'objected to', '2026-03-05T09:00:00.000000Z', ['there was no incident']],
      [alone.id, 'not reviewed', null, []],
    ]);
    // In a period that has the review alone, the request comes from before it.
    expect((await data.audit('break-glass', { from: '2026-03-05' })).rows).toMatchObject([
      { approval: reviewed.id, used: '2026-03-01T10:00:01.000000Z' },
    ]);
  });
});

describe('time-bound', () => {
  it('has what was granted, used, expired, withdrawn and issued, each with its end', async () => {
    const { data, session, origin } = await open();
    const [timed, late, gone] = [request(session, { grants: 600 }), request(session), request(session)];
    await data.at(ASKED, ...[timed, late, gone].map((each) => approval.asked(each)));
    const by = { outcome: 'success', actor: human, target: { name: 'gateway-1', kind: 'gateway' } } as const;
    await data.at(DECIDED, await approval.decided(origin, timed, alice), approval.ended(gone, 'approval.withdrawn'));
    await data.at(
      '2026-03-01T10:01:01',
      approval.used(timed),
      approval.ended(late, 'approval.expired'),
      {
        ...by,
        type: 'credential.issued',
        body: {
          credential: 'ssh-certificate',
          id: '7',
          principal: 'deploy-bot',
          validFrom: 'a',
          validTo: 'b',
          targets: ['web-1'],
          proof: { method: 'oidc' },
        },
      },
      { ...by, type: 'credential.revoked', body: { credential: 'ssh-certificate', id: '7', reason: 'lost' } },
      { ...by, type: 'principal.locked', body: { principal: 'deploy-bot', reason: 'odd', sessions: 2 } },
    );
    await data.close();
    expect((await data.audit('time-bound')).rows.map((row) => [row.what, row.event, row.whose, row.until])).toEqual([
      ['approval', 'granted', 'deploy-bot', '2026-03-01T10:10:20.000000Z'],
      ['approval', 'withdrawn', 'deploy-bot', null],
      ['approval', 'used', 'deploy-bot', null],
      ['approval', 'expired', 'deploy-bot', null],
      ['certificate', 'issued', 'deploy-bot', 'b'],
      ['certificate', 'revoked', null, null],
      ['principal', 'locked', 'deploy-bot', null],
    ]);
  });
});

describe('leavers', () => {
  it('are told with what was seen of them afterwards, also of those who left before the period', async () => {
    const data = await AuditedData.open();
    await data.at('2026-01-10T00:00:00', identity('old@example.com', 'removed'), identity('quiet@example.com', 'removed'));
    await data.at('2026-03-01T00:00:00', identity('engineer@example.com', 'disabled'), identity('back@example.com', 'disabled'));
    await data.session('2026-03-02T00:00:00', '2026-03-02T01:00:00');
    const refused = gatewayDraft.refusedLogIn('192.0.2.9:7');
    await data.at(
      '2026-03-03T00:00:00',
      { ...refused, body: { ...refused.body, reason: 'deploy-bot acts for engineer@example.com, who is disabled' } },
      { ...refused, body: { ...refused.body, reason: 'old@example.com is disabled' } },
      identity('back@example.com', 'known'),
    );
    await data.close();
    const { rows } = await data.audit('leavers', { from: '2026-03-01' });
    expect(rows.map((row) => [row.principal, row.what, row.sessions_after, row.refused_after, row.until])).toEqual([
      ['back@example.com', 'disabled', 0, 0, '2026-03-03T00:00:00.000000Z'],
      ['old@example.com', 'removed', 0, 1, null],
      ['engineer@example.com', 'disabled', 1, 1, null],
    ]);
  });
});

describe('changes and policy', () => {
  const by = {
    outcome: 'success',
    actor: { principal: 'gateway', kind: 'gateway', source: 'gateway-1' },
    target: { name: 'gateway-1', kind: 'gateway' },
  } as const;
  const policy = (policySet: string, text: string, part = 1, parts = 1): RecordDraft<'policy.changed'> => ({
    ...by,
    type: 'policy.changed',
    body: { policySet, source: 'cedar', text, part, parts },
  });

  it('name the text that allowed an access, also where it came into force long before and in parts', async () => {
    const data = await AuditedData.open();
    await data.at(
      '2026-02-01T00:00:00',
      gatewayDraft.start(),
      policy(digest, 'permit (', 1, 2),
      policy(digest, 'principal, action, resource);', 2, 2),
    );
    const session = await data.openSession('2026-03-01T10:00:00');
    await data.at('2026-03-01T10:00:01', decided(session, 'ssh:exec', { command: 'id' }), decided(session, 'ssh:exec', { command: 'ls' }));
    await data.close();
    for (const period of [{}, { from: '2026-03-01' }]) {
      const { rows } = await data.audit('policy-in-force', period);
      const acted = rows.filter((row) => row.action === 'ssh:exec');
      expect(acted.map((row) => row.policy_text)).toEqual(['permit (principal, action, resource);', null]);
      expect(new Set(acted.map((row) => row.policy_index)).size).toBe(1);
    }
  });

  it('are told: policies, operators, identities, locks', async () => {
    const data = await AuditedData.open();
    await data.at(
      '2026-03-01T00:00:00',
      gatewayDraft.start(),
      policy(digest, 'permit …'),
      identity('alice', 'known', { operator: ['reviewer'] }),
    );
    await data.at('2026-03-02T00:00:00', policy('e'.repeat(64), 'a', 1, 2), policy('e'.repeat(64), 'b', 2, 2));
    await data.at('2026-03-02T00:00:01', identity('alice', 'known'), identity('bob', 'known', { groups: ['on-call'] }));
    await data.at('2026-03-02T00:00:02', {
      ...by,
      type: 'principal.locked',
      actor: human,
      body: { principal: 'bot', reason: 'odd', sessions: 0 },
    });
    await data.close();
    const { rows } = await data.audit('changes', { from: '2026-03-02' });
    expect(rows.map((row) => [row.what, row.before, row.after])).toEqual([
      ['policy', digest, 'e'.repeat(64)],
      ['operator', 'known, operator reviewer', 'known'],
      ['identity', null, 'known, groups on-call'],
      ['lock', null, 'bot'],
    ]);
  });
});

describe('mfa', () => {
  it('says what the provider states, of a log-in and of the certificate that was issued for one', async () => {
    const data = await AuditedData.open();
    const provider = { issuer: 'https://id.example.com', subject: '7', amr: ['pwd', 'mfa'], acr: 'urn:2' };
    const method = { authentication: { method: 'oidc', provider } };
    await data.at('2026-03-01T09:59:00', {
      type: 'credential.issued',
      outcome: 'success',
      actor: { ...human, ...method },
      target: { name: 'gateway-1', kind: 'gateway' },
      body: { credential: 'ssh-certificate', id: '77', principal: human.principal, validFrom: 'a', validTo: 'b', proof: {} },
    });
    const certificate = { id: 'c', serial: '77', ca: 'SHA256:ca', validTo: 'b' };
    await data.session('2026-03-01T10:00:00', '2026-03-01T11:00:00', {
      actor: { ...human, authentication: { method: 'certificate', certificate } },
    });
    const weak = { ...provider, amr: ['pwd'] };
    await data.session('2026-03-02T10:00:00', '2026-03-02T11:00:00', {
      actor: { ...human, authentication: { method: 'oidc', provider: weak } },
    });
    await data.session('2026-03-03T10:00:00', '2026-03-03T11:00:00', { actor: agent, target: web });
    await data.close();
    expect((await data.audit('mfa')).rows.map((row) => [row.method, row.amr, row.second_factor])).toEqual([
      ['certificate', ['pwd', 'mfa'], 'stated by the provider'],
      ['oidc', ['pwd'], 'not stated by the provider'],
      ['publickey', null, 'not recorded'],
    ]);
  });
});

describe('a session with approvals', () => {
  it('is one session, from its opening to its end, however late somebody reviews it', async () => {
    const data = await AuditedData.open();
    const session = '01951234-0000-7000-8000-00000000000b';
    const origin = data.evidence.ledger.key.name;
    const asked = request(session, { action: 'connect', facts: {}, breakGlass: true });
    await data.at('2026-03-01T10:00:00', approval.asked(asked), approval.used(asked));
    await data.at('2026-03-01T10:00:02', draft.sessionOpen(session));
    await data.closeSession('2026-03-01T11:00:00', session);
    await data.at('2026-03-09T00:00:00', await approval.reviewed(origin, asked, alice));
    await data.close();
    const { rows, statement } = await data.audit('sessions');
    expect(rows).toMatchObject([{ session, started: '2026-03-01T10:00:02.000000Z', state: 'closed' }]);
    expect(statement.faults.count).toBe(0);
    expect((await data.audit('sessions', { from: '2026-03-05' })).rows).toEqual([]);
  });
});
