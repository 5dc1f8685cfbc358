import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonicalText } from '../../contract/canonical.ts';
import { ssh, sshArguments } from '../support/clients.ts';
import { indexed } from '../support/indexed.ts';
import { endedSessions } from '../support/recordings.ts';
import { recordsOf } from '../support/records.ts';
import { ended, plainEnvironment, startProgram } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';
import { type Answer, ask, logIn, makeOperators } from './api-client.ts';

/** What is on record of a session, of one gateway that runs: whoever looks at it is on record themselves. */

const belongings = new Belongings();
afterAll(() => belongings.release());

const people = { auditor: ['auditor'], reviewer: ['reviewer'] } as const;
const tokens: Record<string, string> = {};
let world: World;
let session: string;

interface Told {
  readonly index: number | null;
  readonly type: string;
  readonly time: string;
  readonly record: Record<string, unknown> | null;
  readonly sha256: string;
}

beforeAll(async () => {
  const { humans, keyOf } = await makeOperators(belongings.directory('operators'), people);
  world = await openWorld(belongings, { agents: 3, gateway: { https: true }, humans });
  for (const name of Object.keys(people)) tokens[name] = await logIn(world.gateway, name, keyOf(name));
  const route = world.agent();
  await ssh(route, 'echo one');
  session = (await endedSessions(world.gateway.data, route.principal))[0]?.id ?? '';
});

const operation = (
  name: 'session.activity' | 'session.records' | 'session.show' | 'recording.open' | 'policy.text',
  input: object,
  who = 'auditor',
): Promise<Answer> => ask(world.gateway, name, { ...input }, { token: tokens[who] });
const toldOf = ({ body }: Answer): Told[] => body.records as Told[];
const views = async () => (await recordsOf(world.gateway.data, 'access.viewed')).map(({ actor, body }) => `${actor.principal} ${body.how}`);

/** Page after page. */
async function all(limit: number, who = 'auditor'): Promise<Told[]> {
  const told: Told[] = [];
  let cursor: unknown;
  do {
    const answer = await operation('session.records', { session, limit, ...(cursor === undefined ? {} : { cursor }) }, who);
    expect(answer.status).toBe(200);
    told.push(...toldOf(answer));
    cursor = answer.body.cursor;
  } while (cursor !== undefined);
  return told;
}

test('every record of a session, with its place in the ledger and its hash, and the look itself', async () => {
  expect(await views()).toEqual([]);
  const told = await all(2);
  const types = told.map(({ type }) => type);
  expect(types.slice(0, 2)).toEqual(['session.open', 'channel.open']);
  expect(types).toEqual(expect.arrayContaining(['action.decided', 'segment.sealed', 'channel.close', 'session.close']));
  expect(types.at(-1)).toBe('access.viewed');
  const database = await recordsOf(world.gateway.data, 'session.close');
  expect(told.find(({ type }) => type === 'session.close')?.record).toEqual(database[0]);
  for (const { record, sha256 } of told) expect(createHash('sha256').update(canonicalText(record)).digest('hex')).toBe(sha256);
  const indexes = told.map(({ index }) => index ?? Number.MAX_SAFE_INTEGER);
  expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
  expect(await views()).toEqual(['auditor details']);
  await until('a checkpoint over all of them', async () => (await all(100)).every(({ index }) => index !== null));
});

test('each log-in is on record once an hour, and not again where it has opened the recording', async () => {
  await all(1);
  expect(await views()).toEqual(['auditor details']);
  expect((await operation('recording.open', { session, channel: 0 }, 'reviewer')).status).toBe(200);
  await all(100, 'reviewer');
  expect(await views()).toEqual(['auditor details', 'reviewer play']);
});

test('a look at what is on record opens no recording', async () => {
  const outline = await ask(world.gateway, 'recording.outline', { session, channel: 0 }, { token: tokens.auditor });
  expect(outline).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
});

test.each([
  [{ cursor: '0' }, 400],
  [{ cursor: '-1' }, 400],
  [{ cursor: '9'.repeat(16) }, 400],
  [{ cursor: '1;drop' }, 400],
  [{ limit: 0 }, 400],
  [{ session: '01a205e1-e790-7000-8000-000000000000' }, 404],
  [{ session: '01a2' }, 400],
])('%j is refused, and no look is on record', async (change, status) => {
  const before = await views();
  expect((await operation('session.records', { session, ...change })).status).toBe(status);
  expect(await views()).toEqual(before);
});

test('a session as it is shown has its summary, committed once its records are signed', async () => {
  const shown = await until('a committed session', async () => {
    const { body } = await operation('session.show', { session });
    return (body.summary as { evidence: string }).evidence === 'committed' ? body : undefined;
  });
  expect(shown.summary).toEqual({ tags: {}, actions: 1, asked: 0, denied: 0, flags: [], evidence: 'committed', review: 'none' });
});

test('the policy that a decision rests on can be read, and one that never was cannot', async () => {
  const [decided] = await recordsOf(world.gateway.data, 'action.decided');
  const policySet = decided?.body.decision.policySet ?? '';
  const { status, body } = await operation('policy.text', { policySet });
  expect({ status, body }).toMatchObject({ status: 200, body: { policySet, source: 'allow-lists', current: true } });
  const [changed] = await recordsOf(world.gateway.data, 'policy.changed');
  expect(body).toMatchObject({ text: changed?.body.text, since: changed?.time });
  expect(await operation('policy.text', { policySet: 'a'.repeat(64) })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
});

test('how busy a session was over its length, once it is indexed; of what is not there, nothing', async () => {
  const route = world.agent();
  await ssh(route, 'seq 1 200; sleep 1; echo end');
  const [busy] = await endedSessions(world.gateway.data, route.principal);
  await indexed(world.gateway.data);
  const unknown = '01a205e1-e790-7000-8000-000000000000';
  const activityOf = async () => {
    const { status, body } = await operation('session.activity', { sessions: [unknown, busy?.id, session, session] });
    expect(status).toBe(200);
    return body.activity as Record<string, number[]>;
  };
  const activity = await activityOf();
  expect(Object.keys(activity).toSorted()).toEqual([session, busy?.id]);
  const strip = activity[busy?.id ?? ''] ?? [];
  expect(strip).toHaveLength(24);
  // Most of it before the pause, in which there is nothing, and a little behind it.
  expect(Math.max(...strip)).toBe(100);
  const [first, last] = [strip.findIndex((part) => part > 0), strip.findLastIndex((part) => part > 0)];
  expect(last - first).toBeGreaterThan(4);
  expect(strip.slice(first, last)).toContain(0);
  expect(strip[last]).toBeLessThan(strip[strip.indexOf(100)] ?? 0);
  expect(await activityOf()).toEqual(activity);
});

test('a session in which a secret was typed says so, and nothing of the secret', async () => {
  const route = world.agent();
  const client = startProgram('ssh', [...sshArguments(route, ['-tt']), "printf 'Password: '; stty -echo; read -r secret; echo thanks"], {
    env: plainEnvironment(),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  client.stdout?.on('data', (chunk: Buffer) => chunk.includes('Password: ') && client.stdin?.write('hunter2\n'));
  await ended(client);
  const [typed] = await endedSessions(world.gateway.data, route.principal);
  const { body } = await ask(world.gateway, 'session.list', { detailed: true, flag: 'hidden' }, { token: tokens.auditor });
  const rows = body.sessions as { id: string; summary: { flags: string[] } }[];
  expect(rows.map(({ id, summary }) => [id, summary.flags])).toEqual([[typed?.id, ['hidden']]]);
  expect(body.total).toBe(1);
  const told = await operation('session.records', { session: typed?.id });
  expect(toldOf(told).find(({ type }) => type === 'segment.sealed')?.record).toMatchObject({ body: { redacted: 1 } });
  expect(told.text).not.toContain('hunter2');
});

test.each([[[]], [Array.from({ length: 201 }, () => session)], [['x']]])('activity of %j is not asked for', async (sessions) => {
  expect((await operation('session.activity', { sessions })).status).toBe(400);
});
