import { expect, onTestFinished, test } from 'vitest';
import type { OperationOutput } from '../../contract/operator-api.ts';
import type { RecordDraft } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import type { LoggedIn } from '../../gateway/operator-api/authorise.ts';
import type { Asking } from '../../gateway/operator-api/operations.ts';
import { ViewingGrants } from '../../gateway/operator-api/recordings/viewing-grants.ts';
import { sessionRecordOperations } from '../../gateway/operator-api/session-records.ts';
import { Database } from '../../gateway/store/database.ts';
import { actor, draft, newSession, target, temporaryDirectory } from '../store/support.ts';

/** What comes before a session and after it, what is too much for one answer, and what is erased. */

const digest = 'a'.repeat(64);
const HOUR = 3600_000;

const asking = (token: string): Asking => ({
  actor,
  signal: new AbortController().signal,
  operator: { token } as LoggedIn,
});
const said = (session: string, type: RecordDraft['type'], body: object): RecordDraft =>
  ({ type, outcome: 'success', actor, target, session, body }) as RecordDraft;
const note = (session: string, text: string) => said(session, 'review.noted', { note: newSession(), channel: 0, at: 1, text });

async function world(signed: () => number = () => Number.MAX_SAFE_INTEGER) {
  const database = await Database.openForGateway(await temporaryDirectory());
  onTestFinished(() => database.close());
  const records = new Records(database.records, systemClock, 'gateway-1');
  const session = newSession();
  let now = 0;
  const grants = new ViewingGrants(() => now);
  const { 'session.records': ask } = sessionRecordOperations({ reading: async () => database, database, records, grants, signed });
  const page = (input: { cursor?: string; limit?: number } = {}, token = 'one') => ask({ session, limit: 100, ...input }, asking(token));
  const looks = async () => (await database.records.after(0, 1000)).filter(({ type }) => type === 'access.viewed').length;
  return {
    ...{ database, records, session, grants, page, looks },
    later: (millis: number) => {
      now += millis;
    },
    pages: async (limit: number) => {
      const told: OperationOutput<'session.records'>['records'][] = [];
      let cursor: string | undefined;
      do {
        const answer = await page({ limit, ...(cursor === undefined ? {} : { cursor }) });
        told.push(answer.records);
        cursor = answer.cursor;
      } while (cursor !== undefined);
      return told;
    },
  };
}

test('consent for the connection before it, and what is said of it when it is over; of other sessions nothing', async () => {
  const { records, session, page } = await world();
  const other = newSession();
  const expired = { approval: newSession(), digest, reason: 'deadline' };
  const drafts = [
    said(session, 'approval.withdrawn', { approval: newSession(), digest, reason: 'asked again' }),
    draft.sessionOpen(other),
    draft.sessionOpen(session),
    note(other, 'not of this one'),
    draft.sessionClose(session),
    said(session, 'approval.expired', expired),
    note(session, 'look here'),
  ];
  for (const each of drafts) await records.append(each);
  const { records: told } = await page();
  const types = ['approval.withdrawn', 'session.open', 'session.close', 'approval.expired', 'review.noted', 'access.viewed'];
  expect(told.map(({ type }) => type)).toEqual(types);
  expect(told.map(({ index }) => index)).toEqual([0, 2, 4, 5, 6, 7]);
});

test('a place in the ledger is told when a signed checkpoint covers it', async () => {
  const { records, session, page } = await world(() => 1);
  await records.append(draft.sessionOpen(session));
  await records.append(draft.sessionClose(session));
  expect((await page()).records.map(({ index }) => index)).toEqual([0, null, null]);
});

test('large records come in several answers, however many are asked for; each is whole', async () => {
  const { records, session, pages } = await world();
  await records.append(draft.sessionOpen(session));
  const texts = Array.from({ length: 20 }, (_, index) => String.fromCodePoint(97 + index).repeat(60_000));
  for (const text of texts) await records.append(note(session, text));
  const told = await pages(1000);
  expect(told.length).toBeGreaterThan(8);
  for (const each of told) expect(JSON.stringify(each).length).toBeLessThan(200_000);
  const found = told.flat().flatMap(({ record }) => (record?.type === 'review.noted' ? [(record.body as { text: string }).text] : []));
  expect(found).toEqual(texts);
  const ones = await pages(1);
  expect(ones.flat().length).toBe(told.flat().length);
});

test('each log-in is on record before it sees anything, and again after an hour', async () => {
  const { records, session, page, looks, later, grants } = await world();
  await records.append(draft.sessionOpen(session));
  await page({}, 'one');
  await page({}, 'one');
  expect(await looks()).toBe(1);
  await page({}, 'two');
  expect(await looks()).toBe(2);
  later(HOUR - 1);
  await page({}, 'one');
  expect(await looks()).toBe(2);
  later(1);
  await page({}, 'one');
  expect(await looks()).toBe(3);
  grants.give({ token: 'three', session, channel: 4 });
  await page({}, 'three');
  expect(await looks()).toBe(3);
  grants.give({ token: 'four', session: newSession(), channel: 0 });
  await page({}, 'four');
  expect(await looks()).toBe(4);
});

test('nothing is told when the look cannot be recorded', async () => {
  const { database, records, session } = await world();
  await records.append(draft.sessionOpen(session));
  const { 'session.records': ask } = sessionRecordOperations({
    ...{ reading: async () => database, database, grants: new ViewingGrants(), signed: () => 9 },
    records: new Records({ append: () => Promise.reject(new Error('the disk is full')) }, systemClock, 'gateway-1'),
  });
  for (let times = 0; times < 2; times += 1)
    await expect(ask({ session, limit: 1 }, asking('one'))).rejects.toMatchObject({ code: 'LEDGER_FAILED' });
});

test('of an erased session only that it was, and nobody is on record for looking at it', async () => {
  const { database, records, session, page, looks } = await world();
  await records.append(draft.sessionOpen(session));
  await records.append(draft.sessionClose(session));
  const remains = { started: '2026-03-01T09:30:00.000000Z', ended: null, protocol: 'ssh', channels: 0 };
  const body = { basis: 'retention', reason: 'its time is over', remains, files: [], records: [[0, 1]], part: 1, parts: 1 };
  await records.append(said(session, 'erased', body));
  await database.records.erase(session, [[1, 2]]);
  const { records: told } = await page();
  expect(told.map(({ type, record }) => [type, record === null])).toEqual([
    ['session.open', true],
    ['session.close', true],
    ['erased', false],
  ]);
  expect(told.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
  expect(await looks()).toBe(0);
});

test('without a log-in there is nothing', async () => {
  const { database, records, session, grants } = await world();
  await records.append(draft.sessionOpen(session));
  const { 'session.records': ask } = sessionRecordOperations({ reading: async () => database, database, records, grants, signed: () => 9 });
  const nobody = { actor, signal: new AbortController().signal };
  await expect(ask({ session, limit: 1 }, nobody)).rejects.toMatchObject({ code: 'LOGIN_REQUIRED' });
});
