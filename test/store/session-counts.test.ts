import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { RecordDraft } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { Database } from '../../gateway/store/database.ts';
import { EvidenceReader } from '../../gateway/store/evidence-reader.ts';
import { COUNTED_SINCE, SCHEMA_VERSION } from '../../gateway/store/migrations.ts';
import { sessionCountsStep } from '../../gateway/store/session-counts-step.ts';
import { actor, administer, draft, newSession, target, temporaryDirectory } from './support.ts';

/** What the list of sessions counts: the same whether records arrive one by one, are read again, or are older than the list. */

const digest = 'a'.repeat(64);
const said = (session: string, type: RecordDraft['type'], body: object): RecordDraft =>
  ({ type, outcome: 'success', actor, target, session, body }) as RecordDraft;
const decided = (session: string, verdict: string) =>
  said(session, 'action.decided', {
    channel: 0,
    action: 'ssh:exec',
    digest,
    facts: { command: 'id' },
    decision: { verdict, policies: [], policySet: digest },
  });
const asked = (session: string) =>
  said(session, 'approval.asked', {
    request: {
      id: newSession(),
      rule: 'urgent',
      digest,
      principal: actor.principal,
      kind: 'agent',
      source: actor.source,
      target,
      session,
      action: 'connect',
      facts: {},
      policies: [],
      policySet: digest,
      asked: '2026-03-01T09:30:00.000000Z',
      expires: '2026-03-01T09:40:00.000000Z',
      needed: 1,
      reasonRequired: false,
      grants: 'once',
      breakGlass: true,
    },
  });
const denied = { approval: newSession(), digest, verdict: 'deny', reason: '', key: 'k', signature: 's', state: 'denied' };
const reviewed = { subject: digest, verdict: 'concern', reason: 'r', watched: { nanos: 0, of: 0 }, key: 'k', signature: 's' };

/** One session of everything, and a quiet one. */
async function filled(): Promise<{ directory: string; database: Database; busy: string; quiet: string; records: Records }> {
  const directory = await temporaryDirectory();
  const database = await Database.openForGateway(directory);
  onTestFinished(() => database.close());
  const records = new Records(database.records, systemClock, 'gateway-1');
  const [busy, quiet] = [newSession(), newSession()];
  const opened = draft.sessionOpen(busy);
  const seal = draft.segmentSealed(busy, 0, 1, 5);
  for (const each of [
    asked(busy),
    { ...opened, body: { ...opened.body, decision: { ...opened.body.decision, verdict: 'ask' as const } } },
    draft.sessionOpen(quiet),
    draft.channelOpen(busy, 0, 'shell'),
    decided(busy, 'allow'),
    decided(busy, 'deny'),
    decided(busy, 'ask'),
    said(busy, 'approval.decided', denied),
    said(busy, 'approval.expired', { approval: newSession(), digest, reason: 'deadline' }),
    said(busy, 'supervise.pause', { reason: 'wait' }),
    said(busy, 'supervise.terminate', { reason: 'enough' }),
    { ...seal, body: { ...seal.body, redacted: 2 } },
    draft.segmentSealed(busy, 0, 2, 5),
    draft.sessionClose(quiet),
    draft.sessionClose(busy),
  ])
    await records.append(each);
  return { directory, database, busy, quiet, records };
}

const busyCounts = { actions: 3, asked: 2, denied: 3, breakGlass: 1, supervised: 1, terminated: 1, hidden: 2, review: null };
const nothing = { actions: 0, asked: 0, denied: 0, breakGlass: 0, supervised: 0, terminated: 0, hidden: 0, review: null };

test('are counted as the records arrive, and again when they are read anew', async () => {
  const { database, busy, quiet, records } = await filled();
  expect(await database.overviews.one(busy)).toMatchObject(busyCounts);
  await records.append(said(busy, 'session.reviewed', { ...reviewed, verdict: 'fine' }));
  await records.append(said(busy, 'session.reviewed', reviewed));
  const before = await Promise.all([busy, quiet].map((id) => database.overviews.one(id)));
  expect(before).toMatchObject([{ ...busyCounts, review: 'concern' }, nothing]);
  await database.rebuildProjections();
  expect(await Promise.all([busy, quiet].map((id) => database.overviews.one(id)))).toEqual(before);
});

test('are made up for what an older version recorded, when its database is opened', async () => {
  const { directory, database, busy, quiet } = await filled();
  const before = await Promise.all([busy, quiet].map((id) => database.overviews.one(id)));
  await database.close();
  // As the version before left it.
  const file = join(directory, 'sallyport.db');
  const columns = ['actions', 'asked', 'denied', 'break_glass', 'supervised', 'terminated', 'hidden', 'review'];
  const indexes = ['asked', 'denied', 'break_glass', 'supervised', 'terminated', 'hidden', 'recovered', 'reviewed'];
  await administer(
    file,
    `${indexes.map((name) => `DROP INDEX sessions_${name};`).join('')} ${columns.map((name) => `ALTER TABLE sessions DROP COLUMN ${name};`).join('')}
     PRAGMA user_version = ${COUNTED_SINCE - 1};`,
  );
  const older = await Database.openForReading(directory);
  expect((await older.sessions.find({ limit: 5 })).map(({ id }) => id)).toEqual([quiet, busy]);
  await older.close();
  const reader = await EvidenceReader.open(directory);
  expect((await reader.projected([busy])).sessions[0]).not.toHaveProperty('actions');
  expect(await reader.falselyListed(10)).toEqual([]);
  await reader.close();
  // This step alone: later ones are done already.
  await administer(file, `BEGIN; ${sessionCountsStep} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
  const again = await Database.openForGateway(directory);
  onTestFinished(() => again.close());
  // No record of that version says that input was left out.
  expect(await Promise.all([busy, quiet].map((id) => again.overviews.one(id)))).toEqual([{ ...before[0], hidden: 0 }, before[1]]);
});

test('go with an erased session, and nothing that is said of it later brings any back', async () => {
  const { directory, database, busy, records } = await filled();
  const erased: RecordDraft<'erased'> = {
    type: 'erased',
    outcome: 'success',
    actor,
    target,
    session: busy,
    body: {
      basis: 'retention',
      reason: 'its time is over',
      remains: { started: '2026-03-01T09:30:00.000000Z', ended: null, protocol: 'ssh', channels: 1 },
      files: [],
      records: [[0, 1]],
      part: 1,
      parts: 1,
    },
  };
  await records.append(erased);
  expect(await database.overviews.one(busy)).toMatchObject({ ...nothing, row: { state: 'erased' } });
  for (const late of [
    said(busy, 'approval.expired', { approval: newSession(), digest, reason: 'gateway-restarted' }),
    said(busy, 'session.reviewed', reviewed),
    decided(busy, 'deny'),
  ])
    await records.append(late);
  expect(await database.overviews.one(busy)).toMatchObject(nothing);
  await database.records.erase(busy, [[1, 15]]);
  await database.rebuildProjections();
  expect(await database.overviews.one(busy)).toMatchObject({ ...nothing, row: { state: 'erased' } });
  const reader = await EvidenceReader.open(directory);
  expect(await reader.falselyListed(10)).toEqual([]);
  await reader.close();
  await administer(join(directory, 'sallyport.db'), `UPDATE sessions SET review = 'fine' WHERE id = '${busy}'`);
  const again = await EvidenceReader.open(directory);
  expect(await again.falselyListed(10)).toEqual([{ session: busy, listed: 1 }]);
  await again.close();
});
