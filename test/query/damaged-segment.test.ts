import { randomBytes } from 'node:crypto';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { castItems } from '../../gateway/query/cast-events.ts';
import { castV3 } from '../../gateway/query/cast-v3.ts';
import { readCast } from '../../gateway/query/read-cast.ts';
import { zstdFrames } from '../../gateway/recording/zstd-frames.ts';
import { Database } from '../../gateway/store/database.ts';
import { collect, RecordedData } from './recorded.ts';

const OUTPUTS = 60;
const SECONDS_APART = 2;
const END = OUTPUTS * SECONDS_APART;

function momentOf(text: number): number {
  return text * SECONDS_APART + 1;
}

/** One segment of many zstd frames, then one of few: text `N:…` appears at second 2·N + 1. Only a copy of it is damaged. */
async function recorded(): Promise<{
  directory: string;
  session: string;
  file: string;
  frames: { from: number; to: number; texts: number[] }[];
}> {
  const data = await RecordedData.open({ segmentBytes: 2 * 1024 * 1024 });
  const session = await data.openSession();
  const channel = await session.openChannel('shell');
  channel.terminal(80, 24);
  for (let index = 0; index < OUTPUTS; index += 1)
    channel.data(momentOf(index), 'o', `${index}:${randomBytes(30_000).toString('base64')}\r\n`);
  channel.exit(END, 0);
  await channel.close();
  await session.close();
  const [segment, second] = await data.database.segments.ofSession(session.id);
  expect(second?.segment).toBe(2);
  await data.close();
  const file = join(data.directory, segment?.file as string);
  let at = 0;
  const frames = [...zstdFrames(await readFile(file))].map((frame) => {
    const from = at;
    at += frame.length;
    return {
      from,
      to: at,
      texts: [
        ...zstdDecompressSync(frame)
          .toString()
          .matchAll(/"o","(\d+):/g),
      ].map((match) => Number(match[1])),
    };
  });
  expect(frames.length).toBeGreaterThan(5);
  return { directory: data.directory, session: session.id, file, frames };
}

interface Read {
  /** When each text appeared, in seconds. */
  texts: Map<number, number>;
  damage: { at: number; words: string }[];
  end: number;
}

async function read(directory: string, session: string): Promise<Read> {
  const database = await Database.openForReading(directory);
  onTestFinished(() => database.close());
  const seen: Read = { texts: new Map(), damage: [], end: 0 };
  for (const item of await collect(castItems(readCast(database, session, 0)))) {
    if (item.kind === 'header') continue;
    seen.end = item.at / 1e6;
    if (item.kind === 'damage') seen.damage.push({ at: item.at / 1e6, words: item.error.message });
    else if (item.code === 'o') seen.texts.set(Number.parseInt(item.data, 10), item.at / 1e6);
  }
  return seen;
}

const numbers = Array.from({ length: OUTPUTS }, (_, index) => index);

function expectAllBut(seen: Read, lost: readonly number[]): void {
  expect([...seen.texts.keys()]).toEqual(numbers.filter((number) => !lost.includes(number)));
  for (const [number, at] of seen.texts) expect(at, `text ${number}`).toBeCloseTo(momentOf(number), 4);
  expect(seen.end).toBeCloseTo(END, 4);
}

describe('a segment with one changed byte', () => {
  it.each(['first', 'middle', 'last'] as const)('in its %s frame loses that frame and nothing else, at the right times', async (which) => {
    const { directory, session, file, frames } = await recorded();
    const hurt = frames.at({ first: 0, middle: 3, last: -1 }[which]);
    const bytes = await readFile(file);
    const at = Math.floor(((hurt?.from ?? 0) + (hurt?.to ?? 0)) / 2);
    bytes[at] = (bytes[at] as number) ^ 0x10;
    await writeFile(file, bytes);
    const seen = await read(directory, session);
    expectAllBut(seen, hurt?.texts ?? []);
    expect(seen.damage.map(({ words }) => words)).toEqual([
      expect.stringMatching(
        /0001\.cast\.zst is damaged: its SHA-256 is not the one it was sealed with\. What can be read of it follows until .*, unverified$/,
      ),
      expect.stringMatching(new RegExp(`its bytes ${hurt?.from} to ${hurt?.to} cannot be read; .* of the recording are missing$`)),
    ]);
  });

  it('in the sizes that a frame states loses that frame and nothing else', async () => {
    const { directory, session, file, frames } = await recorded();
    const bytes = await readFile(file);
    // The header of the first block: its size becomes another one, so where the frame ends can't be told from it.
    const at = (frames[2]?.from ?? 0) + 5 + 4 + 2;
    bytes[at] = (bytes[at] as number) ^ 0x40;
    await writeFile(file, bytes);
    expectAllBut(await read(directory, session), frames[2]?.texts ?? []);
  });

  it('in the magic number of a frame loses that frame and nothing else', async () => {
    const { directory, session, file, frames } = await recorded();
    const bytes = await readFile(file);
    bytes[frames[4]?.from ?? 0] = 0;
    await writeFile(file, bytes);
    expectAllBut(await read(directory, session), frames[4]?.texts ?? []);
  });
});

describe('a damaged segment', () => {
  it('that is cut short plays up to there, and what follows it at its time', async () => {
    const { directory, session, file, frames } = await recorded();
    await truncate(file, (frames[3]?.from ?? 0) + 100);
    expectAllBut(
      await read(directory, session),
      frames.slice(3).flatMap(({ texts }) => texts),
    );
  });

  it('that is cut between two frames says what is missing', async () => {
    const { directory, session, file, frames } = await recorded();
    await truncate(file, frames[3]?.from ?? 0);
    const seen = await read(directory, session);
    expectAllBut(
      seen,
      frames.slice(3).flatMap(({ texts }) => texts),
    );
    expect(seen.damage.at(-1)?.words).toMatch(/cannot be read; .* are missing/);
  });

  it('with several holes has each of them named in its place', async () => {
    const { directory, session, file, frames } = await recorded();
    const bytes = await readFile(file);
    for (const index of [1, 4]) bytes.fill(0, (frames[index]?.from ?? 0) + 20, (frames[index]?.to ?? 0) - 20);
    await writeFile(file, bytes);
    const seen = await read(directory, session);
    const lost = [...(frames[1]?.texts ?? []), ...(frames[4]?.texts ?? [])];
    expect([...seen.texts.keys()]).toEqual(numbers.filter((number) => !lost.includes(number)));
    // Between the holes the time is shared out; before the first and after the last it is exact.
    for (const [number, at] of seen.texts) {
      const exact = number < (frames[1]?.texts[0] ?? 0) || number > (frames[4]?.texts.at(-1) ?? 0);
      expect(Math.abs(at - momentOf(number)), `text ${number}`).toBeLessThan(exact ? 0.001 : 3 * SECONDS_APART);
    }
    expect(seen.damage).toHaveLength(3);
    expect(seen.end).toBeCloseTo(END, 4);
  });

  it('that was replaced by another is played as unverified, never as if it were the one that was sealed', async () => {
    const { directory, session, file } = await recorded();
    await writeFile(file, zstdCompressSync(Buffer.from('[1.0,"o","777:forged\\r\\n"]\n'), { params: { 201: 1 } }));
    const seen = await read(directory, session);
    expect(seen.damage[0]).toEqual({
      at: 0,
      words: expect.stringMatching(/was sealed with \d+\. What can be read of it follows until .*, unverified$/),
    });
    expect(seen.texts.get(777)).toBeCloseTo(1);
    expect(seen.end).toBeCloseTo(END, 4);
  });

  it('full of things that look like frames is given up quickly', async () => {
    const { directory, session, file } = await recorded();
    const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x48, 0x00, 0x00, 0x08]);
    await writeFile(file, Buffer.alloc(64 * 1024 * 1024, magic));
    const began = performance.now();
    const seen = await read(directory, session);
    // What looks for a frame behind every one of them takes hours.
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(seen.damage).toEqual([{ at: expect.any(Number), words: expect.stringContaining('bytes and was sealed with') }]);
    expect(seen.end).toBeCloseTo(END, 4);
  });

  it('that is lost altogether, the first of all, leaves a cast that any player plays', async () => {
    const { directory, session, file, frames } = await recorded();
    await rm(file);
    const database = await Database.openForReading(directory);
    onTestFinished(() => database.close());
    const lines = await collect(castV3(readCast(database, session, 0), () => undefined));
    const events = lines.map((line): unknown => JSON.parse(line));
    expect(events[0]).toMatchObject({ version: 3 });
    expect(events[1]).toEqual([
      expect.any(Number),
      'm',
      expect.stringMatching(/0001\.cast\.zst is damaged: it is missing; .* are missing$/),
    ]);
    expectAllBut(
      await read(directory, session),
      frames.flatMap(({ texts }) => texts),
    );
  });
});
