import { describe, expect, it } from 'vitest';
import { recordBodies } from '../../../contract/record.ts';
import { uuidV7 } from '../../../gateway/base/ids.ts';
import { isAnswered, questions } from '../../../gateway/query/audit/questions.ts';
import { draft } from '../../store/support.ts';
import { everyKindOfApproval } from './approved-data.ts';
import { AuditedData, agent, decided, digest, finished, gatewayDraft, human, web } from './audited-data.ts';

const other = 'b'.repeat(64);

describe('who', () => {
  it('names the human behind each principal, and how the principal was identified', async () => {
    const data = await AuditedData.open();
    await data.session('2026-03-01T10:00:00', '2026-03-01T11:00:00');
    await data.session('2026-03-02T10:00:00', '2026-03-02T11:00:00');
    await data.session('2026-03-03T10:00:00', '2026-03-03T11:00:00', { actor: human });
    await data.close();
    const { rows } = await data.audit('who');
    expect(rows).toEqual([
      {
        human: 'engineer@example.com',
        principal: 'deploy-bot',
        kind: 'agent',
        method: 'publickey',
        key: 'SHA256:abc',
        sessions: 2,
        first: '2026-03-01T10:00:00.000000Z',
        last: '2026-03-02T10:00:00.000000Z',
      },
      expect.objectContaining({
        human: 'engineer@example.com',
        principal: 'engineer@example.com',
        kind: 'human',
        key: 'SHA256:def',
        sessions: 1,
      }),
    ]);
  });

  it('says of a second factor that it is not recorded, and never that there was none', async () => {
    const data = await AuditedData.open();
    await data.session('2026-03-01T10:00:00', '2026-03-01T11:00:00');
    await data.close();
    const { rows, statement } = await data.audit('mfa');
    expect(rows).toMatchObject([{ method: 'publickey', second_factor: 'not recorded' }]);
    expect(statement).toMatchObject({
      answered: 'partly',
      limits: expect.arrayContaining([expect.stringContaining('a second factor is not recorded')]),
    });
  });
});

describe('commands', () => {
  it('are given with how they ended, also when that is recorded after the period', async () => {
    const data = await AuditedData.open();
    const session = await data.openSession('2026-03-01T10:00:00');
    await data.at('2026-03-01T10:00:01', decided(session, 'ssh:exec', { command: 'make deploy', terminal: false }));
    await data.at('2026-04-01T00:00:00', finished(session, 'ssh:exec', 2));
    await data.closeSession('2026-04-01T00:00:01', session);
    await data.close();
    const whole = {
      session,
      command: 'make deploy',
      verdict: 'allow',
      exit_status: 2,
      outcome: 'failure',
      ended: '2026-04-01T00:00:00.000000Z',
      human: 'engineer@example.com',
    };
    for (const period of [{ from: '2026-03-01', to: '2026-03-01' }, { from: '2026-03-15', to: '2026-03-20' }, { from: '2026-04-01' }])
      expect((await data.audit('commands', period)).rows, JSON.stringify(period)).toMatchObject([whole]);
    expect((await data.audit('commands', { from: '2026-04-02' })).rows).toEqual([]);
    expect((await data.audit('commands', { to: '2026-02-28' })).rows).toEqual([]);
  });

  it('of channels at the same time are kept apart; what was cut off has no result', async () => {
    const data = await AuditedData.open();
    const session = await data.openSession('2026-03-01T10:00:00');
    await data.at('2026-03-01T10:00:01', decided(session, 'ssh:exec', { command: 'one' }, { channel: 0 }));
    await data.at('2026-03-01T10:00:02', decided(session, 'ssh:exec', { command: 'two' }, { channel: 1 }));
    await data.at('2026-03-01T10:00:03', decided(session, 'ssh:shell', { terminal: true }, { channel: 2 }));
    await data.at('2026-03-01T10:00:04', decided(session, 'ssh:exec', { command: 'refused' }, { channel: 3, verdict: 'deny' }));
    await data.at('2026-03-01T10:00:05', finished(session, 'ssh:exec', 0, 1));
    await data.at('2026-03-01T10:00:06', draft.channelClose(session, 0, {}));
    await data.at('2026-03-01T12:00:00', draft.sessionRecovered(session, 2, 1));
    await data.close();
    const { rows, statement } = await data.audit('commands');
    expect(rows.map((row) => [row.command, row.outcome, row.exit_status])).toEqual([
      ['refused', 'refused', null],
      ['two', 'success', 0],
      ['one', 'ended without a result', null],
      [null, 'ended without a result', null],
    ]);
    expect(statement.limits).toContainEqual(expect.stringContaining('typed into a shell at a terminal is in no record'));
  });

  it('of agents come with the human for whom they acted; those of humans are not among them', async () => {
    const data = await AuditedData.open();
    const byAgent = await data.openSession('2026-03-01T10:00:00');
    await data.at('2026-03-01T10:00:01', decided(byAgent, 'ssh:exec', { command: 'id' }));
    await data.at('2026-03-01T10:00:02', decided(byAgent, 'ssh:forward', { direction: 'local', to: 'db:5432' }));
    const byHuman = await data.openSession('2026-03-01T11:00:00', { actor: human });
    await data.at('2026-03-01T11:00:01', decided(byHuman, 'ssh:exec', { command: 'whoami' }, { actor: human }));
    await data.close();
    const { rows, statement } = await data.audit('agent-actions');
    expect(rows).toMatchObject([
      { action: 'ssh:forward', what: '{"direction":"local","to":"db:5432"}', human: 'engineer@example.com', outcome: 'allowed' },
      { action: 'ssh:exec', what: 'id', principal: 'deploy-bot', human: 'engineer@example.com', outcome: 'no end is recorded' },
    ]);
    expect(statement).toMatchObject({ answered: 'partly', limits: expect.arrayContaining([expect.stringContaining('Tool calls (MCP)')]) });
  });
});

describe('policy-in-force', () => {
  it('says which configuration was in force when each session began, also before the period', async () => {
    const data = await AuditedData.open();
    await data.at('2026-02-01T00:00:00', gatewayDraft.start(digest));
    const old = await data.openSession('2026-02-01T10:00:00');
    await data.at('2026-02-02T00:00:00', gatewayDraft.configuration(other, digest));
    const young = await data.openSession('2026-03-01T10:00:00');
    await data.at('2026-03-01T10:00:01', decided(old, 'ssh:exec', { command: 'id' }));
    await data.at('2026-03-01T10:00:02', decided(old, 'ssh:exec', { command: 'rm' }, { verdict: 'deny' }));
    await data.closeSession('2026-03-02T00:00:00', old);
    await data.closeSession('2026-03-02T00:00:00', young);
    await data.close();
    const { rows } = await data.audit('policy-in-force', { from: '2026-03-01' });
    expect(rows.map((row) => [row.session, row.action, row.configuration])).toEqual([
      [young, 'connect', other],
      [old, 'ssh:exec', digest],
      [old, 'connect', digest],
    ]);
  });
});

describe('entry-points', () => {
  it('count sessions and refusals by where they came from and what protected them', async () => {
    const data = await AuditedData.open();
    await data.session('2026-03-01T10:00:00', '2026-03-01T11:00:00'); // as before 0.2: nothing was negotiated on record
    const session = await data.openSession('2026-03-02T10:00:00', { actor: human });
    await data.closeSession('2026-03-02T11:00:00', session);
    const transport = {
      keyExchange: 'curve25519-sha256',
      hostKey: 'ssh-ed25519',
      cipher: { in: 'aes128-gcm@openssh.com', out: 'aes128-gcm@openssh.com' },
      mac: { in: 'none', out: 'none' },
    };
    const open = draft.sessionOpen(session);
    await data.at('2026-03-03T10:00:00', {
      ...open,
      session: uuidV7(Date.parse('2026-03-03T10:00:00Z') * 1000),
      body: { ...open.body, transport },
    });
    await data.at('2026-03-04T00:00:00', gatewayDraft.refusedLogIn('192.0.2.7:50023'), gatewayDraft.refusedLogIn('198.51.100.1:1', 'root'));
    await data.close();
    const { rows } = await data.audit('entry-points');
    expect(rows).toEqual([
      expect.objectContaining({ address: '192.0.2.7', cipher_in: null, sessions: 1, refused: 0 }),
      expect.objectContaining({ address: '2001:db8::1', sessions: 1 }),
      expect.objectContaining({ address: '192.0.2.7', client: null, sessions: 0, refused: 1 }),
      expect.objectContaining({ address: '198.51.100.1', sessions: 0, refused: 1 }),
      expect.objectContaining({
        address: '192.0.2.7',
        key_exchange: 'curve25519-sha256',
        cipher_in: 'aes128-gcm@openssh.com',
        mac_out: 'none',
        sessions: 1,
      }),
    ]);
  });
});

describe('refused', () => {
  it('has log-ins, sessions and actions, each with its reason', async () => {
    const data = await AuditedData.open();
    await data.at('2026-03-01T00:00:00', gatewayDraft.refusedLogIn('192.0.2.9:7', 'root'), gatewayDraft.refusedSession(agent));
    const session = await data.openSession('2026-03-01T10:00:00');
    await data.at('2026-03-01T10:00:01', decided(session, 'ssh:forward', { direction: 'local' }, { verdict: 'deny' }));
    await data.at('2026-03-01T10:00:02', decided(session, 'ssh:exec', { command: 'id' }));
    await data.close();
    const { rows } = await data.audit('refused');
    expect(rows).toMatchObject([
      { what: 'log-in', user: 'root', human: null, reason: 'no principal has this key', source: '192.0.2.9:7' },
      { what: 'session', principal: 'deploy-bot', human: 'engineer@example.com', code: 'ACCESS_DENIED', target: 'web-1' },
      { what: 'action', requested: 'ssh:forward {"direction":"local"}', session, protocol: 'ssh' },
    ]);
    expect((await data.audit('refused', { filters: { protocol: 'mysql' } })).rows).toEqual([]);
    // A refused log-in establishes nobody, so a filter by principal would leave it out without a word.
    await expect(data.audit('refused', { filters: { principal: 'root' } })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('log-health', () => {
  it('tells a gateway that stopped in order from one that was killed', async () => {
    const data = await AuditedData.open();
    await data.at('2026-03-01T00:00:00', gatewayDraft.start());
    await data.at('2026-03-02T00:00:00', gatewayDraft.stop());
    await data.at('2026-03-02T01:00:00', gatewayDraft.start());
    const session = await data.openSession('2026-03-03T00:00:00');
    await data.at('2026-03-04T00:00:00', draft.sessionRecovered(session, 0, 1), gatewayDraft.start());
    await data.close();
    const { rows } = await data.audit('log-health');
    expect(rows.map((row) => [row.what, row.words])).toEqual([
      ['ledger', expect.stringContaining('began with 0 older records')],
      ['start', expect.stringContaining('listening on ssh')],
      ['stop', 'stopped in order: SIGTERM'],
      ['down', expect.stringMatching(/^no gateway ran since 2026-03-02T00:00:00.000000Z .*, 3600 s$/)],
      ['start', expect.any(String)],
      ['recovered', expect.stringContaining('7 torn bytes')],
      ['crash', expect.stringContaining('had started at 2026-03-02T01:00:00.000000Z')],
      ['start', expect.any(String)],
    ]);
    // What ran when the period began is known from before it.
    expect((await data.audit('log-health', { from: '2026-03-04' })).rows.map((row) => row.what)).toEqual(['recovered', 'crash', 'start']);
  });

  it('has what is wrong with the records themselves', async () => {
    const data = await AuditedData.open();
    await data.session('2026-03-01T00:00:00', '2026-03-01T01:00:00');
    await data.close();
    await data.tamper('DELETE FROM records WHERE seq = 2');
    const { rows, statement } = await data.audit('log-health');
    expect(rows.at(-1)).toMatchObject({ what: 'fault', words: 'Record 1 is missing' });
    expect(statement.rows).toBe(rows.length);
  });

  it('has holds, erasures, low disk, runs of the retention and changed keys', async () => {
    const data = await AuditedData.open();
    const session = await data.session('2026-03-01T00:00:00', '2026-03-01T01:00:00');
    const by = { outcome: 'success', actor: human, target: { name: 'gateway-1', kind: 'gateway' } } as const;
    await data.at(
      '2026-03-02T00:00:00',
      { ...by, type: 'storage.changed', body: { state: 'low', free: 5, reserve: 10 } },
      { ...by, type: 'hold.set', body: { hold: session, scope: { principal: 'deploy-bot' }, reason: 'case 7' } },
      { ...by, type: 'hold.cleared', body: { hold: session, reason: 'closed' } },
      { ...by, type: 'retention.run', body: { trigger: 'daily', expired: 1, held: 2, records: 3, bytes: 4 } },
      { ...by, type: 'key.rotated', body: { origin: 'o', previous: 'a', next: 'b', endorsed: false } },
    );
    await data.close();
    const { rows } = await data.audit('log-health', { from: '2026-03-02' });
    expect(rows.map((row) => row.words)).toEqual([
      'space is low: 5 bytes free of a reserve of 10',
      expect.stringMatching(/^engineer@example\.com set hold .*"deploy-bot"\}: case 7$/),
      expect.stringMatching(/^engineer@example\.com cleared hold .*: closed$/),
      'daily run: 1 sessions expired, 2 held, 3 refusals erased, 4 bytes deleted',
      'not endorsed change from a to b',
      // A key that is none of the ledger's: the record names it, and no checkpoint is signed with it.
      expect.stringContaining('This is no key of a ledger'),
    ]);
  });
});

describe('changes', () => {
  it('tell a configuration that was changed in operation from one that was changed in between, and software', async () => {
    const data = await AuditedData.open();
    await data.at('2026-03-01T00:00:00', gatewayDraft.start(digest));
    await data.at('2026-03-02T00:00:00', gatewayDraft.configuration(other, digest));
    await data.at('2026-03-03T00:00:00', gatewayDraft.stop());
    await data.at('2026-03-03T01:00:00', gatewayDraft.start(other, { version: '0.3.0' }));
    await data.at('2026-03-04T00:00:00', gatewayDraft.stop());
    await data.at('2026-03-04T01:00:00', gatewayDraft.start('c'.repeat(64), { version: '0.3.0' }));
    await data.close();
    const { rows } = await data.audit('changes', { from: '2026-03-02' });
    expect(rows.map((row) => [row.what, row.before, row.after, row.words])).toEqual([
      ['configuration', digest, other, 'taken into force while the gateway ran'],
      ['software', expect.stringMatching(/^0\.2\.0, /), expect.stringMatching(/^0\.3\.0, /), 'another version at a start'],
      ['configuration', other, 'c'.repeat(64), expect.stringContaining('while the gateway did not run')],
    ]);
  });

  it('have the signing keys that operators registered, were refused and lost', async () => {
    const data = await AuditedData.open();
    const key = { operator: 'engineer@example.com', key: 'ssh-ed25519 AAAA', fingerprint: 'SHA256:ghi', label: 'laptop' };
    const common = { type: 'operator.key', actor: human, target: { name: 'gateway-1', kind: 'gateway' } } as const;
    await data.at(
      '2026-03-02T00:00:00',
      { ...common, outcome: 'denied', body: { ...key, change: 'added', reason: 'too late' } },
      { ...common, outcome: 'success', body: { ...key, change: 'added', signature: 'x' } },
      { ...common, outcome: 'success', body: { ...key, change: 'removed', reason: 'lost' } },
    );
    await data.close();
    const { rows } = await data.audit('changes', { from: '2026-03-02' });
    expect(rows.filter(({ what }) => what === 'key').map((row) => [row.before, row.after, row.words])).toEqual([
      ['SHA256:ghi', 'refused', 'a signing key of engineer@example.com (laptop) was not registered: too late'],
      [null, 'SHA256:ghi', 'a signing key of engineer@example.com (laptop) was registered'],
      ['SHA256:ghi', 'removed', 'a signing key of engineer@example.com (laptop) was removed: lost'],
    ]);
  });
});

describe('viewed-exported', () => {
  it('has every bundle, every look at a session and every search', async () => {
    const data = await AuditedData.open();
    const session = await data.session('2026-02-01T10:00:00', '2026-02-01T11:00:00');
    await data.at('2026-03-01T00:00:00', {
      type: 'access.exported',
      outcome: 'success',
      actor: human,
      target: { name: 'gateway-1', kind: 'gateway' },
      body: { question: { principal: 'deploy-bot' }, sessions: 3, records: 40, leftOut: 1, manifest: digest },
    });
    const by = { outcome: 'success', actor: human, target: web } as const;
    await data.at(
      '2026-03-02T00:00:00',
      { ...by, type: 'access.viewed', session, body: { how: 'watch', channel: 0, from: 1_500_000_000, to: 90_000_000_000 } },
      { ...by, type: 'access.viewed', session, body: { how: 'transcript' } },
      { ...by, type: 'access.searched', body: { query: { text: 'rm' }, results: 7 } },
    );
    await data.close();
    const { rows, statement } = await data.audit('viewed-exported');
    expect(rows).toMatchObject([
      { what: 'exported', who: 'engineer@example.com', sessions: 3, left_out: 1, question: '{"principal":"deploy-bot"}' },
      { what: 'watched', who: 'engineer@example.com', session, target: 'web-1', channel: 0, from_seconds: 1.5, to_seconds: 90 },
      { what: 'read', session, channel: null, from_seconds: null },
      { what: 'searched', results: 7, question: '{"text":"rm"}' },
    ]);
    expect(statement.limits).toContainEqual(expect.stringContaining('without the gateway'));
    // What is said of a session afterwards does not make it one that runs on.
    expect((await data.audit('sessions')).rows).toMatchObject([{ session, state: 'closed' }]);
    expect((await data.audit('sessions', { from: '2026-03-02' })).rows).toEqual([]);
  });
});

describe('a question', () => {
  it('that is not answered, or in part, needs records that no version writes yet: when one does, this has to change', () => {
    for (const question of questions)
      for (const type of question.missing) expect(Object.hasOwn(recordBodies, type), `${question.name} needs ${type}`).toBe(false);
  });

  it('that is not answered says so, and reads nothing', async () => {
    const data = await AuditedData.open();
    await data.close();
    const silent = questions.filter((question) => !isAnswered(question));
    expect(silent.map(({ name }) => name)).toContain('data-read-changed');
    for (const { name } of silent) {
      const { rows, statement } = await data.audit(name);
      expect(rows).toEqual([]);
      expect(statement, name).toMatchObject({ answered: 'no', limits: [expect.any(String)] });
    }
  });

  it('gives every row the columns that it promises, and no others', async () => {
    const data = await AuditedData.open();
    await data.at('2026-03-01T00:00:00', gatewayDraft.start(), gatewayDraft.refusedLogIn('192.0.2.9:7'));
    const session = await data.openSession('2026-03-01T10:00:00');
    await data.at('2026-03-01T10:00:01', decided(session, 'ssh:exec', { command: 'id' }));
    await data.at('2026-03-01T10:00:02', {
      type: 'access.exported',
      outcome: 'success',
      actor: human,
      target: web,
      body: { question: {}, sessions: 0, records: 0, leftOut: 0, manifest: digest },
    });
    await everyKindOfApproval(data, session);
    await data.session('2026-03-02T10:00:00', '2026-03-02T11:00:00');
    await data.close();
    for (const question of questions.filter(isAnswered)) {
      const { rows } = await data.audit(question.name);
      if (question.name === 'self-approvals') expect(rows).toHaveLength(1);
      expect(rows.length, question.name).toBeGreaterThan(0);
      const names = question.columns.map(({ name }) => name).toSorted();
      for (const row of rows) expect(Object.keys(row).toSorted(), question.name).toEqual(names);
    }
  });

  it('whose records are of a later version says that it does not know them', async () => {
    const data = await AuditedData.open();
    await data.session('2026-03-01T10:00:00', '2026-03-01T11:00:00');
    await data.close();
    await data.tamper(
      "UPDATE records SET type = 'moon.phase', bytes = CAST(replace(CAST(bytes AS TEXT), 'session.close', 'moon.phase') AS BLOB) WHERE seq = 3",
    );
    expect((await data.audit('sessions')).statement.unknownTypes).toEqual({ 'moon.phase': 1 });
  });
});
