import { expect, onTestFinished, test } from 'vitest';
import type { Part } from '../../contract/replay/part.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import type { Asking } from '../../gateway/operator-api/operations.ts';
import { type ActivityParts, activityOperations } from '../../gateway/operator-api/session-activity.ts';
import { Database } from '../../gateway/store/database.ts';
import { actor, draft, newSession, temporaryDirectory } from '../store/support.ts';

/** Strips of sessions that no test has the time to record. */

const asking: Asking = { actor, signal: new AbortController().signal };

async function world(part: ActivityParts['sidecars']['part']) {
  const database = await Database.openForGateway(await temporaryDirectory());
  onTestFinished(() => database.close());
  let wall = Date.parse('2026-03-01T09:30:00Z') * 1000;
  const records = new Records(database.records, { ...systemClock, wallMicros: () => wall }, 'gateway-1');
  const { 'session.activity': ask } = activityOperations({ reading: async () => database, sidecars: { part } });
  return {
    records,
    later: (micros: number) => {
      wall += micros;
    },
    strip: async (session: string) => (await ask({ sessions: [session] }, asking)).activity[session],
  };
}

/** Of a second, with so many events. */
function second(session: string, number: number, events: number) {
  const sealed = draft.segmentSealed(session, 0, number, 1);
  return { ...sealed, body: { ...sealed.body, from: (number - 1) * 1e9, to: number * 1e9, events } };
}

test('a session of many segments is told by what each of them says, without one part being read', async () => {
  let read = 0;
  const { records, later, strip } = await world(async () => {
    read += 1;
    return undefined;
  });
  const session = newSession();
  await records.append(draft.sessionOpen(session));
  await records.append(draft.channelOpen(session, 0, 'shell'));
  await Promise.all(Array.from({ length: 240 }, (_, index) => records.append(second(session, index + 1, index < 120 ? 10 : 20))));
  later(240_000_000);
  await records.append(draft.sessionClose(session));
  expect(await strip(session)).toEqual(Array.from({ length: 24 }, (_, part) => (part < 12 ? 50 : 100)));
  expect(read).toBe(0);
});

test('one that runs is told up to where it is sealed, anew when more is, and not at all before', async () => {
  const heat: [number, number][] = [];
  const { records, later, strip } = await world(async ({ segment }) => ({ heat: heat.slice(segment - 1, segment) }) as unknown as Part);
  const session = newSession();
  await records.append(draft.sessionOpen(session));
  later(1_000_000);
  await records.append(draft.channelOpen(session, 0, 'shell'));
  expect(await strip(session)).toBeUndefined();
  heat.push([500_000, 7], [1_999_990, 14]);
  await records.append(second(session, 1, 5));
  // Two seconds: one before the channel opened, and in the other the half.
  expect(await strip(session)).toEqual(Array.from({ length: 24 }, (_, part) => (part === 18 ? 100 : 0)));
  await records.append(second(session, 2, 5));
  expect(await strip(session)).toEqual(Array.from({ length: 24 }, (_, part) => (part === 12 ? 50 : part === 23 ? 100 : 0)));
});

test('one that is not indexed in all its segments is not known', async () => {
  const { records, strip } = await world(async ({ segment }) => (segment === 1 ? ({ heat: [[0, 1]] } as unknown as Part) : undefined));
  const session = newSession();
  for (const each of [
    draft.sessionOpen(session),
    draft.channelOpen(session, 0, 'shell'),
    second(session, 1, 5),
    second(session, 2, 5),
    draft.sessionClose(session),
  ])
    await records.append(each);
  expect(await strip(session)).toBeUndefined();
});

test('one in which nothing was recorded was never busy', async () => {
  const { records, strip } = await world(async () => undefined);
  const session = newSession();
  await records.append(draft.sessionOpen(session));
  await records.append(draft.sessionClose(session));
  expect(await strip(session)).toEqual(Array.from({ length: 24 }, () => 0));
});
