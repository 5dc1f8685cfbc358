import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../gateway/base/clock.ts';
import { Records } from '../../gateway/ledger/records.ts';
import { Database } from '../../gateway/store/database.ts';
import { SCHEMA_VERSION } from '../../gateway/store/migrations.ts';
import { administer, draft, newSession, temporaryDirectory } from './support.ts';

const version1 = await readFile(join(import.meta.dirname, '../fixtures/store/version-1.sql'), 'utf8');

/** A data directory as version 1 left it, with one closed session in it and as many other records. */
async function directoryOfVersion1(fillers = 0): Promise<{ directory: string; session: string; rows: unknown[] }> {
  const scratch = await temporaryDirectory();
  const made = await Database.openForGateway(scratch);
  const session = newSession();
  const records = new Records(made.records, systemClock, 'gateway-1');
  await records.append(draft.sessionOpen(session));
  await records.append(draft.channelOpen(session, 0, 'exec', { command: 'id' }));
  await records.append(draft.channelClose(session, 0, { status: 0 }));
  await records.append(draft.sessionClose(session));
  await made.close();
  const directory = await temporaryDirectory();
  const file = join(directory, 'sallyport.db');
  await administer(file, `PRAGMA journal_mode = WAL; ${version1}`);
  await administer(
    file,
    `ATTACH '${join(scratch, 'sallyport.db')}' AS newer;
     INSERT INTO main.records SELECT * FROM newer.records;
     INSERT INTO main.sessions
     SELECT seq, id, started, ended, state, 'deploy-bot', 'agent', 'engineer@example.com', target, target_kind, protocol, '192.0.2.7:50022',
            channels, bytes_in, bytes_out, 'the client disconnected' FROM newer.sessions;
     INSERT INTO main.channels
     SELECT session, channel, kind, '{"command":"id"}', opened, closed, exit_status, exit_signal, bytes_i, bytes_o, bytes_e, 'closed' FROM newer.channels;
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${fillers})
     INSERT INTO records (id, time, type, hash, bytes)
     SELECT 'filler-' || i, '2026-01-01T00:00:00.000000Z', 'gateway.stop', randomblob(32), randomblob(700) FROM n WHERE ${fillers} > 0;`,
  );
  return { directory, session, rows: await query(file, 'SELECT * FROM records ORDER BY seq LIMIT 4') };
}

/** What a reading command sees, which changes nothing. */
async function read(directory: string, session: string): Promise<unknown> {
  const database = await Database.openForReading(directory);
  try {
    return {
      sessions: await database.sessions.find({ text: 'deploy', onBehalfOf: 'engineer@example.com', limit: 10 }),
      channels: await database.channels.ofSession(session),
      holds: await database.holds.inForce(),
    };
  } finally {
    await database.close();
  }
}

/** What this process has written to files so far. */
function bytesWritten(): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

function query(file: string, sql: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(file, (opened) => {
      if (opened) return reject(opened);
      database.all(sql, (error, rows) => database.close(() => (error ? reject(error) : resolve(rows))));
    });
  });
}

describe('a database of version 1', () => {
  it('is brought to this version with every row as it was, and takes erased records from then on', async () => {
    const { directory, session, rows } = await directoryOfVersion1();
    const before = await read(directory, session);
    const database = await Database.openForGateway(directory);
    onTestFinished(() => database.close());
    const file = join(directory, 'sallyport.db');
    expect(await query(file, 'SELECT * FROM records ORDER BY seq')).toEqual(rows);
    expect(await query(file, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(before).toMatchObject({
      sessions: [{ state: 'closed', principal: 'deploy-bot', reason: 'the client disconnected' }],
      channels: [{ detail: { command: 'id' }, reason: 'closed', exit: { status: 0 } }],
      holds: [],
    });
    expect(await read(directory, session)).toEqual(before);
    const records = new Records(database.records, systemClock, 'gateway-1');
    await records.append(draft.sessionOpen(newSession()));
    await administer(file, 'UPDATE records SET bytes = NULL WHERE seq = 1');
    expect((await database.records.after(0, 1))[0]?.bytes).toBeNull();
  });

  it('is what it was, or what it becomes, when the step is cut off before its end', async () => {
    const { directory, rows } = await directoryOfVersion1();
    const file = join(directory, 'sallyport.db');
    // A table of the step that is there already makes it fail after the definition was edited.
    await administer(file, 'CREATE TABLE erasures (seq)');
    await expect(Database.openForGateway(directory)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_INVALID' });
    expect(await query(file, 'PRAGMA user_version')).toEqual([{ user_version: 1 }]);
    await expect(administer(file, "INSERT INTO records (id, time, type, hash) VALUES ('a', 'b', 'c', x'00')")).rejects.toThrow('NOT NULL');
    await administer(file, 'DROP TABLE erasures');
    await (await Database.openForGateway(directory)).close();
    expect(await query(file, 'SELECT * FROM records ORDER BY seq')).toEqual(rows);
    expect(await query(file, 'PRAGMA user_version')).toEqual([{ user_version: SCHEMA_VERSION }]);
  });

  it('is brought to this version without its records being written again', async () => {
    const { directory } = await directoryOfVersion1(50_000);
    const before = bytesWritten();
    await (await Database.openForGateway(directory)).close();
    // They are forty megabytes.
    expect(bytesWritten() - before).toBeLessThan(4_000_000);
    const file = join(directory, 'sallyport.db');
    expect(await query(file, 'SELECT count(*) AS n FROM records')).toEqual([{ n: 50_004 }]);
  });
});
