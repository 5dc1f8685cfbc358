import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { recordingOperations } from '../../../gateway/operator-api/recordings/recording-operations.ts';
import { ViewingGrants } from '../../../gateway/operator-api/recordings/viewing-grants.ts';
import { SegmentTexts } from '../../../gateway/query/segment-text.ts';
import { Searched } from '../../query/search/searched.ts';
import { actor, draft } from '../../store/support.ts';

test('many who look at recordings at once have few parts read at once', async () => {
  const data = await Searched.open();
  const session = await data.session();
  for (let segment = 1; segment <= 30; segment += 1) await data.records.append(draft.segmentSealed(session, 0, segment, 9));
  let reading = 0;
  let most = 0;
  const grants = new ViewingGrants();
  const operations = recordingOperations({
    reading: () => Promise.resolve(data.database),
    database: data.database,
    records: data.records,
    grants,
    texts: new SegmentTexts(data.directory),
    casts: { follow: () => expect.unreachable() },
    sidecars: {
      part: async () => {
        reading += 1;
        most = Math.max(most, reading);
        // Long enough for all that ask to come here.
        for (let turn = 0; turn < 300; turn += 1) await nextTurn();
        reading -= 1;
        return undefined;
      },
      keyframe: () => Promise.resolve(undefined),
      blob: () => Promise.resolve(undefined),
      want: () => undefined,
    },
    screenText: { reader: () => data.text.reader(), stored: (...asked) => data.text.stored(...asked) },
    running: () => undefined,
  });
  const operator = { token: 'a', name: 'auditor', roles: ['auditor'], subject: 'auditor' };
  grants.give({ token: operator.token, session, channel: 0 });
  const asking = { actor, signal: new AbortController().signal, operator } as unknown as Parameters<
    (typeof operations)['recording.outline']
  >[1];
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => operations['recording.outline']({ session, channel: 0, after: 0 }, asking)),
  );
  expect(answers.map(({ segments }) => segments.length)).toEqual(answers.map(() => 30));
  expect(most).toBeLessThanOrEqual(16);
});

test('somebody who opens recordings over and over fills the ledger with no more than a person opens', async () => {
  const data = await Searched.open();
  const session = await data.session();
  const operations = recordingOperations({
    reading: () => Promise.resolve(data.database),
    database: data.database,
    records: data.records,
    grants: new ViewingGrants(),
    running: () => undefined,
  } as unknown as Parameters<typeof recordingOperations>[0]);
  const operator = { token: 'a', name: actor.principal };
  const asking = { actor, signal: new AbortController().signal, operator } as unknown as Parameters<
    (typeof operations)['recording.open']
  >[1];
  const answers = await Promise.allSettled(
    Array.from({ length: 700 }, () => operations['recording.open']({ session, channel: 0 }, asking)),
  );
  const late = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
  expect(late.filter(({ message }) => message.includes('faster than')).length).toBeGreaterThan(50);
  const views = (await data.database.records.ofSession(session, 0, 2000)).filter(({ type }) => type === 'access.viewed');
  expect(views.length).toBeGreaterThanOrEqual(600);
  expect(views.length).toBeLessThan(650);
});
