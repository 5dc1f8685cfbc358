import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SallyportError } from '../../gateway/base/errors.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import { recordingDirectory } from '../../gateway/recording/journal-layout.ts';
import { recordsOf } from '../support/records.ts';
import { AgedData, asking, DAY, filesWith, isThere, snapshot } from './aged-data.ts';

describe('a run of the retention', () => {
  it('takes recordings whose time is over, with what the records said of people, and leaves the others as they were', async () => {
    const data = await AgedData.open();
    const old = await data.session({ principal: 'leaver', source: '198.51.100.1:7', command: 'cat /etc/old', daysAgo: 401 });
    const young = await data.session({ principal: 'stayer', command: 'cat /etc/young', daysAgo: 399 });
    const before = await data.evidence.database.segments.ofSession(young);
    expect(await data.run()).toMatchObject({ expired: [{ session: old, principal: 'leaver' }], held: [], dryRun: false });

    expect(isThere(data.directory, recordingDirectory(old, 0))).toBe(false);
    expect(filesWith(data.directory, 'leaver', '198.51.100.1', '/etc/old')).toEqual([]);
    const { sessions, channels, segments } = data.evidence.database;
    expect(await sessions.byPrefix(old, 2)).toMatchObject([
      {
        id: old,
        state: 'erased',
        principal: '',
        principalKind: 'unknown',
        onBehalfOf: null,
        source: '',
        target: 'web-1',
        protocol: 'ssh',
        channels: 1,
      },
    ]);
    expect(await channels.ofSession(old)).toEqual([]);
    expect(await segments.ofSession(old)).toEqual([]);
    expect(await segments.ofSession(young)).toEqual(before);
    expect(await sessions.find({ principal: 'stayer', limit: 5 })).toMatchObject([{ id: young, state: 'closed' }]);
    expect(await sessions.find({ principal: 'leaver', limit: 5 })).toEqual([]);
    const [erased] = await recordsOf(data.directory, 'erased');
    expect(erased).toMatchObject({
      session: old,
      actor: asking.actor,
      target: { name: 'web-1', kind: 'ssh' },
      body: {
        basis: 'retention',
        reason: 'kept for 400 days, as configured',
        remains: { protocol: 'ssh', channels: 1 },
        part: 1,
        parts: 1,
      },
    });
    expect(await recordsOf(data.directory, 'retention.run')).toMatchObject([
      { body: { trigger: 'command', expired: 1, held: 0, records: 0 } },
    ]);
    expect(await data.faults()).toEqual([]);
  });

  it('gives the same lists when they are made anew from the records', async () => {
    const data = await AgedData.open();
    await data.session({ daysAgo: 500 });
    await data.session({ daysAgo: 10 });
    await data.retention.setHold({ scope: { target: 'web-9' }, reason: 'a case' }, asking);
    await data.run();
    const { database } = data.evidence;
    const seen = async () => [
      await database.sessions.find({ limit: 9 }),
      await database.holds.all(),
      await database.segments.ofSession(''),
    ];
    const before = await seen();
    await database.rebuildProjections();
    expect(await seen()).toEqual(before);
    // What was done is not known to be done any more; doing it again changes nothing.
    await data.retention.finish(asking.signal);
    expect(await seen()).toEqual(before);
    expect(await data.faults()).toEqual([]);
  });

  it('takes attachments, journals that were set aside and whatever else lies with the recording, and says so', async () => {
    const data = await AgedData.open();
    const binary = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7919) % 251);
    const session = await data.session({ binary });
    const directory = recordingDirectory(session, 0);
    const [attachment] = readdirSync(join(data.directory, directory)).filter((name) => name.endsWith('.bin.zst'));
    expect(attachment).toBeDefined();
    writeFileSync(join(data.directory, directory, '0001.keyframes'), 'a sidecar');
    const aside = `journal/${session}/0`;
    mkdirSync(join(data.directory, aside), { recursive: true });
    writeFileSync(join(data.directory, aside, '0009.journal.set-aside'), 'cat /etc/old');
    await data.run();
    const [erased] = await recordsOf(data.directory, 'erased');
    const files = erased?.body.files.map(({ file }) => file) ?? [];
    expect(files).toContain(`${directory}/${attachment}`);
    expect(files).toContain(`${directory}/0001.keyframes`);
    expect(files).toContain(`${directory}/0001.cast.zst`);
    expect(erased?.body.files).toContainEqual({
      file: `${aside}/0009.journal.set-aside`,
      bytes: 12,
      sha256: createHash('sha256').update('cat /etc/old').digest('hex'),
    });
    expect(isThere(data.directory, directory.split('/').slice(0, 4).join('/'))).toBe(false);
    expect(isThere(data.directory, `journal/${session}`)).toBe(false);
    expect(await data.faults()).toEqual([]);
  });

  it('leaves a session of which a part is still to be sealed', async () => {
    const data = await AgedData.open();
    const session = await data.session();
    const journal = join(data.directory, 'journal', session, '0');
    mkdirSync(journal, { recursive: true });
    writeFileSync(join(journal, '0002.journal'), 'left by a gateway that was killed');
    expect((await data.run()).expired).toEqual([]);
    expect(data.log.lines.map(({ message }) => message).join()).toContain('is not sealed yet');
    expect(isThere(data.directory, recordingDirectory(session, 0))).toBe(true);
  });

  it('removes the directories of months that are over and empty, and no other', async () => {
    const data = await AgedData.open();
    await data.session({ daysAgo: 800 });
    const now = await data.session({ daysAgo: 0 });
    await data.run();
    const years = readdirSync(join(data.directory, 'recordings'));
    expect(years).toEqual([recordingDirectory(now, 0).split('/')[1]]);
  });

  it('follows the time of each target, of its tags, and the longest of all for a target that is not listed any more', async () => {
    const data = await AgedData.open();
    const sessions = {
      short: await data.session({ target: 'short', daysAgo: 8 }),
      tagged: await data.session({ target: 'tagged', daysAgo: 401 }),
      plain: await data.session({ target: 'plain', daysAgo: 401 }),
      gone: await data.session({ target: 'gone', daysAgo: 900 }),
    };
    data.settings = {
      recording: { retainSeconds: 400 * DAY, retainByTag: [{ tags: { env: 'prod' }, retainSeconds: 1000 * DAY }] },
      targets: new Map([
        ['short', { tags: { env: 'prod' }, retainSeconds: 7 * DAY }],
        ['tagged', { tags: { env: 'prod', team: 'a' } }],
        ['plain', { tags: { env: 'dev' } }],
      ]),
    };
    const { expired } = await data.run();
    expect(expired.map(({ session }) => session).sort()).toEqual([sessions.short, sessions.plain].sort());
  });

  it('erases refusals after the default time, which belong to no session', async () => {
    const data = await AgedData.open();
    await data.refusals('mallory', 401);
    await data.refusals('trudy', 399);
    expect(await data.run()).toMatchObject({ records: 2, expired: [] });
    expect(filesWith(data.directory, 'mallory')).toEqual([]);
    expect(await recordsOf(data.directory, 'auth.refused')).toMatchObject([{ body: { user: 'trudy' } }]);
    const [erased] = await recordsOf(data.directory, 'erased');
    expect(erased?.session).toBeUndefined();
    expect(await data.faults()).toEqual([]);
  });

  it('never takes a session that still runs, however old', async () => {
    const data = await AgedData.open();
    data.clock.daysAgo(900);
    const { records, database } = data.evidence;
    await data.session({ daysAgo: 900 });
    data.clock.daysAgo(900);
    const session = uuidV7(data.clock.wallMicros());
    const decision = { verdict: 'allow' as const, policies: [], policySet: 'x' };
    await records.append({
      ...{ type: 'session.open', outcome: 'success', actor: asking.actor, target: { name: 'web-1', kind: 'ssh' }, session },
      body: { protocol: 'ssh', requested: 'web-1', client: 'x', decision },
    });
    data.clock.now();
    expect((await data.run()).expired).toHaveLength(1);
    expect(await database.sessions.live()).toMatchObject([{ id: session }]);
  });

  it('changes nothing in a dry run, which says what a run would do', async () => {
    const data = await AgedData.open();
    await data.session({ daysAgo: 500 });
    await data.refusals('mallory');
    await data.evidence.ledger.signed();
    const before = snapshot(data.directory);
    const dry = await data.run(true);
    expect(dry).toMatchObject({ dryRun: true, expired: [{ principal: 'deploy-bot' }], records: 2 });
    expect(dry.bytes).toBeGreaterThan(0);
    expect(snapshot(data.directory)).toEqual(before);
    expect(await data.run()).toMatchObject({ records: 2, expired: dry.expired.map(({ session }) => ({ session })) });
  });

  it('touches the reserve for nothing but want of space: that would end the sessions that run', async () => {
    let released = 0;
    const data = await AgedData.open({ releaseReserve: () => (released += 1) });
    await data.session();
    const { records } = data.retention.parts;
    const broken = new SallyportError('LEDGER_FAILED', 'too many wait');
    Object.assign(data.retention.parts, { records: { ...records, appendTogether: () => Promise.reject(broken) } });
    await expect(data.run()).rejects.toBe(broken);
    expect(released).toBe(0);
  });

  it('finds nothing to do the second time', async () => {
    const data = await AgedData.open();
    await data.session({ daysAgo: 500 });
    await data.run();
    expect(await data.run()).toEqual({ dryRun: false, expired: [], held: [], records: 0, bytes: 0 });
    expect(await recordsOf(data.directory, 'erased')).toHaveLength(1);
  });
});

describe('a hold', () => {
  it('keeps what it is on, also what comes later, until it is cleared', async () => {
    const data = await AgedData.open();
    const mine = await data.session({ principal: 'suspect' });
    const other = await data.session({ principal: 'somebody' });
    const { hold, sessions } = await data.retention.setHold({ scope: { principal: 'suspect' }, reason: 'case 17' }, asking);
    expect(sessions).toBe(1);
    const later = await data.session({ principal: 'suspect', daysAgo: 450 });
    const first = await data.run();
    expect(first.expired.map(({ session }) => session)).toEqual([other]);
    expect(first.held.map(({ session }) => session)).toEqual([mine, later]);
    expect(await data.faults()).toEqual([]);

    await data.retention.clearHold({ hold, reason: 'case 17 is closed' }, asking);
    expect((await data.run()).expired.map(({ session }) => session)).toEqual([mine, later]);
    expect(await data.evidence.database.holds.all()).toMatchObject([
      { id: hold, reason: 'case 17', principal: 'root', clearReason: 'case 17 is closed', clearedBy: 'root' },
    ]);
    expect(await data.faults()).toEqual([]);
  });

  it.each([
    ['a session', (id: string) => ({ session: id })],
    ['a target', () => ({ target: 'held-target' })],
    ['who is acted for', () => ({ onBehalfOf: 'boss@example.com' })],
    ['a period', () => ({ from: '2000-01-01T00:00:00.000000Z', to: '2100-01-01T00:00:00.000000Z', target: 'held-target' })],
    ['the text of a command', () => ({ text: 'DROP TABLE' })],
    ['a protocol and a state', () => ({ protocol: 'ssh', state: 'closed' as const, onBehalfOf: 'boss@example.com' })],
  ])('is set on %s', async (_, scopeOf) => {
    const data = await AgedData.open();
    const held = await data.session({ target: 'held-target', onBehalfOf: 'boss@example.com', command: 'psql -c "drop table x"' });
    const free = await data.session();
    expect(await data.retention.setHold({ scope: scopeOf(held), reason: 'r' }, asking)).toMatchObject({ sessions: 1 });
    const { expired, held: kept } = await data.run();
    expect([expired.map(({ session }) => session), kept.map(({ session }) => session)]).toEqual([[free], [held]]);
  });

  it('on a principal keeps the refusals of that name too', async () => {
    const data = await AgedData.open();
    await data.refusals('mallory');
    await data.refusals('trudy');
    await data.retention.setHold({ scope: { principal: 'mallory' }, reason: 'r' }, asking);
    expect(await data.run()).toMatchObject({ records: 2 });
    expect(await recordsOf(data.directory, 'auth.refused')).toMatchObject([{ body: { user: 'mallory' } }]);
  });

  it('need not wait for a run that is at work, and counts from then on', async () => {
    const data = await AgedData.open();
    const sessions = [await data.session(), await data.session({ target: 'web-2' }), await data.session({ target: 'web-2' })];
    const { carryOut } = data.retention;
    let set: Promise<unknown> | undefined;
    // Somebody sets it when the first session has been decided on.
    data.retention.carryOut = async (decide) => {
      const done = carryOut.call(data.retention, decide);
      set ??= data.retention.setHold({ scope: { target: 'web-2' }, reason: 'urgent' }, asking);
      await set;
      return done;
    };
    const { expired, held } = await data.run();
    expect(expired.map(({ session }) => session)).toEqual(sessions.slice(0, 1));
    expect(held.map(({ session }) => session)).toEqual(sessions.slice(1));
    expect(await data.faults()).toEqual([]);
  });

  it('that does not stand cannot be cleared', async () => {
    const data = await AgedData.open();
    const { hold } = await data.retention.setHold({ scope: { target: 'x' }, reason: 'r' }, asking);
    await data.retention.clearHold({ hold, reason: 'r' }, asking);
    await expect(data.retention.clearHold({ hold, reason: 'r' }, asking)).rejects.toMatchObject({ code: 'HOLD_NOT_FOUND' });
    expect(await recordsOf(data.directory, 'hold.cleared')).toHaveLength(1);
  });
});
