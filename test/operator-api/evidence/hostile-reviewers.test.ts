import { describe, expect, it } from 'vitest';
import type { RecordDraft } from '../../../contract/record.ts';
import type { LoggedIn } from '../../../gateway/operator-api/authorise.ts';
import type { Asking } from '../../../gateway/operator-api/operations.ts';
import { ViewingGrants } from '../../../gateway/operator-api/recordings/viewing-grants.ts';
import { reviewOperations } from '../../../gateway/operator-api/reviews/review-operations.ts';
import type { ReviewParts } from '../../../gateway/operator-api/reviews/review-parts.ts';
import { AuditedData, agent, web } from '../../query/audit/audited-data.ts';
import { draft } from '../../store/support.ts';
import { type ReviewedSegment, sealed, signedOff, watched } from '../../support/review-records.ts';
import { type ReviewerKey, reviewerKey } from '../../support/reviewer-key.ts';

/** One operator who says so much of a session that there is no room for what the others say. */

const segments: readonly ReviewedSegment[] = [{ channel: 0, segment: 1, sha256: 'd'.repeat(64) }];
const MALLORY = 'mallory@example.com';
const ALICE = 'alice@example.com';
const MINUTE = 60_000_000_000;

async function reviewed() {
  const data = await AuditedData.open();
  const id = await data.openSession('2026-03-01T10:00:00');
  await data.at('2026-03-01T11:00:00', draft.channelOpen(id, 0, 'exec'), sealed(id, agent));
  await data.closeSession('2026-03-01T11:00:00.000500', id);
  const { database, records, ledger } = data.evidence;
  const inForce = new Map<string, LoggedIn>();
  const logIns = { stillGood: (token: string) => inForce.get(token) };
  const parts: ReviewParts = {
    database,
    reading: async () => database,
    running: () => undefined,
    records,
    ledger,
    clock: data.clock,
    grants: new ViewingGrants(),
    logIns,
  };
  const logIn = (name: string, operator: LoggedIn): LoggedIn => {
    inForce.set(name, operator);
    return operator;
  };
  const as = (name: string, key: ReviewerKey = reviewerKey()): Asking => ({
    actor: { principal: name, kind: 'human', source: '192.0.2.9:1' },
    signal: new AbortController().signal,
    operator: logIn(name, { name, roles: ['auditor'], keys: [{ line: key.line }], token: name } as unknown as LoggedIn),
  });
  return { data, id, operations: reviewOperations(parts), as, logIn, origin: ledger.key.name };
}

function saidOf(origin: string, session: string, reviewer: string, key: ReviewerKey, reason: string) {
  const { body } = signedOff(origin, { session, segments, reviewer, key }, { reason });
  const { subject, verdict, signature } = body as { subject: string; verdict: 'fine'; signature: string };
  return { session, subject, verdict, reason, key: key.line, signature };
}

describe('a sign-off that has waited for its turn', () => {
  it.each([
    ['the key is taken back', { keys: [] }, 'REVIEW_NOT_YOURS'],
    ['the role is taken away', { roles: [] }, 'REVIEW_NOT_YOURS'],
    ['the log-in is ended', undefined, 'LOGIN_REQUIRED'],
  ])('is none when %s meanwhile', async (_, change, code) => {
    const { data, id, operations, as, logIn, origin } = await reviewed();
    const key = reviewerKey();
    const asking = as(ALICE, key);
    const signed = operations['review.sign'](saidOf(origin, id, ALICE, key, 'fine'), asking);
    logIn(ALICE, (change === undefined ? undefined : { ...asking.operator, ...change }) as LoggedIn);
    await expect(signed).rejects.toMatchObject({ code });
    expect((await data.evidence.database.records.ofSession(id)).filter(({ type }) => type === 'session.reviewed')).toEqual([]);
  });
});

describe('what one operator has recorded of a session', () => {
  it('takes no room from what others watched, nor from their sign-offs', { timeout: 60_000 }, async () => {
    const { data, id, operations, as, origin } = await reviewed();
    data.clock.set('2026-03-02T00:00:00');
    const opened: RecordDraft = {
      type: 'access.viewed',
      outcome: 'success',
      actor: { principal: MALLORY, kind: 'human', source: '192.0.2.9:1' },
      target: web,
      session: id,
      body: { how: 'play', channel: 0 },
    };
    const moments = Array.from({ length: 3000 }, (_, at) => watched(id, MALLORY, at * 2, at * 2 + 1));
    const crowd = [...Array.from({ length: 17_500 }, () => opened), ...moments];
    for (let at = 0; at < crowd.length; at += 500) await data.evidence.records.appendTogether(crowd.slice(at, at + 500));
    const key = reviewerKey();
    await data.at('2026-03-02T01:00:00', watched(id, ALICE, 0, MINUTE), signedOff(origin, { session: id, segments, reviewer: ALICE, key }));
    const shown = await operations['review.show']({ session: id }, as(ALICE, key));
    expect(shown.watched.find(({ operator }) => operator === ALICE)).toMatchObject({ nanos: MINUTE });
    expect(shown.signOffs).toMatchObject([{ reviewer: ALICE, signature: 'good' }]);
    await data.close();
    expect((await data.audit('unreviewed', {})).rows).toEqual([]);
  });

  it('leaves room for the notes of others', async () => {
    const { data, id, operations, as } = await reviewed();
    const note = (at: number): RecordDraft => ({
      type: 'review.noted',
      outcome: 'success',
      actor: { principal: MALLORY, kind: 'human', source: '192.0.2.9:1' },
      target: web,
      session: id,
      body: { note: id, channel: 0, at, text: 'nothing to see here' },
    });
    await data.evidence.records.appendTogether(Array.from({ length: 100 }, (_, at) => note(at)));
    await expect(operations['review.note']({ session: id, channel: 0, at: 5, text: 'one more' }, as(MALLORY))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(`100 notes of ${MALLORY}`),
    });
    expect(await operations['review.note']({ session: id, channel: 0, at: 5, text: 'look' }, as(ALICE))).toMatchObject({ by: ALICE });
  });

  it('leaves room for the sign-offs of others', async () => {
    const { data, id, operations, as, origin } = await reviewed();
    const [own, key] = [reviewerKey(), reviewerKey()];
    const given = (reviewer: string, signer: ReviewerKey, reason: string) => saidOf(origin, id, reviewer, signer, reason);
    const earlier = Array.from({ length: 10 }, (_, index) =>
      signedOff(origin, { session: id, segments, reviewer: MALLORY, key: own }, { reason: `fine ${index}` }),
    );
    await data.evidence.records.appendTogether(earlier);
    await expect(operations['review.sign'](given(MALLORY, own, 'fine, really'), as(MALLORY, own))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(`${MALLORY} has signed the session off 10 times`),
    });
    expect(await operations['review.sign'](given(ALICE, key, 'it is not'), as(ALICE, key))).toMatchObject({ reviewer: ALICE });
  });
});
