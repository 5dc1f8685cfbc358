import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportState, OperationOutput, Verification } from '../../../contract/operator-api.ts';
import type { Finding } from '../../../gateway/query/verify/finding.ts';
import { verifyBundle } from '../../../gateway/query/verify/verify-bundle.ts';
import { recordsOf } from '../../support/records.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import { type Answer, ask, send } from '../api-client.ts';
import { download } from './download.ts';
import { openReviewedWorld, type ReviewedWorld } from './reviewed-world.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

type SessionVerdict = OperationOutput<'session.verify'>;

let world: ReviewedWorld;
let session: string;
let formula: string;
const nowhere = '01a205e1-e790-7000-8000-000000000000';

beforeAll(async () => {
  world = await openReviewedWorld(
    belongings,
    { auditor: ['auditor'], reviewer: ['reviewer'], admin: ['admin'], second: ['auditor'] },
    { recording: { segment: '64KiB', reserve: '1MiB' } },
  );
  session = await world.execute('seq 1 30000');
  formula = await world.execute('=cmd|"/c calc"!A0; true');
});

async function verified(id: string, who = 'auditor'): Promise<SessionVerdict> {
  const { status, body, text } = await world.as(who, 'session.verify', { session: id });
  expect({ status, text }).toMatchObject({ status: 200 });
  return body as unknown as SessionVerdict;
}

async function verifyAll(): Promise<Verification> {
  expect((await world.as('auditor', 'evidence.verify')).body).toMatchObject({ ok: null, ended: null, by: 'auditor' });
  return until('the verification', async () => {
    const { body } = await world.as('reviewer', 'evidence.status');
    const { verification } = body as unknown as OperationOutput<'evidence.status'>;
    return verification?.ended == null ? undefined : verification;
  });
}

/** Does something to a file, and undoes it. */
async function withChanged(path: string, work: () => Promise<void>): Promise<void> {
  const whole = readFileSync(path);
  const changed = Buffer.from(whole);
  changed[Math.floor(changed.length / 2)] = (changed[Math.floor(changed.length / 2)] as number) ^ 1;
  writeFileSync(path, changed);
  try {
    await work();
  } finally {
    writeFileSync(path, whole);
  }
}

const firstSegment = (id: string): Promise<string> =>
  world.withDatabase(async (database) => join(world.gateway.data, (await database.segments.ofSession(id))[0]?.file ?? ''));

async function evidenceOf(id: string): Promise<unknown> {
  const { body } = await world.as('auditor', 'session.show', { session: id });
  return (body.summary as { evidence: unknown }).evidence;
}

describe('one session', () => {
  it('is proved against the ledger, step by step', async () => {
    expect(await evidenceOf(session)).toBe('committed');
    const signed = await world.signedReview('auditor', session);
    expect((await world.as('auditor', 'review.sign', signed)).status).toBe(200);
    const found = await verified(session);
    expect(found).toMatchObject({ ok: true, faults: [] });
    expect(found.steps.map(({ name, ok }) => [name, ok])).toEqual(
      ['records', 'checkpoint', 'inclusion', 'recordings', 'continuity', 'approvals', 'sign-offs'].map((name) => [name, true]),
    );
    expect(found.segments).toBeGreaterThan(1);
    expect(found.steps.find(({ name }) => name === 'sign-offs')?.words).toBe('1 sign-off, each signed by its reviewer');
    const count = await world.withDatabase(async (database) => (await database.records.ofSession(session)).length);
    expect(found.records).toBe(count);
    expect(await evidenceOf(session)).toBe('verified');
  });

  it('fails when a byte of its recording is another, and is told as failed in lists', async () => {
    await withChanged(await firstSegment(session), async () => {
      const found = await verified(session);
      expect(found.ok).toBe(false);
      expect(found.steps.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['recordings']);
      expect(found.faults).toEqual([expect.stringContaining('its SHA-256 is another')]);
      expect(await evidenceOf(session)).toBe('failed');
    });
    expect((await verified(session)).ok).toBe(true);
  });

  it('is one that there is', async () => {
    expect(await world.as('auditor', 'session.verify', { session: nowhere })).toMatchObject({
      status: 404,
      body: { code: 'SESSION_NOT_FOUND' },
    });
    const answers = await Promise.all(Array.from({ length: 6 }, () => world.as('auditor', 'session.verify', { session })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429, 429, 429]);
  });
});

describe('everything', () => {
  it('is verified by a thread, once however many ask, and the last verdict is kept', async () => {
    const { body: before } = await world.as('admin', 'evidence.status');
    expect(before).toMatchObject({ verification: null, sessions: 2, erased: 0, recovered: 0, held: 0 });
    const growth = before.growth as { day: string; records: number }[];
    expect(growth).toHaveLength(30);
    expect(growth.reduce((sum, { records }) => sum + records, 0)).toBeGreaterThanOrEqual(Number(before.size));
    expect(Date.now() - Date.parse(String(before.signed))).toBeLessThan(600_000);
    const found = await verifyAll();
    expect(found).toMatchObject({ ok: true, faults: [], faultCount: 0, by: 'auditor', sessions: 2 });
    expect(found.done).toBe(found.total);
    expect(found.steps.map(({ name, ok }) => [name, ok])).toEqual(
      ['records', 'ledger', 'signature', 'recordings', 'sessions', 'approvals'].map((name) => [name, true]),
    );
    expect(await evidenceOf(formula)).toBe('verified');
  });

  it('says which step found what, and in which sessions', async () => {
    await withChanged(await firstSegment(formula), async () => {
      const found = await verifyAll();
      expect(found).toMatchObject({ ok: false, faultCount: 1, faults: [expect.stringContaining(formula)] });
      expect(found.steps.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['recordings']);
      expect([await evidenceOf(formula), await evidenceOf(session)]).toEqual(['failed', 'verified']);
    });
    expect(await verifyAll()).toMatchObject({ ok: true });
  });
});

describe('questions of an audit', () => {
  it('are those that the command line has, and each that is asked is on record before it is answered', async () => {
    const { questions } = (await world.as('reviewer', 'audit.questions')).body as unknown as OperationOutput<'audit.questions'>;
    expect(questions.map(({ name }) => name)).toContain('commands');
    const { status, body } = await world.as('auditor', 'audit.ask', { question: 'commands', from: '2020-01-01', limit: 1 });
    expect(status).toBe(200);
    expect(body).toMatchObject({ total: 2, statement: { proved: true, faults: { count: 0 }, uncovered: 0 } });
    expect(body.rows).toHaveLength(1);
    expect((body.words as string[]).at(0)).toContain('Question: commands');
    const [record] = await recordsOf(world.gateway.data, 'access.audited');
    expect(record).toMatchObject({
      actor: { principal: 'auditor' },
      body: { question: 'commands', parameters: { from: '2020-01-01T00:00:00.000000Z' }, rows: 2 },
    });
  });

  it('are refused when they make no sense, and leave no record then', async () => {
    const before = (await recordsOf(world.gateway.data, 'access.audited')).length;
    for (const wrong of [
      { question: 'weather' },
      { question: 'commands', from: 'yesterday' },
      { question: 'viewed-exported', target: 'web' },
      { question: 'commands', from: '2026-02-01', to: '2026-01-01' },
      { question: 'commands', limit: 0 },
    ])
      expect(await world.as('auditor', 'audit.ask', wrong)).toMatchObject({ status: 400 });
    expect(await recordsOf(world.gateway.data, 'access.audited')).toHaveLength(before);
  });

  it('are answered for one operator two at a time', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => world.as('second', 'audit.ask', { question: 'changes' })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429]);
  });

  const csv = (path: string, who = 'auditor'): Promise<Answer> => send(world.gateway, { path, token: world.token(who) });

  it('come as CSV that no spreadsheet runs', async () => {
    const { status, headers, text } = await csv('/api/audit/commands/csv?from=2020-01-01');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': expect.stringMatching(/^attachment; filename="sallyport-audit-commands-\d{4}-\d\d-\d\d\.csv"$/),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'sallyport-rows': '2',
    });
    expect(text).toContain(`"'=cmd|""/c calc""!A0; true"`);
    expect(text).not.toMatch(/[\n,]"?=/);
    expect((await recordsOf(world.gateway.data, 'access.audited')).at(-1)).toMatchObject({ body: { question: 'commands', rows: 2 } });
    await until('nothing of it is left', async () => readdirSync(join(world.gateway.data, 'exports')).length === 0 || undefined);
    expect((await send(world.gateway, { path: '/api/audit/commands/csv' })).status).toBe(401);
    expect(await csv('/api/audit/tool-calls-to-production/csv')).toMatchObject({ status: 409, body: { code: 'AUDIT_NOT_RECORDED' } });
    expect(await csv('/api/audit/commands%2F..%2F..%2Fx/csv')).toMatchObject({ status: 400 });
    expect(await csv('/api/audit/commands/csv?from=x')).toMatchObject({ status: 400 });
  });
});

describe('a bundle', () => {
  const start = async (who: string, input: Record<string, unknown>): Promise<Answer & { export: string }> => {
    const answer = await world.as(who, 'export.start', input);
    return { ...answer, export: String(answer.body.export) };
  };
  const ready = (who: string, id: string): Promise<ExportState> =>
    until('the bundle', async () => {
      const { body } = await world.as(who, 'export.show', { export: id });
      const state = body as unknown as ExportState;
      return state.state === 'running' ? undefined : state;
    });
  const path = (id: string): string => `/api/exports/${id}/bundle.zip`;

  it('is written, recorded, fetched by whoever asked for it, and verifies', async () => {
    const { export: id } = await start('auditor', { sessions: [session] });
    const state = await ready('auditor', id);
    expect(state).toMatchObject({ state: 'ready', by: 'auditor', sessions: 1, done: 1 });
    expect(state.name).toMatch(/^sallyport-[A-Za-z0-9.-]+\.zip$/);
    expect(statSync(join(world.gateway.data, 'exports')).mode & 0o777).toBe(0o700);
    const [record] = await recordsOf(world.gateway.data, 'access.exported');
    expect(record).toMatchObject({ actor: { principal: 'auditor' }, body: { sessions: 1, question: { sessions: [session] } } });

    const got = await download(world.gateway, path(id), world.token('auditor'));
    expect(got.status).toBe(200);
    expect(got.headers).toMatchObject({
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${state.name}"`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-length': String(state.bytes),
    });
    expect(createHash('sha256').update(got.body).digest('hex')).toBe(state.sha256);
    const file = join(belongings.directory('bundle'), 'bundle.zip');
    writeFileSync(file, got.body);
    const findings: Finding[] = [];
    await verifyBundle(file, {}, (finding) => findings.push(finding));
    expect(findings.filter(({ severity }) => severity === 'fault')).toEqual([]);

    // To anybody else there is none. An admin may have it, and is on record for it.
    for (const name of ['export.show', 'export.cancel'] as const)
      expect(await world.as('second', name, { export: id })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect((await download(world.gateway, path(id), world.token('second'))).status).toBe(404);
    expect((await download(world.gateway, path(id), world.token('reviewer'))).status).toBe(403);
    expect((await send(world.gateway, { path: path(id) })).status).toBe(401);
    expect((await download(world.gateway, path(id), world.token('admin'))).status).toBe(200);
    expect((await recordsOf(world.gateway.data, 'access.exported')).at(-1)).toMatchObject({
      actor: { principal: 'admin' },
      body: { question: { fetched: { export: id, by: 'auditor' } } },
    });

    expect((await world.as('auditor', 'export.cancel', { export: id })).body).toMatchObject({ state: 'cancelled' });
    expect((await download(world.gateway, path(id), world.token('auditor'))).status).toBe(410);
    expect(readdirSync(join(world.gateway.data, 'exports'))).toEqual([]);
  });

  it('is not made of what contradicts itself or is not there, and not of too much at a time', async () => {
    expect((await start('auditor', { sessions: [session], target: 'web' })).status).toBe(400);
    expect((await start('auditor', { from: 'never' })).status).toBe(400);
    expect((await world.as('reviewer', 'export.start', { sessions: [session] })).status).toBe(403);
    const none = await start('auditor', { sessions: [nowhere] });
    expect(await ready('auditor', none.export)).toMatchObject({ state: 'failed', fault: expect.stringContaining('There is no session') });
    const started = await Promise.all(Array.from({ length: 4 }, () => start('auditor', { target: 'web' })));
    expect(started.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429]);
    for (const { export: id } of started.filter(({ status }) => status === 200)) {
      await ready('auditor', id);
      await world.as('auditor', 'export.cancel', { export: id });
    }
  });

  it('that is not wanted any more ends while it is written', async () => {
    const { export: id } = await start('auditor', {});
    expect((await world.as('auditor', 'export.cancel', { export: id })).body).toMatchObject({
      state: 'cancelled',
      fault: 'auditor ended it',
    });
    expect((await download(world.gateway, path(id), world.token('auditor'))).status).toBe(410);
    expect(readdirSync(join(world.gateway.data, 'exports'))).toEqual([]);
    expect((await recordsOf(world.gateway.data, 'access.exported')).at(-1)).not.toMatchObject({
      body: { question: { words: 'All sessions' } },
    });
  });

  it('ends with the gateway, and nothing of it is left', async () => {
    const { export: kept } = await start('second', { sessions: [session] });
    await ready('second', kept);
    const { status } = await start('auditor', {});
    expect(status).toBe(200);
    expect(await world.gateway.stop()).toBe(0);
    expect(existsSync(join(world.gateway.data, 'exports'))).toBe(false);
    await world.gateway.start();
    expect((await ask(world.gateway, 'export.show', { export: kept }, { token: world.token('second') })).status).toBe(401);
    expect(readdirSync(join(world.gateway.data, 'exports'))).toEqual([]);
  });
});
