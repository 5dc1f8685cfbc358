import { expect, it } from 'vitest';
import type { Actor } from '../../../contract/record.ts';
import { sealed, signedOff, watched } from '../../support/review-records.ts';
import { reviewerKey } from '../../support/reviewer-key.ts';
import { AuditedData, agent, human, web } from './audited-data.ts';

const alice = reviewerKey();
const ALICE = 'alice@example.com';
const segments = [{ channel: 0, segment: 1, sha256: 'd'.repeat(64) }];

/** A session of an hour with a recording of one minute. */
async function session(data: AuditedData, from: string, to: string, actor: Actor = agent): Promise<string> {
  const id = await data.openSession(from, { actor });
  await data.at(to, sealed(id, actor));
  await data.closeSession(`${to}.000500`, id);
  return id;
}

it('names the sessions of a period that nobody has signed off by now, with what of them was watched', async () => {
  const data = await AuditedData.open();
  const origin = data.evidence.ledger.key.name;
  const by = { segments, reviewer: ALICE, key: alice };
  const before = await session(data, '2026-02-01T10:00:00', '2026-02-01T11:00:00');
  const fine = await session(data, '2026-03-01T10:00:00', '2026-03-01T11:00:00');
  const watchedOnly = await session(data, '2026-03-02T10:00:00', '2026-03-02T11:00:00');
  const older = await session(data, '2026-03-03T10:00:00', '2026-03-03T11:00:00');
  const own = await session(data, '2026-03-04T10:00:00', '2026-03-04T11:00:00', human);
  const forged = await session(data, '2026-03-05T10:00:00', '2026-03-05T11:00:00');
  const running = await data.openSession('2026-03-06T10:00:00');
  await data.at(
    '2026-03-06T12:00:00',
    watched(watchedOnly, ALICE, 0, 15_000_000_000),
    watched(watchedOnly, 'bob@example.com', 6_000_000_000, 30_000_000_000),
    watched(watchedOnly, ALICE, 10_000_000_000, 14_000_000_000),
    {
      type: 'review.noted',
      outcome: 'success',
      actor: human,
      target: web,
      session: watchedOnly,
      body: { note: before, channel: 0, at: 5, text: 'hm' },
    },
    signedOff(origin, { ...by, session: older, segments: [] }),
    signedOff(origin, { ...by, session: own, reviewer: human.principal }),
    signedOff(origin, { ...by, session: forged }, { signed: { verdict: 'concern' } }),
  );
  // Long after the period.
  await data.at('2026-06-01T00:00:00', signedOff(origin, { ...by, session: fine }, { verdict: 'concern' }));
  await data.close();

  for (const thorough of [false, true]) {
    const { rows, statement } = await data.audit('unreviewed', { from: '2026-03-01', to: '2026-03-31', thorough });
    expect(rows.map((row) => [row.session, row.why])).toEqual([
      [watchedOnly, 'nobody has signed it off'],
      [older, 'what was signed off is not what is recorded now'],
      [own, 'it was signed off by whom it is of'],
      [forged, 'the signature of its sign-off is not good'],
    ]);
    expect(rows[0]).toMatchObject({
      human: 'engineer@example.com',
      principal: 'deploy-bot',
      seconds: 60,
      watched_percent: 50,
      watched_by: [`${ALICE} 25 %`, 'bob@example.com 40 %'],
      notes: 1,
      sign_offs: 0,
    });
    expect(statement).toMatchObject({ answered: 'partly', rows: 4, faults: { words: [] } });
    expect(statement.remarks).toEqual([
      'Of 5 sessions that are over, 1 are signed off as they are recorded now',
      '1 more run, and are signed off when they are over',
    ]);
  }
  const { rows } = await data.audit('unreviewed', { filters: { principal: human.principal } });
  expect(rows.map((row) => row.session)).toEqual([own]);
  expect((await data.audit('unreviewed', { to: '2026-02-28' })).rows.map((row) => row.session)).toEqual([before]);
  // What is said of sessions afterwards makes none of them run on.
  expect((await data.audit('sessions', { from: '2026-06-01' })).rows.map((row) => row.session)).toEqual([running]);
});

it('does not name what is erased: there is nothing left to review', async () => {
  const data = await AuditedData.open();
  const id = await session(data, '2026-03-01T10:00:00', '2026-03-01T11:00:00');
  await data.at('2026-04-01T00:00:00', {
    type: 'erased',
    outcome: 'success',
    actor: human,
    target: web,
    session: id,
    body: {
      basis: 'retention',
      reason: 'its time was over',
      remains: { started: '2026-03-01T10:00:00.000000Z', ended: '2026-03-01T11:00:00.000000Z', protocol: 'ssh', channels: 1 },
      files: [],
      records: [[1, 3]],
      part: 1,
      parts: 1,
    },
  });
  await data.evidence.database.records.erase(id, [[2, 4]]);
  await data.close();
  const { rows, statement } = await data.audit('unreviewed');
  expect(rows).toEqual([]);
  expect(statement.remarks).toContain('1 more are erased, and cannot be reviewed any more');
});
