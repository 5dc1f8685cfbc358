import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordingDirectory } from '../../gateway/recording/journal-layout.ts';
import { isFileOf } from '../../gateway/retention/session-files.ts';
import { administer, temporaryDirectory } from '../store/support.ts';
import { recordsOf } from '../support/records.ts';
import { AgedData, asking, isThere, snapshot } from './aged-data.ts';

/** Changes a record as somebody would who may write to the database, with a hash that fits. */
async function rewrite(data: AgedData, seq: number, change: (text: string) => string): Promise<void> {
  const [row] = await data.evidence.database.records.after(seq - 1, 1);
  const bytes = Buffer.from(change(Buffer.from(row?.bytes ?? []).toString('utf8')));
  const hash = createHash('sha256').update(bytes).digest('hex');
  await administer(
    join(data.directory, 'sallyport.db'),
    `UPDATE records SET bytes = x'${bytes.toString('hex')}', hash = x'${hash}' WHERE seq = ${seq}`,
  );
}

async function seqOf(data: AgedData, session: string, type: string): Promise<number> {
  const rows = await data.evidence.database.records.ofSession(session);
  return rows.find((row) => row.type === type)?.seq ?? 0;
}

describe('a path in the database', () => {
  const session = '01900000-0000-7000-8000-000000000000';
  const own = recordingDirectory(session, 0);

  it.each([
    `${own}/0001.cast.zst`,
    `${own}/0001.o.bin.zst`,
    `${own.slice(0, -2)}/index.json`,
    `journal/${session}/3/0007.journal.set-aside`,
  ])('of the session itself is its file: %s', (path) => {
    expect(isFileOf(session, path)).toBe(true);
  });

  it.each([
    '/etc/passwd',
    '../outside',
    `${own}/../../../../../../etc/passwd`,
    `${own}/..`,
    `${own}/.`,
    `${own}/.hidden`,
    `${own}/`,
    own,
    `${own}/a/b`,
    `${own.slice(0, -2)}/x/0001.cast.zst`,
    `${own.slice(0, -2)}/00/0001.cast.zst`,
    `${own}/a\0b`,
    `${own}/a\\..\\b`,
    `${own}//0001.cast.zst`,
    own.replace('recordings', 'ledger'),
    `${own.replace(session, session.replace(/.$/, '1'))}/0001.cast.zst`,
    `${own.replace(/\/\d\d\//, '/13/')}/0001.cast.zst`,
    'sallyport.db',
    'keys/ledger.key',
    `${own}/${'a'.repeat(300)}`,
    '',
  ])('that leads anywhere else is not: %j', (path) => {
    expect(isFileOf(session, path)).toBe(false);
  });
});

describe('data that somebody tampered with', () => {
  it('cannot name a file elsewhere that would be deleted; its session is left for people to look at', async () => {
    const data = await AgedData.open();
    const outside = join(await temporaryDirectory(), 'precious');
    writeFileSync(outside, 'precious');
    const session = await data.session();
    const good = await data.session({ target: 'web-2' });
    const victim = await data.session({ daysAgo: 1 });
    const file = `${recordingDirectory(victim, 0)}/0001.cast.zst`;
    const seq = await seqOf(data, session, 'segment.sealed');
    for (const path of [`../${outside.split('/').slice(-2).join('/')}`, outside, file, 'keys/ledger.key']) {
      await rewrite(data, seq, (text) => text.replace(/"file":"[^"]*"/, `"file":${JSON.stringify(path)}`));
      const { expired } = await data.run();
      expect(expired.map((each) => each.session)).not.toContain(session);
      expect(readFileSync(outside, 'utf8')).toBe('precious');
      expect(isThere(data.directory, file)).toBe(true);
      expect(isThere(data.directory, 'keys/ledger.key')).toBe(true);
    }
    expect(data.log.lines.map(({ message }) => message).join()).toContain('is not as it was written');
    expect(await data.evidence.database.sessions.find({ state: 'erased', limit: 9 })).toMatchObject([{ id: good }]);
  });

  it('is not erased when the bytes of a record are not those that were hashed', async () => {
    const data = await AgedData.open();
    const session = await data.session();
    const seq = await seqOf(data, session, 'session.open');
    await administer(
      join(data.directory, 'sallyport.db'),
      `UPDATE records SET bytes = CAST(replace(CAST(bytes AS TEXT), 'deploy-bot', 'other-bots') AS BLOB) WHERE seq = ${seq}`,
    );
    expect((await data.run()).expired).toEqual([]);
    expect(await recordsOf(data.directory, 'erased')).toEqual([]);
    expect((await data.faults()).map(({ code }) => code)).toContain('altered');
  });

  it('cannot make an erasure out of a row: neither of a planted one, nor of an erased record that was altered', async () => {
    const data = await AgedData.open();
    const gone = await data.session();
    const kept = await data.session({ daysAgo: 1 });
    await data.run();
    const [promise] = await data.evidence.database.records.ofSession(gone).then((rows) => rows.filter(({ type }) => type === 'erased'));
    const open = await seqOf(data, kept, 'session.open');
    const file = join(data.directory, 'sallyport.db');
    await administer(file, `INSERT INTO erasures (seq, session, part, parts) VALUES (${open}, '${kept}', 1, 1)`);
    await administer(file, `UPDATE erasures SET finished = 0, session = '${kept}' WHERE seq = ${promise?.seq}`);
    await data.retention.finish(asking.signal);
    expect(isThere(data.directory, `${recordingDirectory(kept, 0)}/0001.cast.zst`)).toBe(true);

    // With a hash that fits: it may name the other session's records, but takes only those of its own.
    await administer(file, `UPDATE erasures SET session = '${gone}' WHERE seq = ${promise?.seq}`);
    await rewrite(data, promise?.seq ?? 0, (text) => text.replace(/"records":\[\[.*?\]\]/, `"records":[[0,${(promise?.seq ?? 0) - 2}]]`));
    await data.retention.finish(asking.signal);
    const rows = await data.evidence.database.records.after(0, 100);
    expect(rows.filter(({ bytes }) => bytes === null).every(({ session }) => session === gone)).toBe(true);
    expect(rows.filter(({ session }) => session === kept).every(({ bytes }) => bytes !== null)).toBe(true);
  });

  it.each(['[[0,9007199254740991]]', '[[5,1]]', '[[0,2],[1,3]]'])(
    'cannot keep a run busy with ranges that no gateway writes: %s',
    async (ranges) => {
      const data = await AgedData.open();
      const session = await data.session();
      await data.run();
      const rows = await data.evidence.database.records.ofSession(session);
      const promise = rows.find(({ type }) => type === 'erased')?.seq ?? 0;
      await rewrite(data, promise, (text) => text.replace(/"records":\[\[.*?\]\]/, `"records":${ranges}`));
      await administer(join(data.directory, 'sallyport.db'), 'UPDATE erasures SET finished = 0');
      await data.retention.finish(asking.signal);
      expect(data.log.lines.map(({ message }) => message).join()).toContain('its ranges of records are not in order');
    },
  );
});

describe('a symbolic link in the recordings', () => {
  it.each([
    ['the directory of the channel', (directory: string) => directory],
    ['the directory of the session', (directory: string) => join(directory, '..')],
    ['the directory of the month', (directory: string) => join(directory, '../..')],
  ])('in the place of %s is not followed', async (_, placeOf) => {
    const data = await AgedData.open();
    const session = await data.session();
    const place = placeOf(join(data.directory, recordingDirectory(session, 0)));
    const elsewhere = join(await temporaryDirectory(), 'elsewhere');
    renameSync(place, elsewhere);
    symlinkSync(elsewhere, place);
    const before = snapshot(elsewhere);
    expect((await data.run()).expired).toEqual([]);
    expect(snapshot(elsewhere)).toEqual(before);
    expect(data.log.lines.map(({ message }) => message).join()).toMatch(/a symbolic link|nothing that belongs to a recording/);
  });

  it('that appears after the erasure is on record is not followed either, and the erasure is finished when it is gone', async () => {
    const data = await AgedData.open();
    const session = await data.session();
    const place = join(data.directory, recordingDirectory(session, 0));
    const copy = join(await temporaryDirectory(), 'copy');
    mkdirSync(copy);
    writeFileSync(join(copy, '0001.cast.zst'), readFileSync(join(place, '0001.cast.zst')));
    await data.run();
    mkdirSync(join(place, '..'), { recursive: true });
    symlinkSync(copy, place);
    await administer(join(data.directory, 'sallyport.db'), 'UPDATE erasures SET finished = 0');
    await data.retention.finish(asking.signal);
    expect(isThere(copy, '0001.cast.zst')).toBe(true);
    expect(await data.evidence.database.erasures.unfinished(0, 9)).toHaveLength(1);
    expect(data.log.lines.map(({ message }) => message).join()).toContain('in the place of a directory');
  });

  it('in the place of a file is removed, and what it leads to stays', async () => {
    const data = await AgedData.open();
    const session = await data.session();
    const outside = join(await temporaryDirectory(), 'precious');
    writeFileSync(outside, 'precious');
    symlinkSync(outside, join(data.directory, recordingDirectory(session, 0), '0002.o.bin.zst'));
    expect((await data.run()).expired).toHaveLength(1);
    expect(readFileSync(outside, 'utf8')).toBe('precious');
    expect(isThere(data.directory, recordingDirectory(session, 0))).toBe(false);
    const [erased] = await recordsOf(data.directory, 'erased');
    expect(erased?.body.files).toContainEqual({
      file: `${recordingDirectory(session, 0)}/0002.o.bin.zst`,
      bytes: 0,
      sha256: createHash('sha256').digest('hex'),
    });
  });
});
