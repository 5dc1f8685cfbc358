import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { Database } from '../../gateway/store/database.ts';
import { actor, administer, draft, newSession, target, temporaryDirectory } from './support.ts';

async function openGateway(directory: string): Promise<{ database: Database; records: Records }> {
  const database = await Database.openForGateway(directory);
  onTestFinished(() => database.close());
  return { database, records: new Records(database.records, systemClock, 'gateway-1') };
}

async function withSessions(directory: string, ...sessions: string[]): Promise<void> {
  const database = await Database.openForGateway(directory);
  const records = new Records(database.records, systemClock, 'gateway-1');
  await Promise.all(sessions.map((session) => records.append(draft.sessionOpen(session))));
  await database.close();
}

async function idsIn(directory: string): Promise<string[]> {
  const reader = await Database.openForReading(directory);
  try {
    return (await reader.sessions.find({ limit: 100 })).map(({ id }) => id);
  } finally {
    await reader.close();
  }
}

/** Names and modification times of everything in a directory. */
async function fingerprint(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return Promise.all(names.sort().map(async (name) => `${name} ${(await stat(join(directory, name))).mtimeMs}`));
}

const script = (body: string) => `
  import { Database } from ${JSON.stringify(join(import.meta.dirname, '../../gateway/store/database.ts'))};
  ${body}`;

describe('the data directory of a gateway', () => {
  it('is made for its own user alone', async () => {
    const directory = join(await temporaryDirectory(), 'deep/data');
    await openGateway(directory);
    const modes = Object.fromEntries(
      await Promise.all(
        (await readdir(directory)).map(async (name) => [name, ((await stat(join(directory, name))).mode & 0o777).toString(8)]),
      ),
    );
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect(modes).toMatchObject({
      keys: '700',
      journal: '700',
      recordings: '700',
      ledger: '700',
      'sallyport.db': '600',
      'sallyport.db-wal': '600',
      'sallyport.db-shm': '600',
      'gateway.lock': '600',
    });
  });

  it('is refused to a second gateway, which names it, and is free again when the first has closed', async () => {
    const directory = await temporaryDirectory();
    const first = await Database.openForGateway(directory);
    await expect(Database.openForGateway(directory)).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_IN_USE',
      message: expect.stringContaining(directory),
    });
    await first.close();
    await openGateway(directory);
  });

  it('is held against another process, and let go by one that is killed', async () => {
    const directory = await temporaryDirectory();
    const child = spawn(
      process.execPath,
      [
        '--input-type=module-typescript',
        '-e',
        script(`await Database.openForGateway(process.argv[1]); console.log('open'); setInterval(() => {}, 1000);`),
        directory,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    await expect(Database.openForGateway(directory)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await openGateway(directory);
  });

  it('that was written by a newer program is refused and left as it was', async () => {
    const directory = await temporaryDirectory();
    await withSessions(directory, newSession());
    await administer(join(directory, 'sallyport.db'), 'PRAGMA user_version = 99');
    const before = (await stat(join(directory, 'sallyport.db'))).mtimeMs;
    await expect(Database.openForGateway(directory)).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_NEWER',
      message: expect.stringContaining('99'),
    });
    await expect(Database.openForReading(directory)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_NEWER' });
    expect((await stat(join(directory, 'sallyport.db'))).mtimeMs).toBe(before);
  });

  it('with a database that is something else is refused with a remedy', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'sallyport.db'), 'this is no database, and it is longer than the header of one is. '.repeat(40));
    for (const open of [Database.openForGateway, Database.openForReading]) {
      await expect(open(directory)).rejects.toMatchObject({
        code: 'DATA_DIRECTORY_INVALID',
        message: expect.stringContaining('damaged'),
        remedy: expect.stringContaining('backup'),
      });
    }
  });

  it('with the database of another program is refused, and that is not changed', async () => {
    const directory = await temporaryDirectory();
    const file = join(directory, 'sallyport.db');
    await administer(file, 'CREATE TABLE recipes (name TEXT)');
    const before = await readFile(file);
    await expect(Database.openForGateway(directory)).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_INVALID',
      message: expect.stringContaining('another program'),
    });
    expect(await readFile(file)).toEqual(before);
  });

  it('that is a file, or stands below one, is refused', async () => {
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    await expect(Database.openForGateway(file)).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_INVALID',
      message: expect.stringContaining(file),
    });
    await expect(Database.openForReading(join(file, 'below'))).rejects.toMatchObject({ code: 'DATA_DIRECTORY_INVALID' });
  });
});

describe('reading a data directory', () => {
  it('says when it does not exist, and when there is nothing in it', async () => {
    const directory = await temporaryDirectory();
    await expect(Database.openForReading(join(directory, 'none'))).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_INVALID',
      message: expect.stringContaining('does not exist'),
    });
    await expect(Database.openForReading(directory)).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_INVALID',
      message: expect.stringContaining('sallyport.db'),
    });
    expect(await readdir(directory)).toEqual([]);
  });

  it('works beside a running gateway and sees what is durable', async () => {
    const directory = await temporaryDirectory();
    const { records } = await openGateway(directory);
    const session = newSession();
    await records.append(draft.sessionOpen(session));
    expect(await idsIn(directory)).toEqual([session]);
    await records.append(draft.sessionOpen(newSession()));
    expect(await idsIn(directory)).toHaveLength(2);
  });

  it('changes nothing in a directory whose gateway has stopped', async () => {
    const directory = await temporaryDirectory();
    const session = newSession();
    await withSessions(directory, session);
    const before = await fingerprint(directory);
    expect(await idsIn(directory)).toEqual([session]);
    expect(await fingerprint(directory)).toEqual(before);
  });

  it('finds what a killed gateway had made durable, and leaves it for the next one', async () => {
    const directory = await temporaryDirectory();
    const session = newSession();
    const { database, records } = await openGateway(directory);
    await records.append(draft.sessionOpen(session));
    // A copy of the files as they are now is what a killed process leaves: the newest records are in the -wal file.
    const copy = await temporaryDirectory();
    await cp(directory, copy, { recursive: true });
    await database.close();
    expect(await readdir(copy)).toContain('sallyport.db-wal');
    expect(await idsIn(copy)).toEqual([session]);
    const next = await openGateway(copy);
    expect(await next.database.sessions.live()).toMatchObject([{ id: session }]);
  });

  // Permissions do not hold back root: the reader is another user.
  it.skipIf(process.getuid?.() !== 0).each([
    { name: 'of a stopped gateway', drop: ['sallyport.db-wal', 'sallyport.db-shm'], killed: false },
    { name: 'of a killed gateway', drop: [], killed: true },
    { name: 'copied without its shared memory', drop: ['sallyport.db-shm'], killed: true },
  ])('works on a read-only directory $name', async ({ drop, killed }) => {
    const parent = await temporaryDirectory();
    const directory = join(parent, 'data');
    await mkdir(directory);
    const session = newSession();
    if (killed) {
      const { records } = await openGateway(join(parent, 'running'));
      await records.append(draft.sessionOpen(session));
      await cp(join(parent, 'running'), directory, { recursive: true });
    } else {
      await withSessions(directory, session);
    }
    for (const name of drop) await rm(join(directory, name), { force: true });
    for (const name of await readdir(directory)) await chmod(join(directory, name), 0o555);
    await chmod(directory, 0o555);
    await chmod(parent, 0o755);
    const before = await fingerprint(directory);
    const body = `const reader = await Database.openForReading(process.argv[1]); console.log((await reader.sessions.find({ limit: 9 })).map((row) => row.id).join()); await reader.close();`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script(body), directory], {
      uid: 65534,
      gid: 65534,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    expect({ output, errors }).toEqual({ output: `${session}\n`, errors: '' });
    expect(await fingerprint(directory)).toEqual(before);
  });
});

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += chunk.toString();
  return all;
}

describe('the projections', () => {
  it('are the same when they are made anew from the records', async () => {
    const { database, records } = await openGateway(await temporaryDirectory());
    const [a, b, c] = [newSession(), newSession(), newSession()];
    for (const record of [
      draft.sessionOpen(a),
      draft.sessionOpen(b, { actor: { principal: 'somebody@example.com', kind: 'human' } }),
      draft.channelOpen(a, 0, 'session'),
      draft.channelOpen(a, 0, 'exec', { command: 'uptime', nested: { list: [1, 'two', null] } }),
      draft.channelOpen(b, 0, 'shell'),
      draft.segmentSealed(a, 0, 1, 100),
      draft.segmentSealed(b, 0, 1, 5),
      draft.segmentSealed(b, 0, 1, 7),
      draft.channelClose(a, 0, { status: 43 }),
      draft.sessionClose(a),
      draft.sessionOpen(c),
      draft.channelOpen(c, 2, 'sftp'),
      draft.sessionRecovered(c, 2, 4_000_123_000),
    ])
      await records.append(record);
    const everything = async () => ({
      sessions: await database.sessions.find({ limit: 100 }),
      channels: (await Promise.all([a, b, c].map((session) => database.channels.ofSession(session)))).flat(),
      segments: (await Promise.all([a, b, c].map((session) => database.segments.ofSession(session)))).flat(),
    });
    const live = await everything();
    expect(live).toMatchObject({
      sessions: [
        { id: c, state: 'recovered', channels: 3 },
        { id: b, state: 'live', principal: 'somebody@example.com', ended: null, channels: 1 },
        { id: a, state: 'closed', principal: 'deploy-bot', onBehalfOf: 'engineer@example.com', bytesIn: 1, bytesOut: 5 },
      ],
      channels: [
        {
          session: a,
          kind: 'exec',
          detail: { command: 'uptime', nested: { list: [1, 'two', null] } },
          exit: { status: 43 },
          bytes: { i: 10, o: 20, e: 30 },
        },
        { session: b, kind: 'shell', closed: null, exit: null },
        { session: c, channel: 2, kind: 'sftp' },
      ],
      segments: [
        { session: a, to: 8_000_000_000_000 },
        { session: b, segment: 1 },
      ],
    });
    await database.rebuildProjections();
    expect(await everything()).toEqual(live);
    await records.append(draft.sessionClose(b));
    expect(await database.sessions.byPrefix(b, 2)).toMatchObject([{ state: 'closed' }]);
  });

  it('end a recovered session and its channels with the last frame that was found', async () => {
    const { database, records } = await openGateway(await temporaryDirectory());
    const session = newSession();
    await records.append(draft.sessionOpen(session));
    const { record } = await records.append(draft.channelOpen(session, 0, 'shell'));
    await records.append(draft.sessionRecovered(session, 0, 90_000_000_000));
    const expected = new Date(Date.parse(record.time) + 90_000).toISOString().slice(0, 23);
    expect((await database.sessions.byPrefix(session, 1))[0]?.ended?.slice(0, 23)).toBe(expected);
    expect((await database.channels.ofSession(session))[0]?.closed).toBe(`${expected}${record.time.slice(23)}`);
  });

  it('never make a record fail: a second opening of the same session is a record like any other', async () => {
    const { database, records } = await openGateway(await temporaryDirectory());
    const session = newSession();
    await records.append(draft.sessionOpen(session));
    await records.append(draft.sessionOpen(session, { actor: { principal: 'other' } }));
    expect(await database.records.ofSession(session)).toHaveLength(2);
    expect(await database.sessions.byPrefix(session, 2)).toMatchObject([{ principal: 'deploy-bot' }]);
  });
});

describe('the records', () => {
  it('keep their bytes and hashes and are numbered without a gap in the order of the calls', async () => {
    const { database, records } = await openGateway(await temporaryDirectory());
    const stored = await Promise.all(Array.from({ length: 1200 }, () => records.append(draft.sessionOpen(newSession()))));
    const rows = await database.records.after(0, 2000);
    expect(rows.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1));
    expect(rows.map(({ hash, bytes }) => [Buffer.from(hash).toString('hex'), Buffer.from(bytes ?? []).toString()])).toEqual(
      stored.map(({ hash, bytes }) => [Buffer.from(hash).toString('hex'), Buffer.from(bytes).toString()]),
    );
  });

  it('are all or nothing: a group with one that the database refuses leaves none behind', async () => {
    const { database, records } = await openGateway(await temporaryDirectory());
    const first = await records.append(draft.sessionOpen(newSession()));
    const other = { ...first, record: { ...first.record, id: newSession() } };
    await expect(database.records.append([other, first])).rejects.toThrow('UNIQUE');
    expect(await database.records.after(0, 10)).toHaveLength(1);
  });
});

describe('what recovery asks', () => {
  it('names the sessions that have no end, with their open channels, and what is sealed of them', async () => {
    const { database, records } = await openGateway(await temporaryDirectory());
    const [closed, open, recovered] = [newSession(), newSession(), newSession()];
    for (const session of [closed, open, recovered]) await records.append(draft.sessionOpen(session));
    await records.append(draft.channelOpen(open, 0, 'exec'));
    await records.append(draft.channelOpen(open, 1, 'shell'));
    await records.append(draft.channelClose(open, 0, { status: 0 }));
    await records.append(draft.segmentSealed(open, 1, 1, 40));
    await records.append(draft.sessionClose(closed));
    await records.append(draft.sessionRecovered(recovered, 0, 1));
    expect(await database.recovery.openSessions()).toEqual([{ session: open, actor, target, openChannels: [1] }]);
    expect(await database.recovery.sealedSegments(open)).toEqual([
      {
        channel: 1,
        segment: 1,
        file: `recordings/2026/03/${open}/1/0001.cast.zst`,
        bytes: 99,
        to: 8_000_000_000_000,
        ends: { i: 40, o: 45, e: 1 },
      },
    ]);
  });
});
