import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { schemasOf } from '../../contract/operator-api.ts';
import type { RecordBody, RecordDraft } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import type { Asking } from '../../gateway/operator-api/operations.ts';
import { sessionOperations } from '../../gateway/operator-api/session-operations.ts';
import { VerifiedSessions } from '../../gateway/operator-api/verified-sessions.ts';
import { Database } from '../../gateway/store/database.ts';
import { actor, draft, newSession, target } from '../store/support.ts';
import { Belongings } from '../support/temp.ts';

/** The list as a table shows it: each session with its counts and flags, in the order of the ledger, from any place on. */

const belongings = new Belongings();
let database: Database;
let records: Records;
let signed = Number.POSITIVE_INFINITY;
const verified = new VerifiedSessions();
const ids: Record<string, string> = {};
const asking: Asking = { actor, signal: new AbortController().signal };
const digest = 'a'.repeat(64);
const policySet = 'b'.repeat(64);
const tags: Readonly<Record<string, Record<string, string>>> = { 'web-1': { env: 'production' }, 'db-1': { env: 'test', 'a=b': 'c' } };

afterAll(async () => {
  await database.close();
  await belongings.release();
});

const body = (verdict: 'allow' | 'deny' | 'ask'): RecordBody<'action.decided'> => ({
  channel: 0,
  action: 'ssh:exec',
  digest,
  facts: { command: 'id' },
  decision: { verdict, policies: ['p'], policySet },
});

const said = (session: string, type: RecordDraft['type'], what: object): RecordDraft =>
  ({ type, outcome: 'success', actor, target, session, body: what }) as RecordDraft;
const decided = (session: string, verdict: 'allow' | 'deny' | 'ask') => said(session, 'action.decided', body(verdict));
const asked = (session: string, breakGlass = false) =>
  said(session, 'approval.asked', {
    request: {
      id: newSession(),
      rule: 'careful',
      digest,
      principal: actor.principal,
      kind: 'agent',
      source: actor.source,
      target,
      session,
      action: 'connect',
      facts: {},
      policies: [],
      policySet,
      asked: '2026-03-01T09:30:00.000000Z',
      expires: '2026-03-01T09:40:00.000000Z',
      needed: 1,
      reasonRequired: false,
      grants: 'once',
      breakGlass,
    },
  });
const reviewed = (session: string, verdict: 'fine' | 'concern') =>
  said(session, 'session.reviewed', { subject: digest, verdict, reason: 'seen', watched: { nanos: 1, of: 2 }, key: 'k', signature: 's' });

/** Opens a session, has it do something, and closes it. */
async function session(
  name: string,
  does: (id: string) => readonly RecordDraft[],
  more: { before?: (id: string) => RecordDraft; on?: string } = {},
) {
  const id = newSession();
  ids[name] = id;
  if (more.before !== undefined) await records.append(more.before(id));
  const opened = draft.sessionOpen(id, { target: { name: more.on ?? 'web-1' } });
  await records.append(opened);
  for (const each of does(id)) await records.append(each);
}

beforeAll(async () => {
  database = await Database.openForGateway(belongings.directory('data'));
  records = new Records(database.records, systemClock, 'gateway-1');
  await session('quiet', (id) => [draft.sessionClose(id)]);
  await session(
    'busy',
    (id) => [decided(id, 'allow'), decided(id, 'ask'), decided(id, 'deny'), decided(id, 'allow'), draft.sessionClose(id)],
    {
      on: 'db-1',
    },
  );
  await session('urgent', (id) => [draft.sessionClose(id)], { before: (id) => asked(id, true) });
  await session('watched', (id) => [
    said(id, 'supervise.message', { text: 'hello' }),
    said(id, 'supervise.terminate', { reason: 'enough' }),
    draft.sessionClose(id),
  ]);
  await session('unanswered', (id) => [
    asked(id),
    said(id, 'approval.expired', { approval: newSession(), digest, reason: 'deadline' }),
    draft.sessionClose(id),
  ]);
  await session('recovered', (id) => [draft.channelOpen(id, 0, 'shell'), draft.sessionRecovered(id, 0, 5)]);
  await session('fine', (id) => [draft.sessionClose(id), reviewed(id, 'concern'), reviewed(id, 'fine')], { on: 'db-1' });
  await session('worrying', (id) => [reviewed(id, 'fine'), draft.sessionClose(id), reviewed(id, 'concern')], { on: 'gone' });
  await session('live', () => []);
});

function operations() {
  return sessionOperations({
    reading: async () => database,
    records,
    gatewayName: 'gateway-1',
    liveState: (session) => (session === ids.live ? { session, paused: true, stepping: false, watchers: 2, waiting: [] } : undefined),
    targets: () => new Map(Object.entries(tags).map(([name, of]) => [name, { tags: of }])),
    signed: () => signed,
    verified,
  });
}

/** As somebody asks for it over HTTPS, where everything is text. */
function list(input: Record<string, string> = {}): Promise<OperationOutput<'session.list'>> {
  const read = schemasOf('session.list').input.parse({ detailed: 'true', ...input });
  return operations()['session.list'](read, asking);
}

const namesOf = ({ sessions }: OperationOutput<'session.list'>): string[] =>
  sessions.map(({ id }) => Object.keys(ids).find((name) => ids[name] === id) ?? id);
const found = async (input: Record<string, string>): Promise<{ names: string[]; total: number | undefined }> => {
  const answer = await list(input);
  return { names: namesOf(answer), total: answer.total };
};
const everything = ['live', 'worrying', 'fine', 'recovered', 'unanswered', 'watched', 'urgent', 'busy', 'quiet'];

describe('what stands beside each session', () => {
  test('how much was decided on, asked for and refused, and what stands out', async () => {
    const { sessions } = await list();
    const summaries = Object.fromEntries(sessions.map(({ summary }, index) => [everything[index], summary]));
    const nothing = { actions: 0, asked: 0, denied: 0, flags: [], review: 'none', tags: { env: 'production' } };
    expect(summaries).toMatchObject({
      quiet: nothing,
      busy: { ...nothing, actions: 4, asked: 1, denied: 1, flags: ['asked', 'denied'], tags: tags['db-1'] },
      urgent: { ...nothing, flags: ['break-glass'] },
      watched: { ...nothing, flags: ['supervised', 'terminated'] },
      unanswered: { ...nothing, denied: 1, flags: ['denied'] },
      recovered: { ...nothing, flags: ['recovered'] },
      fine: { ...nothing, review: 'fine', tags: tags['db-1'] },
      worrying: { ...nothing, review: 'concern', tags: {} },
      live: nothing,
    });
  });

  test('a session shown by itself has the same', async () => {
    const { sessions } = await list();
    const { summary } = await operations()['session.show']({ session: ids.busy ?? '' }, asking);
    expect(summary).toEqual(sessions[everything.indexOf('busy')]?.summary);
  });

  test('how a session that runs stands, and of any other that it does not', async () => {
    const { sessions } = await list();
    const told = Object.fromEntries(sessions.map(({ id, live }) => [id, live]));
    expect(told[ids.live ?? '']).toEqual({ session: ids.live, paused: true, stepping: false, watchers: 2, waiting: [] });
    expect(told[ids.fine ?? '']).toBeNull();
  });

  test('nothing of it where nobody asks for it', async () => {
    const answer = await list({ detailed: 'false' });
    expect(answer.total).toBeUndefined();
    expect(answer.sessions.every(({ summary }) => summary === undefined)).toBe(true);
  });

  test('how its evidence stands: open until a signed checkpoint covers its end, and then what was verified of it', async () => {
    const evidence = async (name: string) => (await list()).sessions[everything.indexOf(name)]?.summary?.evidence;
    signed = (await database.overviews.one(ids.busy ?? ''))?.endSeq ?? 0;
    expect([await evidence('busy'), await evidence('urgent'), await evidence('live')]).toEqual(['committed', 'open', 'open']);
    signed = await database.records.count();
    expect([await evidence('urgent'), await evidence('live')]).toEqual(['committed', 'open']);
    verified.set(ids.urgent ?? '', true, 1);
    expect(await evidence('urgent')).toBe('committed');
    verified.set(ids.urgent ?? '', true, signed);
    verified.set(ids.quiet ?? '', false, signed);
    expect([await evidence('urgent'), await evidence('quiet'), await evidence('fine')]).toEqual(['verified', 'failed', 'committed']);
    verified.allUpTo(signed, [ids.fine ?? '']);
    expect([await evidence('quiet'), await evidence('fine'), await evidence('live')]).toEqual(['verified', 'failed', 'open']);
  });
});

describe('what is asked of the list', () => {
  test.each([
    [{}, everything],
    [{ flag: 'asked' }, ['busy']],
    [{ flag: 'denied' }, ['unanswered', 'busy']],
    [{ flag: 'break-glass' }, ['urgent']],
    [{ flag: 'supervised' }, ['watched']],
    [{ flag: 'terminated' }, ['watched']],
    [{ flag: 'recovered' }, ['recovered']],
    [{ flag: 'held' }, []],
    [{ review: 'fine' }, ['fine']],
    [{ review: 'concern' }, ['worrying']],
    [{ review: 'none', tag: 'env=test' }, ['busy']],
    [{ tag: 'env=test' }, ['fine', 'busy']],
    [{ tag: 'env=nowhere' }, []],
    [{ tag: 'constructor=x' }, []],
    [{ target: 'gone', principal: actor.principal }, ['worrying']],
    [{ onBehalfOf: actor.onBehalfOf ?? '', flag: 'denied', target: 'db-1' }, ['busy']],
    [{ principal: 'nobody' }, []],
    [{ text: 'DEPLOY', state: 'live' }, ['live']],
    [{ from: '2090-01-01' }, []],
  ] as [Record<string, string>, string[]][])('%j', async (input, expected) => {
    expect(await found(input)).toEqual({ names: expected, total: expected.length });
  });

  test('a hold marks the sessions in its scope, also such as begin later, and until it is cleared', async () => {
    const hold = randomUUID().replace(/^(.{14})./, '$17');
    const gateway = { name: 'gateway-1', kind: 'gateway' } as const;
    await records.append({
      type: 'hold.set',
      outcome: 'success',
      actor,
      target: gateway,
      body: { hold, scope: { target: 'db-1' }, reason: 'a matter' },
    });
    expect(await found({ flag: 'held' })).toEqual({ names: ['fine', 'busy'], total: 2 });
    const flags = (await list({ target: 'db-1' })).sessions.map(({ summary }) => summary?.flags);
    expect(flags).toEqual([['held'], ['asked', 'denied', 'held']]);
    await records.append({ type: 'hold.cleared', outcome: 'success', actor, target: gateway, body: { hold, reason: 'over' } });
    expect(await found({ flag: 'held' })).toEqual({ names: [], total: 0 });
  });

  test.each([
    [{ tag: 'env' }, 'REQUEST_INVALID'],
    [{ tag: '=x' }, 'REQUEST_INVALID'],
    [{ cursor: 'x' }, 'REQUEST_INVALID'],
    [{ cursor: newSession() }, 'SESSION_NOT_FOUND'],
    [{ upTo: newSession() }, 'SESSION_NOT_FOUND'],
  ] as [Record<string, string>, string][])('%j is refused', async (input, code) => {
    await expect(list(input)).rejects.toMatchObject({ code });
  });

  test.each([
    { flag: 'other' },
    { review: 'bad' },
    { offset: '-1' },
    { offset: '10000001' },
    { offset: 'x' },
    { upTo: 'x' },
    { detailed: 'x' },
  ])('%j is no question', (input) => {
    expect(schemasOf('session.list').input.safeParse(input).success).toBe(false);
  });
});

describe('pages', () => {
  test('begin anywhere, and are the same rows that all pages before would have led to', async () => {
    for (let offset = 0; offset <= everything.length + 1; offset += 1)
      expect(namesOf(await list({ offset: String(offset), limit: '3' }))).toEqual(everything.slice(offset, offset + 3));
    const first = await list({ limit: '2' });
    expect(first.total).toBe(everything.length);
    const behind = await list({ limit: '2', cursor: first.cursor ?? '', offset: '3' });
    expect([namesOf(behind), behind.total]).toEqual([everything.slice(5, 7), undefined]);
    expect((await list({ offset: String(everything.length - 3), limit: '3' })).cursor).toBeUndefined();
  });

  test('stay where they are though sessions begin, when the newest that was told is named', async () => {
    const first = await list({ limit: '2' });
    const upTo = first.sessions[0]?.id ?? '';
    await session('later', () => []);
    expect(namesOf(await list({ offset: '4', limit: '2', upTo }))).toEqual(everything.slice(4, 6));
    expect(await list({ limit: '1', upTo })).toMatchObject({ total: first.total });
    expect(namesOf(await list({ limit: '1' }))).toEqual(['later']);
  });
});
