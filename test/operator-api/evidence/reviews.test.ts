import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { statementText } from '../../../contract/signed-statements.ts';
import { sshArguments } from '../../support/clients.ts';
import { sessionsOf } from '../../support/recordings.ts';
import { recordsOf } from '../../support/records.ts';
import { reviewerKey } from '../../support/reviewer-key.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import { ask } from '../api-client.ts';
import { ENGINEER, openReviewedWorld, type ReviewedWorld, subjectOf } from './reviewed-world.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

type Review = OperationOutput<'review.show'>;

let world: ReviewedWorld;
let session: string;
let other: string;
let end: number;

beforeAll(async () => {
  world = await openReviewedWorld(belongings, { auditor: ['auditor'], reviewer: ['reviewer'], admin: ['admin'], second: ['reviewer'] });
  session = await world.execute('echo begun; sleep 0.3; echo done');
  other = await world.execute('echo other');
  end = await lengthOf(session);
});

async function show(id = session, who = 'auditor'): Promise<Review> {
  const { status, body, text } = await world.as(who, 'review.show', { session: id });
  expect({ status, text }).toMatchObject({ status: 200 });
  return body as unknown as Review;
}

async function open(who: string, id = session): Promise<void> {
  expect((await world.as(who, 'recording.open', { session: id, channel: 0 })).status).toBe(200);
}

function lengthOf(id: string): Promise<number> {
  return world.withDatabase((database) => database.segments.sealedTo(id, 0));
}

describe('what was watched', () => {
  it('is what was said to be shown, each part once, by operator', async () => {
    const third = Math.floor(end / 3);
    const report = (from: number, to: number, how = 'play') => world.as('auditor', 'view.recorded', { session, how, channel: 0, from, to });
    expect(await show()).toMatchObject({ watched: [], nanos: end });
    await open('auditor');
    expect((await report(0, third)).status).toBe(200);
    expect((await report(third, 2 * third)).status).toBe(200);
    expect((await report(10, 20)).status).toBe(200);
    // Reading a transcript shows no screen, and what does not say which part may have been nothing.
    expect((await report(2 * third, end, 'transcript')).status).toBe(200);
    expect((await world.as('auditor', 'view.recorded', { session, how: 'play', channel: 0 })).status).toBe(200);
    expect((await show()).watched).toEqual([
      { operator: 'auditor', nanos: 2 * third, channels: [{ channel: 0, stretches: [[0, 2 * third]] }] },
    ]);
    const views = (await recordsOf(world.gateway.data, 'access.viewed')).filter((record) => record.session === session);
    expect(views.map(({ body }) => [body.how, body.from, body.to])).toEqual([
      ['play', undefined, undefined],
      ['play', 0, third],
      ['play', third, 2 * third],
      ['transcript', 2 * third, end],
      ['play', undefined, undefined],
    ]);
  });

  it('is no more than there is', async () => {
    const report = (input: object) => world.as('reviewer', 'view.recorded', { session, how: 'play', channel: 0, ...input });
    await open('reviewer');
    for (const part of [
      { from: 5, to: 5 },
      { from: 9, to: 5 },
      { from: 0, to: end * 2 + 5e9 },
      { from: end, to: end + 1 },
      { to: 5 },
      { from: 5 },
    ])
      expect(await report(part)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    expect(await report({ channel: 7, how: 'transcript', from: 0, to: 5 })).toMatchObject({
      status: 404,
      body: { code: 'CHANNEL_NOT_FOUND' },
    });
    // A player rounds up.
    expect((await report({ from: 0, to: end + 900 })).status).toBe(200);
    expect((await show()).watched.find(({ operator }) => operator === 'reviewer')).toMatchObject({ nanos: end });
  });

  it('is nothing of a recording that its log-in never had', async () => {
    const before = (await recordsOf(world.gateway.data, 'access.viewed')).length;
    const all = { session: other, how: 'play', channel: 0, from: 0, to: await lengthOf(other) };
    const refused = { status: 409, body: { code: 'CONFLICT', detail: expect.stringContaining('never opened') } };
    expect(await world.as('reviewer', 'view.recorded', all)).toMatchObject(refused);
    // That somebody else has it, or this log-in another one, makes no difference.
    await open('second', other);
    expect(await world.as('reviewer', 'view.recorded', all)).toMatchObject(refused);
    expect((await show(other)).watched).toEqual([]);
    expect((await recordsOf(world.gateway.data, 'access.viewed')).length - before).toBe(1);
  });

  it('fills the ledger no faster than a person watches', async () => {
    for (const who of ['second', 'admin']) await open(who);
    const before = (await recordsOf(world.gateway.data, 'access.viewed')).length;
    const report = (from: number) => world.as('second', 'view.recorded', { session, how: 'play', channel: 0, from, to: from + 1 });
    const answers = await Promise.all(Array.from({ length: 120 }, (_, index) => report(index * 2)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(30);
    expect(refused[0]?.body).toMatchObject({ code: 'CONFLICT', remedy: expect.stringContaining('wait') });
    expect((await recordsOf(world.gateway.data, 'access.viewed')).length - before).toBe(120 - refused.length);
    // Nobody else waits for that, and what is recorded already is answered for nothing.
    expect((await world.as('admin', 'view.recorded', { session, how: 'play', channel: 0, from: 0, to: 5 })).status).toBe(200);
    expect((await report(0)).status).toBe(200);
  });
});

describe('notes', () => {
  it('stand at moments, and are records of whoever wrote them', async () => {
    const { status, body } = await world.as('reviewer', 'review.note', { session, channel: 0, at: 1000, text: ' look here ' });
    expect({ status, body }).toMatchObject({ status: 200, body: { text: 'look here', by: 'reviewer', channel: 0, at: 1000 } });
    expect((await show()).notes).toEqual([body]);
    const [record] = await recordsOf(world.gateway.data, 'review.noted');
    expect(record).toMatchObject({ actor: { principal: 'reviewer' }, session, body: { note: body.note }, time: body.time });
    for (const wrong of [{ channel: 3 }, { at: end * 2 + 5e9 }, { text: '  ' }, { text: 'x'.repeat(4001) }])
      expect((await world.as('reviewer', 'review.note', { session, channel: 0, at: 0, text: 'x', ...wrong })).status).toBeOneOf([400, 404]);
  });
});

describe('a sign-off', () => {
  it('is over what the client can see itself, and says how much was watched', async () => {
    const { subject, yours } = await show();
    const rows = await world.withDatabase((database) => database.segments.ofSession(session));
    expect(subject).toBe(subjectOf(session, rows));
    expect(yours).toEqual({ may: true });
    const signed = await world.signedReview('auditor', session, { verdict: 'concern', reason: 'too quick' });
    const { status, body } = await world.as('auditor', 'review.sign', signed);
    const watched = { nanos: Math.floor(end / 3) * 2, of: end };
    const expected = { reviewer: 'auditor', verdict: 'concern', reason: 'too quick', signature: 'good', watched };
    expect({ status, body }).toMatchObject({ status: 200, body: { ...expected, key: world.keyOf('auditor').fingerprint } });
    expect((await show()).signOffs).toEqual([body]);
    // Whoever has watched nothing may, and it says so.
    expect((await world.as('second', 'review.sign', await world.signedReview('second', other))).body).toMatchObject({
      watched: { nanos: 0, of: await lengthOf(other) },
    });
    expect(await recordsOf(world.gateway.data, 'session.reviewed')).toMatchObject([
      { session, body: { verdict: 'concern', watched } },
      { session: other, body: { verdict: 'fine' } },
    ]);
  });

  it('is none by whom the session is of, however many roles they have', async () => {
    expect((await show(other, ENGINEER)).yours).toMatchObject({ may: false, why: expect.stringContaining(`acted for ${ENGINEER}`) });
    expect(await world.as(ENGINEER, 'review.sign', await world.signedReview(ENGINEER, other))).toMatchObject({
      status: 403,
      body: { code: 'REVIEW_NOT_YOURS' },
    });
    expect(await world.as('admin', 'review.sign', await world.signedReview('admin', other))).toMatchObject({
      status: 403,
      body: { code: 'ROLE_MISSING' },
    });
  });

  it('is none with a signature of somebody else, of another session, of other words, or for another purpose', async () => {
    const good = await world.signedReview('reviewer', other);
    const stranger = reviewerKey();
    const review = { session: other, subject: good.subject, verdict: 'fine' as const, reviewer: 'reviewer', reason: good.reason };
    const { origin } = await show(other);
    const { text } = statementText({ kind: 'review', origin, review });
    const elsewhere = statementText({ kind: 'review', origin: 'another.example/log', review });
    const key = world.keyOf('reviewer');
    const attempts = [
      { given: await world.signedReview('second', other, { reviewer: 'reviewer' }), code: 'REVIEW_NOT_YOURS' },
      { given: { ...good, key: stranger.line, signature: stranger.sign(text, 'sallyport-review') }, code: 'REVIEW_NOT_YOURS' },
      { given: { ...good, key: stranger.line }, code: 'REVIEW_NOT_YOURS' },
      { given: { ...good, signature: (await world.signedReview('reviewer', session)).signature }, code: 'SIGNATURE_INVALID' },
      { given: { ...good, verdict: 'concern' }, code: 'SIGNATURE_INVALID' },
      { given: { ...good, reason: 'other words' }, code: 'SIGNATURE_INVALID' },
      { given: { ...good, signature: key.sign(text, 'sallyport-approval') }, code: 'SIGNATURE_INVALID' },
      { given: { ...good, signature: key.sign(elsewhere.text, elsewhere.namespace) }, code: 'SIGNATURE_INVALID' },
      { given: { ...good, signature: good.signature.slice(0, -60) }, code: 'SIGNATURE_INVALID' },
      { given: { ...(await world.signedReview('reviewer', session)), session: other }, code: 'CONFLICT' },
    ];
    const before = await recordsOf(world.gateway.data, 'session.reviewed');
    for (const { given, code } of attempts) expect((await world.as('reviewer', 'review.sign', given)).body).toMatchObject({ code });
    expect(await recordsOf(world.gateway.data, 'session.reviewed')).toEqual(before);
    expect((await world.as('reviewer', 'review.sign', good)).status).toBe(200);
  });

  it('is taken once: sent again, it would undo what its signer has said since', async () => {
    const first = await world.signedReview('second', session);
    expect((await world.as('second', 'review.sign', first)).status).toBe(200);
    expect((await world.as('second', 'review.sign', await world.signedReview('second', session, { verdict: 'concern' }))).status).toBe(200);
    expect(await world.as('second', 'review.sign', first)).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    const twice = await world.signedReview('second', session, { reason: 'looked once more' });
    const answers = await Promise.all([twice, twice, twice].map((given) => world.as('second', 'review.sign', given)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
  });

  it('is of a session that is over, and of all that it was', async () => {
    const route = world.agent();
    const client = spawn('ssh', sshArguments(route, []), { stdio: ['pipe', 'ignore', 'ignore'] });
    const over = new Promise((resolve) => client.once('close', resolve));
    const running = (await until('a session', async () => (await sessionsOf(world.gateway.data, route.principal))[0])).id;
    const live = await show(running);
    expect(live.yours).toMatchObject({ may: false, why: 'it still runs' });
    const early = await world.signedReview('reviewer', running, { subject: live.subject });
    expect(await world.as('reviewer', 'review.sign', early)).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    // A note may be written while it runs.
    await until('its channel', async () => {
      const { status } = await world.as('reviewer', 'review.note', { session: running, channel: 0, at: 0, text: 'now' });
      return status === 200 ? true : undefined;
    });
    client.stdin.end('echo more\nexit\n');
    await over;
    await until('its end', async () => (await show(running)).yours.may || undefined);
    expect(await world.as('reviewer', 'review.sign', early)).toMatchObject({
      status: 409,
      body: { code: 'CONFLICT', detail: expect.stringContaining('is not what is recorded') },
    });
  });

  it('is shown to nobody without a log-in, and of no session that is not there', async () => {
    const missing = await world.as('auditor', 'review.show', { session: '01a205e1-e790-7000-8000-000000000000' });
    expect(missing).toMatchObject({ status: 404, body: { code: 'SESSION_NOT_FOUND' } });
    expect((await ask(world.gateway, 'review.show', { session })).status).toBe(401);
  });
});
