import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OperationOutput, schemasOf } from '../../contract/operator-api.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import type { Asking } from '../../gateway/operator-api/operations.ts';
import { sessionOperations } from '../../gateway/operator-api/session-operations.ts';
import { VerifiedSessions } from '../../gateway/operator-api/verified-sessions.ts';
import { Database } from '../../gateway/store/database.ts';
import { verify } from '../query/verify/evidence.ts';
import { actor } from '../store/support.ts';
import { commandOf, makeManySessions, principalOf, targetOf } from '../support/many-sessions.ts';
import { Belongings } from '../support/temp.ts';

/** More sessions than are looked through in one step. */
const COUNT = 2300;

const belongings = new Belongings();
let directory: string;
let ids: readonly string[];
let database: Database;

beforeAll(async () => {
  directory = belongings.directory('many');
  ids = (await makeManySessions(directory, COUNT)).toReversed();
  database = await Database.openForGateway(directory);
});
afterAll(async () => {
  await database.close();
  await belongings.release();
});

const asking: Asking = { actor, signal: new AbortController().signal };

function list(input: Record<string, string>): Promise<OperationOutput<'session.list'>> {
  const { 'session.list': ask } = sessionOperations({
    reading: async () => database,
    records: new Records(database.records, systemClock, 'gateway-1'),
    gatewayName: 'gateway-1',
    liveState: () => undefined,
    targets: () => new Map(),
    signed: () => Number.MAX_SAFE_INTEGER,
    verified: new VerifiedSessions(),
  });
  return ask(schemasOf('session.list').input.parse({ detailed: 'true', limit: '200', ...input }), asking);
}

/** Ids of the sessions whose number, from the oldest on, fits; the newest first. */
const which = (fits: (number: number) => boolean): string[] => ids.filter((_, index) => fits(COUNT - 1 - index));
const told = ({ sessions }: OperationOutput<'session.list'>): string[] => sessions.map(({ id }) => id);

test('what is made to measure with is what a gateway writes: every record verifies, and the lists agree with them', async () => {
  const { faults, outcome } = await verify(directory);
  expect(faults).toEqual([]);
  expect(outcome.records).toMatchObject({ sessions: COUNT, channels: COUNT });
  expect(outcome.ledger).toMatchObject({ agrees: true, signed: true, uncovered: 0 });
});

test('words are found in every session there is, with how many, and the same whether by cursor or by offset', async () => {
  const expected = which((number) => commandOf(number).includes('git pull'));
  const first = await list({ text: 'GIT PULL' });
  expect([told(first), first.total]).toEqual([expected.slice(0, 200), expected.length]);
  const pages = [...told(first)];
  for (let { cursor } = first; cursor !== undefined; ) {
    const page: OperationOutput<'session.list'> = await list({ text: 'GIT PULL', cursor });
    pages.push(...told(page));
    cursor = page.cursor;
  }
  expect(pages).toEqual(expected);
  expect(told(await list({ text: 'git pull', offset: '300', limit: '5' }))).toEqual(expected.slice(300, 305));
});

test.each([
  [{ text: '# 7' }, (number: number) => commandOf(number).includes('# 7')],
  [{ text: '# 3', target: targetOf(30) }, (number: number) => commandOf(number).includes('# 3') && targetOf(number) === targetOf(30)],
  [{ text: principalOf(3) }, (number: number) => principalOf(number).includes(principalOf(3))],
  [{ text: 'engineer-11@' }, (number: number) => number % 12 === 11],
  [{ text: 'web-3' }, (number: number) => targetOf(number).includes('web-3')],
  // What stands in the record, and not in what is looked at.
  [{ text: 'OpenSSH' }, () => false],
  [{ text: '_' }, () => false],
  [{ text: '%' }, () => false],
  [{ text: '\\' }, () => false],
  [{ text: '"' }, () => false],
  [{ flag: 'terminated' }, (number: number) => number % 500 === 3],
  [{ flag: 'denied', principal: principalOf(50) }, (number: number) => number % 50 === 0 && principalOf(number) === principalOf(50)],
] as [Record<string, string>, (number: number) => boolean][])('%j', async (input, fits) => {
  const expected = which(fits);
  const answer = await list({ ...input, limit: '1000' });
  expect([told(answer), answer.total]).toEqual([expected.slice(0, 1000), expected.length]);
});

test('a page from anywhere is the one that is there', async () => {
  for (const offset of [0, 199, COUNT / 2, COUNT - 3, COUNT, 10_000_000])
    expect(told(await list({ offset: String(offset), limit: '3' }))).toEqual(ids.slice(offset, offset + 3));
});
