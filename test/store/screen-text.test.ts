import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { chmod, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import sqlite3 from 'sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packLines } from '../../gateway/indexing/text-block.ts';
import { tokenText, wordToken } from '../../gateway/indexing/text-tokens.ts';
import { Connection } from '../../gateway/store/connection.ts';
import { Database } from '../../gateway/store/database.ts';
import { ScreenTextFile } from '../../gateway/store/screen-text.ts';
import { ScreenTextReader } from '../../gateway/store/screen-text-reader.ts';
import { Searched } from '../query/search/searched.ts';
import { filesWith } from '../retention/aged-data.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { Belongings } from '../support/temp.ts';
import { administer, newSession, temporaryDirectory } from './support.ts';

const FILE = 'replay/search.db';
const sha256 = 'a'.repeat(64);

async function readerOf(directory: string): Promise<ScreenTextReader | undefined> {
  const reader = await ScreenTextReader.open(directory);
  onTestFinished(() => reader?.close());
  return reader;
}

describe('screen text', () => {
  it('of a segment takes the place of what was stored of it before', async () => {
    const data = await Searched.open();
    const session = await data.session();
    await data.put(session, 1, ['first words']);
    await data.put(session, 2, ['second words']);
    await data.put(session, 1, ['other words']);
    expect(await data.lines('words')).toEqual(expect.arrayContaining(['other words', 'second words']));
    expect(await data.lines('first')).toEqual([]);
    expect(await data.text.stored(session, 0)).toEqual([1, 2].map((segment) => ({ session, channel: 0, segment, sha256 })));
    expect(await data.text.stored(session, 1)).toEqual([]);
    await data.put(session, 2, []);
    expect(await data.lines('second')).toEqual([]);
    expect(await data.text.stored(session, 0)).toHaveLength(2);
  });

  it('is not stored of a channel that is not on record: its session was erased meanwhile', async () => {
    const data = await Searched.open();
    const gone = newSession();
    await data.put(gone, 1, ['words of nobody']);
    expect(await data.text.stored(gone, 0)).toEqual([]);
    expect(filesWith(data.directory, gone)).toEqual([]);
  });

  it('is for the user of the gateway alone', async () => {
    const data = await Searched.open();
    await data.show(await data.session(), ['words']);
    expect(statSync(join(data.directory, 'replay')).mode & 0o77).toBe(0);
    for (const end of ['', '-wal', '-shm']) expect(statSync(join(data.directory, FILE + end)).mode & 0o77).toBe(0);
  });

  it('that is half there, because the gateway was killed, is neither found nor kept', async () => {
    const data = await Searched.open();
    const session = await data.session();
    await data.show(session, ['whole words']);
    await administer(join(data.directory, FILE), 'UPDATE segments SET complete = 0');
    expect(await data.lines('words')).toEqual([]);
    await data.text.close();
    const again = await ScreenTextFile.open(data.database);
    onTestFinished(() => again.close());
    expect(await again.stored(session, 0)).toEqual([]);
    const shards = await (await again.reader()).shards();
    expect(shards).toEqual([]); // Nothing else stood in it.
  });
});

/** Everything that is packed in a file and its log, unpacked, wherever it stands; of blocks that fit a page of SQLite. */
function unpackedIn(file: string): string {
  const bytes = Buffer.concat([readFileSync(file), readFileSync(`${file}-wal`)]);
  let text = '';
  for (let at = bytes.indexOf('28b52ffd', 0, 'hex'); at >= 0; at = bytes.indexOf('28b52ffd', at + 1, 'hex')) {
    try {
      text += zstdDecompressSync(bytes.subarray(at, at + 8192)).toString('utf8'); // What follows the frame is left alone.
    } catch {
      // Not a frame, or a part of one.
    }
  }
  return text;
}

/** The tokens in the index, and in how many blocks each of them is. */
async function wordsOfIndex(file: string): Promise<Map<string, number>> {
  const connection = await Connection.open(file, 'create');
  const words = new Map<string, number>();
  const tables = await connection.all<{ name: string }>(`SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%'`);
  for (const { name } of tables) {
    await connection.exec(`CREATE VIRTUAL TABLE temp.v_${name} USING fts5vocab('main', '${name}', 'row')`);
    const rows = await connection.all<{ term: string; doc: number }>(`SELECT term, doc FROM temp.v_${name}`);
    for (const { term, doc } of rows) words.set(term, (words.get(term) ?? 0) + doc);
  }
  await connection.close();
  return words;
}

describe('what is forgotten', () => {
  const secret = (session: number, line: number) => `secret${session}x${line}`;

  it('stands in no byte of the file any more, and what stood beside it is found as before', { timeout: 240_000 }, async () => {
    const data = await Searched.open();
    const file = join(data.directory, FILE);
    const sessions: string[] = [];
    for (let count = 0; count < 12; count += 1) {
      const session = await data.session();
      sessions.push(session);
      // Of different lengths, in several segments, and some of them made anew: their former bytes are in the file too.
      for (const segment of [1, 2])
        await data.put(
          session,
          segment,
          Array.from(
            { length: 3 + ((count * 37) % 50) },
            (_, line) => `${secret(count, line)} ${segment} ${randomBytes(20).toString('hex')}`,
          ),
        );
    }
    await data.put(sessions[3] ?? '', 1, [`${secret(3, 0)} again`]);
    await data.put(sessions[4] ?? '', 1, ['nothing of before']);
    const token = (session: number) => tokenText(wordToken(secret(session, 1)));
    expect(unpackedIn(file)).toContain('secret'); // So the search can fail.
    expect((await wordsOfIndex(file)).get(token(5))).toBe(2);

    for (const gone of [
      [0, 3],
      [4, 7, 11],
    ]) {
      await data.text.forget(gone.map((count) => sessions[count] ?? ''));
      const words = await wordsOfIndex(file);
      const unpacked = unpackedIn(file);
      for (const count of gone) {
        expect(filesWith(join(data.directory, 'replay'), sessions[count] ?? '')).toEqual([]);
        expect(await data.lines(secret(count, 0))).toEqual([]);
        expect(unpacked).not.toContain(`secret${count}x`);
        expect(words.has(token(count))).toBe(false);
        expect(await data.text.stored(sessions[count] ?? '', 0)).toEqual([]);
      }
      expect(statSync(`${file}-wal`).size).toBe(0);
    }
    for (const count of [1, 2, 5, 6, 8, 9, 10]) {
      expect(await data.lines(secret(count, 0))).toHaveLength(2);
      expect(unpackedIn(file)).toContain(secret(count, 0));
    }
    // It goes on as before.
    await data.show(sessions[1] ?? '', ['words after that']);
    expect(await data.lines('"after that"')).toHaveLength(1);
    expect(data.losses).toBe(0);
  });

  it('leaves no copy of itself where SQLite joined pages, in any number of runs', { timeout: 240_000 }, async () => {
    const data = await Searched.open();
    const file = join(data.directory, FILE);
    const sessions: string[] = [];
    // Blocks of different sizes, many to a page; what goes in one run has neighbours that go in another, or never.
    for (let count = 0; count < 160; count += 1) {
      sessions.push(await data.session());
      const lines = Array.from(
        { length: 1 + ((count * 7) % 11) },
        (_, line) => `${secret(count, line)}. ${randomBytes(40).toString('hex')}`,
      );
      await data.put(sessions[count] ?? '', 1, lines);
    }
    for (const run of [0, 1, 2]) {
      const gone = sessions.map((_, count) => count).filter((count) => count % 4 === run);
      await data.text.forget(gone.map((count) => sessions[count] ?? ''));
      const unpacked = unpackedIn(file);
      const left = sessions.map((_, count) => count).filter((count) => unpacked.includes(secret(count, 0)));
      expect(left).toEqual(sessions.map((_, count) => count).filter((count) => count % 4 > run));
    }
  });

  it('goes in one go when several are to be forgotten at once, and leaves nothing where nothing else was', async () => {
    const data = await Searched.open();
    const sessions = [await data.session(), await data.session(), await data.session()];
    for (const session of sessions) await data.show(session, ['needle']);
    await Promise.all(sessions.map((session) => data.text.forget([session])));
    expect(await data.lines('needle')).toEqual([]);
    expect(await (await data.text.reader()).shards()).toEqual([]);
    expect(unpackedIn(join(data.directory, FILE))).toBe('');
    await data.text.forget([newSession()]);
    await data.text.forget([]);
  });

  it('waits for whoever reads an older state, says so when they do not leave, and goes on when asked again', {
    timeout: 60_000,
  }, async () => {
    const data = await Searched.open();
    const session = await data.session();
    await data.show(session, ['needle']);
    const statement = (sql: string) =>
      new Promise<void>((resolve, reject) => reader.exec(sql, (error) => (error ? reject(error) : resolve())));
    const reader = new sqlite3.Database(join(data.directory, FILE), sqlite3.OPEN_READONLY);
    await statement('BEGIN; SELECT count(*) FROM segments;');
    await expect(data.text.forget([session])).rejects.toMatchObject({ code: 'ERASE_INCOMPLETE' });
    expect(await data.lines('needle')).toEqual([]);
    await statement('COMMIT');
    await data.text.forget([session]);
    expect(statSync(join(data.directory, `${FILE}-wal`)).size).toBe(0);
    await new Promise<void>((resolve) => reader.close(() => resolve()));
  });

  it('is finished by the next one when it was stopped in the middle', async () => {
    const data = await Searched.open();
    const [gone, kept] = [await data.session(), await data.session()];
    await data.show(gone, ['needle gone']);
    await data.show(kept, ['needle kept']);
    // As far as a killed gateway came.
    await administer(
      join(data.directory, FILE),
      `DELETE FROM places WHERE segment IN (SELECT id FROM segments WHERE session = '${gone}'); UPDATE shards SET worn = 1, open = 0;
       UPDATE segments SET complete = 0, session = NULL, sha256 = NULL WHERE session = '${gone}';`,
    );
    await data.text.forget([gone]);
    expect(unpackedIn(join(data.directory, FILE))).not.toContain('needle gone');
    expect(await data.lines('needle')).toEqual(['needle kept']);
  });
});

describe('on a disk that is full', () => {
  it('what is forgotten goes all the same, with everything else, which is made again when there is room', async () => {
    const belongings = new Belongings();
    onTestFinished(() => belongings.release());
    const disk = await mountSmallDisk(belongings, 24 * 1024 * 1024);
    const data = await Searched.open(join(disk.path, 'data'));
    const [gone, kept] = [await data.session(), await data.session()];
    const lines = (name: string) => Array.from({ length: 9000 }, (_, line) => `needle ${name} ${line} ${randomBytes(30).toString('hex')}`);
    await data.put(gone, 1, lines('gone'));
    await data.put(kept, 1, lines('kept'));
    disk.fillToTheBrim();
    await expect(data.put(kept, 2, lines('more'))).rejects.toMatchObject({ code: expect.stringMatching(/^SQLITE_/) });
    await data.text.forget([gone]);
    expect(filesWith(join(disk.path, 'data/replay'), gone)).toEqual([]);
    disk.empty();
    await data.put(kept, 1, ['needle kept']);
    expect(await data.lines('needle')).toEqual(['needle kept']);
    expect(data.losses).toBeGreaterThan(0);
    await data.close();
  });
});

describe('a file that is of no use', () => {
  const strange: [what: string, make: (file: string) => void | Promise<void>][] = [
    ['is no database', (file) => writeFileSync(file, randomBytes(50_000))],
    ['is empty', (file) => writeFileSync(file, '')],
    ['is cut off', (file) => truncateSync(file, 10_000)],
    [
      'is a folder',
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
    [
      'is of another program',
      async (file) => {
        rmSync(file);
        await administer(file, 'CREATE TABLE t (x); INSERT INTO t VALUES (1)');
      },
    ],
    ['is of another version', (file) => administer(file, 'PRAGMA user_version = 99')],
    ['lacks a table', (file) => administer(file, 'DROP TABLE places')],
    ['is not there', (file) => rmSync(file)],
  ];

  it.each(strange)('because it %s is made anew', async (_, make) => {
    const data = await Searched.open();
    const session = await data.session();
    await data.show(
      session,
      Array.from({ length: 500 }, (__, line) => `words ${line} ${randomBytes(30).toString('hex')}`),
    );
    await data.text.close();
    await make(join(data.directory, FILE));
    // What only reads makes nothing, and finds nothing.
    const reading = await readerOf(data.directory);
    if (reading !== undefined) expect(await reading.segments().catch(() => 0)).toBeLessThanOrEqual(1);
    const again = await ScreenTextFile.open(data.database);
    onTestFinished(() => again.close());
    await again.put({ session, channel: 0, segment: 1, sha256 }, packLines([{ first: 0, last: 0, text: 'new words' }]));
    expect(await again.stored(session, 0)).toHaveLength(1);
  });

  it('while it is in use is made anew too, and whoever fills it is told', async () => {
    const data = await Searched.open();
    const session = await data.session();
    await data.show(
      session,
      Array.from({ length: 2000 }, (_, line) => `words ${line} ${randomBytes(30).toString('hex')}`),
    );
    await administer(join(data.directory, FILE), 'PRAGMA wal_checkpoint(TRUNCATE)');
    const file = join(data.directory, FILE);
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 8192); // All pages but the first: its size and times stay what they were.
    writeFileSync(file, bytes);
    await data.put(session, 2, ['after the damage']);
    expect(data.losses).toBe(1);
    expect(await data.lines('damage')).toEqual(['after the damage']);
    expect(await data.text.stored(session, 0)).toMatchObject([{ segment: 2 }]);
  });

  it('is noticed by a search, which does without the block that cannot be read', async () => {
    const data = await Searched.open();
    const session = await data.session();
    await data.show(session, ['words one']);
    await data.show(session, ['words two']);
    const [shard] = await (await data.text.reader()).shards();
    await administer(join(data.directory, FILE), `UPDATE packed_${shard?.id}_${shard?.form} SET packed = zeroblob(20) WHERE number = 1`);
    expect(await data.lines('words')).toEqual(['words two']);
    await expect.poll(() => data.losses).toBe(1);
    expect(await data.lines('words')).toEqual([]);
  });

  it('because somebody took its folder away while it was in use is made anew', async () => {
    const data = await Searched.open();
    const session = await data.session();
    await data.show(session, ['words']);
    rmSync(join(data.directory, 'replay'), { recursive: true });
    await data.put(session, 2, ['more words']);
    expect(data.losses).toBe(1);
    expect(await data.lines('words')).toEqual(['more words']);
    // Nobody reads yet, and the first who does finds no file.
    await data.text.close();
    const again = await ScreenTextFile.open(data.database);
    onTestFinished(() => again.close());
    rmSync(join(data.directory, 'replay'), { recursive: true });
    expect(await again.stored(session, 0)).toEqual([]);
    expect(await (await again.reader()).segments()).toBe(0);
  });
});

describe('reading without a gateway', () => {
  it('changes nothing, and needs no place to write', async () => {
    const data = await Searched.open();
    const session = await data.session();
    await data.show(session, ['words to read']);
    await data.close();
    const copy = join(await temporaryDirectory(), 'copy');
    await cp(data.directory, copy, { recursive: true });
    await chmod(join(copy, 'replay'), 0o500);
    onTestFinished(() => chmod(join(copy, 'replay'), 0o700));
    const database = await Database.openForReading(copy);
    onTestFinished(() => database.close());
    const reader = await readerOf(copy);
    expect(await reader?.stored(session, 0)).toHaveLength(1);
    expect(await reader?.segments()).toBe(1);
  });

  it('finds nothing where nothing is stored', async () => {
    expect(await readerOf(await temporaryDirectory())).toBeUndefined();
  });

  it('does not follow a link that leads elsewhere to make a file there', async () => {
    const data = await Searched.open();
    await data.text.close();
    const file = join(data.directory, FILE);
    const elsewhere = join(await temporaryDirectory(), 'elsewhere');
    rmSync(file);
    symlinkSync(elsewhere, file);
    const again = await ScreenTextFile.open(data.database);
    onTestFinished(() => again.close());
    expect(() => statSync(elsewhere)).toThrow();
  });
});
