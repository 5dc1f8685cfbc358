import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ChannelScreen } from '../../contract/replay/channel-screen.ts';
import { parsePiece } from '../../contract/replay/parse-segment.ts';
import type { Part } from '../../contract/replay/part.ts';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { identicalScreen } from '../../contract/replay/screen/same-screen.ts';
import { segmentPieces } from '../../gateway/indexing/segment-pieces.ts';
import { hasFailed, readBlob, readKeyframe, readPart, replayDirectory, sidecarPath } from '../../gateway/indexing/sidecar-file.ts';
import { readSegmentFile } from '../../gateway/recording/segment-on-disk.ts';
import { Belongings } from '../support/temp.ts';
import { until } from '../support/wait.ts';
import { type Happening, RecordedData } from './recorded-data.ts';
import { busyTerminal } from './terminal-output.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

async function partsOf(data: RecordedData, session: string): Promise<(Part | undefined)[]> {
  const rows = await data.segments(session);
  return Promise.all(rows.map(({ segment, sha256 }) => readPart(data.directory, session, 0, segment, sha256)));
}

/** All of them; a test that forgot to wait for them fails. */
async function wholeParts(data: RecordedData, session: string): Promise<Part[]> {
  return (await partsOf(data, session)).map((part, index) => {
    if (part === undefined) throw new Error(`segment ${index + 1} has no part`);
    return part;
  });
}

async function filesOf(data: RecordedData, session: string): Promise<Record<string, string>> {
  const directory = join(data.directory, replayDirectory(session, 0));
  return Object.fromEntries(
    readdirSync(directory).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex'),
    ]),
  );
}

const terminal = { cols: 100, rows: 30 };
const log = (lines: number, word = 'line'): Happening[] =>
  Array.from({ length: lines }, (_, index) => [index * 10, `${word} ${index} of a log that is long enough\r\n`] as const);

describe('what is made of a recording', () => {
  it('has keyframes that are the screen as it is from the beginning, cell by cell, and pieces that are the text', {
    timeout: 240_000,
  }, async () => {
    const data = await RecordedData.open(belongings, 512 * 1024);
    const session = await data.session({ happenings: busyTerminal(7, 5000), terminal });
    await data.indexing.indexer.idle();
    const rows = await data.segments(session);
    const parts = await wholeParts(data, session);
    expect(parts.length).toBeGreaterThan(3);
    let screen: ChannelScreen | undefined;
    let keyframes = 0;
    for (const [index, row] of rows.entries()) {
      const part = parts[index] as Part;
      const { bytes } = await readSegmentFile(data.directory, row);
      if (bytes === undefined) throw new Error('no segment');
      for (const [number, { place, parsed }] of [...segmentPieces(bytes, part.from)].entries()) {
        screen ??= ChannelScreen.begin(parsed.header);
        expect(part.pieces[number]).toEqual(place);
        const found = part.keyframes.find(({ piece }) => piece === number);
        if (found !== undefined) {
          const keyframe = await readKeyframe(data.directory, session, 0, row.segment, found);
          if (keyframe === undefined) throw new Error('no keyframe');
          const restored = new Emulation(keyframe.cols, keyframe.rows);
          restored.restore(keyframe.data);
          expect(identicalScreen(restored, screen.emulation)).toBe(true);
          keyframes += 1;
        }
        for (const event of parsed.events) screen.show(event);
      }
    }
    expect(keyframes).toBeGreaterThan(0);
    // Each piece can be read by itself.
    const [row, part] = [rows[1], parts[1]];
    const { bytes } = row === undefined ? { bytes: undefined } : await readSegmentFile(data.directory, row);
    const piece = part?.pieces.at(-1);
    if (bytes === undefined || piece === undefined || part === undefined) throw new Error('no second segment');
    const { parsed } = [...segmentPieces(bytes, part.from)].at(-1) ?? {};
    const { zstdDecompressSync } = await import('node:zlib');
    const text = zstdDecompressSync(bytes.subarray(piece.frameAt, piece.frameAt + piece.frameBytes)).toString('utf8');
    expect(parsePiece(text, piece.from, piece.error)).toEqual(parsed);
  });

  it('is the same when the index goes on from files, as when it goes on from memory', { timeout: 240_000 }, async () => {
    const data = await RecordedData.open(belongings, 128 * 1024);
    const session = await data.session({ happenings: busyTerminal(11, 1600), terminal });
    await data.indexing.indexer.idle();
    const before = await filesOf(data, session);
    expect(Object.keys(before).length).toBeGreaterThan(3);
    for (const name of Object.keys(before).toSorted().slice(1)) {
      // The thread is another one, and knows nothing of what came before.
      await data.reopenIndexing();
      rmSync(join(data.directory, replayDirectory(session, 0), name));
      data.indexing.indexer.want(session, 0);
      await data.indexing.indexer.idle();
    }
    expect(await filesOf(data, session)).toEqual(before);
  });

  it('says what happened when: pauses, activity, marks, size and pictures', async () => {
    const data = await RecordedData.open(belongings);
    const session = await data.session({
      happenings: [
        [100, '$ '],
        [3000, 'ls\r\nfile\r\n'],
        { at: 3100, cols: 90, rows: 20 },
        [60_000, 'later\r\n'],
        [60_500, 'i am typed', 'i'],
        [61_000, '.\r\n'],
      ],
      terminal,
    });
    await data.indexing.indexer.idle();
    const [part] = await wholeParts(data, session);
    expect(part).toMatchObject({ terminal: true, input: true, header: { cols: 100, rows: 30, pty: true }, busy: { to: 61_000_000 } });
    expect(part?.busy?.idle).toEqual([
      [100_000, 3_000_000],
      [3_100_000, 60_000_000],
    ]);
    expect(part?.heat.reduce((sum, [, amount]) => sum + amount, 0)).toBeGreaterThan(30);
    expect(part?.lines).toBe(4);
    expect(part?.thumbnails.length).toBeGreaterThanOrEqual(1);
    for (const thumbnail of part?.thumbnails ?? []) {
      const png = await readBlob(data.directory, session, 0, 1, thumbnail);
      expect(png?.subarray(1, 4).toString()).toBe('PNG');
      expect([png?.readUInt32BE(16), png?.readUInt32BE(20)]).toEqual([240, 144]);
    }
  });

  it('covers channels without a terminal', async () => {
    const data = await RecordedData.open(belongings);
    const session = await data.session({ happenings: [[1, 'out\n'], [2, 'failed: no such file\n', 'e'], ...log(3000)] });
    await data.indexing.indexer.idle();
    const parts = await wholeParts(data, session);
    expect(parts.every(({ terminal: isThere }) => !isThere)).toBe(true);
    expect(parts.reduce((sum, { lines }) => sum + lines, 0)).toBe(3002);
    expect(parts[0]?.thumbnails.length).toBeGreaterThan(0);
  });
});

describe('a part that is missing or not what it should be', () => {
  const faults: readonly [string, (path: string, all: (part: number) => string) => void][] = [
    ['is missing', (path) => rmSync(path)],
    ['is empty', (path) => writeFileSync(path, '')],
    ['is cut off', (path) => truncateSync(path, 700)],
    ['is cut off in its head', (path) => truncateSync(path, 11)],
    ['is of another segment', (path, all) => writeFileSync(path, readFileSync(all(3)))],
    ['has a flipped bit', (path) => writeFileSync(path, flipped(readFileSync(path), 90))],
    ['claims to be enormous', (path) => writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 8), Buffer.alloc(12, 0xff)]))],
    ['is a text', (path) => writeFileSync(path, 'not what it should be, but long enough to be read as a head')],
    ['is of another version', (path) => writeFileSync(path, flipped(readFileSync(path), 7))],
  ];

  it('counts as not there, and is made again without a word', { timeout: 240_000 }, async () => {
    const data = await RecordedData.open(belongings);
    const session = await data.session({ happenings: log(6000), terminal });
    await data.indexing.indexer.idle();
    const right = await filesOf(data, session);
    for (const [what, spoil] of faults) {
      const path = (segment: number) => join(data.directory, sidecarPath(session, 0, segment));
      spoil(path(2), path);
      expect((await partsOf(data, session))[1], what).toBeUndefined();
      await data.reopenIndexing();
      data.indexing.indexer.begin();
      await data.indexing.indexer.idle();
      expect(await filesOf(data, session), what).toEqual(right);
    }
    expect(data.log.lines).toEqual([]);
  });

  it('has no blob where that is not what the part says', async () => {
    const data = await RecordedData.open(belongings);
    const session = await data.session({ happenings: log(500), terminal });
    await data.indexing.indexer.idle();
    const [part] = await wholeParts(data, session);
    const [thumbnail] = part?.thumbnails ?? [];
    if (thumbnail === undefined) throw new Error('no thumbnail');
    const read = (blob: typeof thumbnail) => readBlob(data.directory, session, 0, 1, blob);
    expect(await read(thumbnail)).toBeDefined();
    for (const wrong of [{ crc: thumbnail.crc ^ 1 }, { at: 1 }, { bytes: thumbnail.bytes + 1 }, { bytes: 2 ** 40 }, { at: 2 ** 50 }])
      expect(await read({ ...thumbnail, ...wrong })).toBeUndefined();
  });
});

describe('the thread that indexes', () => {
  it('is started again when it is ended in the middle, and everything is there in the end', { timeout: 240_000 }, async () => {
    const data = await RecordedData.open(belongings, 256 * 1024);
    const sessions = [
      await data.session({ happenings: busyTerminal(3, 800), terminal }),
      await data.session({ happenings: log(4000), terminal }),
    ];
    const { indexer } = data.indexing;
    const ended = await until('the thread works', () => indexer.thread.worker);
    await ended.terminate();
    await indexer.idle();
    for (const session of sessions) expect((await wholeParts(data, session)).length).toBeGreaterThan(0);
  });

  it('gives a segment up that it dies of three times, says so, and goes on with the others', { timeout: 240_000 }, async () => {
    const data = await RecordedData.open(belongings, 256 * 1024);
    const poison = await data.session({ happenings: busyTerminal(5, 400), terminal });
    await data.indexing.indexer.idle();
    const { indexer } = data.indexing;
    rmSync(join(data.directory, replayDirectory(poison, 0)), { recursive: true });
    const killed = new Set<unknown>();
    const killing = setInterval(() => {
      const worker = indexer.thread.worker;
      if (worker === undefined || killed.has(worker) || indexer.thread.segment === undefined) return;
      killed.add(worker);
      void worker.terminate();
    }, 1);
    indexer.want(poison, 0);
    const [row] = await data.segments(poison);
    await until('the first segment is given up', async () =>
      (await hasFailed(data.directory, poison, 0, 1, row?.sha256 ?? '')) ? true : undefined,
    );
    clearInterval(killing);
    expect(killed.size).toBeGreaterThanOrEqual(3);
    expect(data.log.lines.filter(({ message }) => message.includes('is given up'))).toHaveLength(1);
    const other = await data.session({ happenings: log(100), terminal });
    await indexer.idle();
    expect((await wholeParts(data, other)).length).toBe(1);
    const parts = await partsOf(data, poison);
    expect(parts[0]).toBeUndefined();
    // What comes after it is there, but nothing claims to know its screen.
    expect(parts.slice(1).every((part) => part !== undefined && part.keyframes.length === 0)).toBe(true);

    // It is not tried again by itself, and is when somebody asks.
    await data.reopenIndexing();
    data.indexing.indexer.begin();
    await data.indexing.indexer.idle();
    expect((await partsOf(data, poison))[0]).toBeUndefined();
    await data.indexing.indexer.rebuild(poison, [0], new AbortController().signal);
    expect((await wholeParts(data, poison)).length).toBe(parts.length);
  });

  it('makes of a damaged segment what can be read of it, tells so once, and makes it right when the file is back', async () => {
    const data = await RecordedData.open(belongings);
    const session = await data.session({ happenings: log(6000), terminal });
    await data.indexing.indexer.idle();
    const rows = await data.segments(session);
    const right = await filesOf(data, session);
    const path = join(data.directory, rows[1]?.file ?? '');
    const whole = readFileSync(path);
    writeFileSync(path, flipped(whole, 100));
    rmSync(join(data.directory, replayDirectory(session, 0)), { recursive: true });
    await data.reopenIndexing();
    data.indexing.indexer.begin();
    await data.indexing.indexer.idle();
    const parts = await partsOf(data, session);
    expect(parts.map((part) => (part?.damaged ?? '') !== '')).toEqual(rows.map(({ segment }) => segment === 2));
    expect(parts.map((part) => part?.across !== undefined)).toEqual(rows.map(({ segment }) => segment > 2));
    expect(parts[1]?.marks.filter(({ kind }) => kind === 'damage').length).toBeGreaterThan(0);
    expect(parts[2]?.keyframes[0]?.piece, 'nobody has to play across what is missing').toBe(0);
    await data.reopenIndexing();
    data.indexing.indexer.begin();
    await data.indexing.indexer.idle();
    const told = data.log.lines.map(({ message }) => message);
    expect(told).toEqual([expect.stringContaining('a segment is damaged, and indexed as far as it can be read: its SHA-256')]);

    rmSync(path); // And then something else is wrong with it.
    await data.reopenIndexing();
    data.indexing.indexer.begin();
    await data.indexing.indexer.idle();
    expect((await partsOf(data, session)).map((part) => part?.damaged === '')).toEqual(rows.map(({ segment }) => segment === 2));
    writeFileSync(path, whole);
    await data.reopenIndexing();
    data.indexing.indexer.begin();
    await data.indexing.indexer.idle();
    expect(await filesOf(data, session)).toEqual(right);
  });

  it('says so to whoever waits for it when nothing can be written, and goes on later', async () => {
    const data = await RecordedData.open(belongings);
    const session = await data.session({ happenings: log(100), terminal });
    await data.indexing.indexer.idle();
    const replay = join(data.directory, 'replay');
    await data.reopenIndexing();
    rmSync(replay, { recursive: true });
    writeFileSync(replay, 'a file in the place of the folder');
    await expect(data.indexing.indexer.rebuild(session, [0], new AbortController().signal)).rejects.toMatchObject({
      code: 'INDEX_INTERRUPTED',
    });
    expect(data.log.lines.map(({ message }) => message)).toEqual([expect.stringContaining('it will be tried again')]);
    rmSync(replay);
    await data.reopenIndexing();
    await data.indexing.indexer.rebuild(session, [0], new AbortController().signal);
    expect((await wholeParts(data, session)).length).toBe(1);
  });

  it('survives output that is made to make it hang or run out of memory', { timeout: 240_000 }, async () => {
    const data = await RecordedData.open(belongings, 1024 * 1024);
    const hostile: [string, Happening[]][] = [
      [
        'endless sequences',
        [
          [1, `\x1b[${'1;'.repeat(200_000)}`],
          [2, `\x1b]0;${'t'.repeat(500_000)}`],
          [3, `\x1bP${'q'.repeat(300_000)}`],
        ],
      ],
      ['huge counts', [[1, '\x1b[2147483647L\x1b[2147483647b\x1b[2147483647S\x1b[2147483647X\x1b[2147483647P'.repeat(4000)]]],
      [
        'huge sizes',
        [
          { at: 1, cols: 60_000, rows: 60_000 },
          ...Array.from({ length: 300 }, (_, at): Happening => [at + 2, `\x1b#8\x1b[2J${'x'.repeat(400)}`]),
        ],
      ],
      [
        'a row for each character',
        [
          { at: 1, cols: 500, rows: 200 },
          ...Array.from(
            { length: 40 },
            (_, at): Happening => [
              at + 2,
              `${'x'.repeat(500)}\r${Array.from({ length: 600 }, (__, n) => `\x1b[${1 + (n % 200)};${1 + (n % 500)}H${n % 10}\x1b[1K`).join('')}`,
            ],
          ),
        ],
      ],
      ['combining', [[1, `a${'\u0301'.repeat(200_000)}`]]],
    ];
    const sessions: [string, string][] = [];
    for (const [what, happenings] of hostile) sessions.push([what, await data.session({ happenings, terminal })]);
    await data.indexing.indexer.idle();
    expect(data.log.lines).toEqual([]);
    for (const [what, session] of sessions) {
      const rows = await data.segments(session);
      const parts = await wholeParts(data, session);
      const kept = readdirSync(join(data.directory, replayDirectory(session, 0))).reduce(
        (sum, name) => sum + readFileSync(join(data.directory, replayDirectory(session, 0), name)).length,
        0,
      );
      expect(kept, what).toBeLessThan(rows.length * 1024 * 1024);
      expect(
        parts.reduce((sum, { lines }) => sum + lines, 0),
        what,
      ).toBeLessThan(200_000);
    }
  });

  it('does not leave others undone for one that cannot be done', async () => {
    const data = await RecordedData.open(belongings);
    const sessions: string[] = [];
    for (const word of ['first', 'second', 'third']) sessions.push(await data.session({ happenings: log(20, word), terminal }));
    await data.indexing.indexer.idle();
    await data.indexing.close();
    rmSync(join(data.directory, 'replay'), { recursive: true });
    const [first = '', ...others] = sessions;
    mkdirSync(join(data.directory, sidecarPath(first, 0, 1), 'in the way'), { recursive: true });
    await data.reopenIndexing();
    data.indexing.indexer.begin();
    await data.indexing.indexer.idle();
    for (const session of others) expect((await wholeParts(data, session)).length).toBe(1);
    expect(data.indexing.indexer.status.queued).toBe(1);
  });

  it('gives the text of a segment in portions that nobody waits long for', async () => {
    const data = await RecordedData.open(belongings, 8 * 1024 * 1024);
    await data.session({ happenings: [[0, 'begun']], terminal });
    await data.indexing.indexer.idle();
    const portions: number[] = [];
    data.indexing.indexer.thread.worker?.on('message', (message: { kind: string; blocks?: readonly unknown[] }) => {
      if (message.kind === 'text') portions.push(message.blocks?.length ?? 0);
    });
    const session = await data.session({ happenings: log(30_000), terminal });
    await data.indexing.indexer.idle();
    expect(Math.max(...portions)).toBeLessThanOrEqual(32);
    expect(portions.reduce((sum, blocks) => sum + blocks, 0)).toBeGreaterThan(70);
    const text = await (await data.indexing.text()).reader();
    const places = await text.placesOfChannel(session, 0, { from: 0, to: Number.MAX_SAFE_INTEGER, segment: 1 }, { after: 0, most: 1000 });
    expect(places.reduce((sum, { lines }) => sum + lines, 0)).toBe(30_000);
  });

  it('names every command, and does not repeat all of the recording for it', async () => {
    const data = await RecordedData.open(belongings, 4 * 1024 * 1024);
    const typed = (n: number) => `${n}${'"'.repeat(9000)}`;
    const happenings = Array.from({ length: 90 }, (_, n): Happening[] => [
      [n * 10, typed(n), 'i'],
      [n * 10 + 1, typed(n)],
      [n * 10 + 2, '\r', 'i'],
      [n * 10 + 3, '\r\n$ '],
    ]);
    const session = await data.session({ happenings: [[0, '$ '], ...happenings.flat()], terminal });
    await data.indexing.indexer.idle();
    const [part] = await wholeParts(data, session);
    expect(part?.commands.map(({ text }) => Number.parseInt(text, 10))).toEqual(Array.from({ length: 90 }, (_, n) => n));
    expect(part?.commands[0]?.text).toBe(typed(0));
    expect(JSON.stringify(part?.commands).length).toBeLessThan(512 * 1024);
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 0x10, at);
  return copy;
}
