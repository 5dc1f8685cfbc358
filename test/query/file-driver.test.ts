import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { parseSegment } from '../../contract/replay/parse-segment.ts';
import { Player } from '../../contract/replay/player.ts';
import { sameScreen } from '../../contract/replay/screen/same-screen.ts';
import { sidecarPath } from '../../gateway/indexing/sidecar-file.ts';
import { readCast } from '../../gateway/query/read-cast.ts';
import { FileDriver } from '../../gateway/query/replay/file-driver.ts';
import { nodeHost, playedFromStart, textOf } from '../replay/memory-driver.ts';
import { randomNumbers, randomOutput } from '../replay/random-output.ts';
import { type RecordedChannel, RecordedData } from './recorded.ts';
import { makeSidecars } from './replay-recordings.ts';

interface Story {
  data: RecordedData;
  id: string;
  channel: RecordedChannel;
  end: () => Promise<void>;
}

async function begin(segmentBytes: number): Promise<Story> {
  const data = await RecordedData.open({ segmentBytes });
  const session = await data.openSession();
  const channel = await session.openChannel('shell');
  const end = async () => {
    await channel.close();
    await session.close();
  };
  return { data, id: session.id, channel, end };
}

/** Many segments of many pieces: lines, odd sequences, other sizes, error output. */
function fill({ channel }: Story, seed: number, count: number): void {
  const random = randomNumbers(seed);
  channel.event(0, { t: 'terminal', cols: 60, rows: 20, type: 'xterm' });
  let at = 0;
  for (let made = 0; made < count; made += 1) {
    at += random(3) === 0 ? 0 : random(100_000) / 1e5;
    if (random(40) === 0) channel.resize(at, 20 + random(80), 5 + random(30));
    else if (random(10) === 0) channel.data(at, 'e', `error ${made}\r\n`);
    else channel.data(at, 'o', `${made} ${randomOutput(seed + made, 10, false)}${'.'.repeat(random(2500))}\r\n`);
  }
}

/** All events as the cast has them, read from its beginning. */
async function eventsOf({ data, id }: Story): Promise<{ events: CastEvent[]; header: ReturnType<typeof parseSegment>['header'] }> {
  let text = '';
  for await (const part of readCast(data.database, id, 0)) if (part.kind === 'line') text += part.line;
  return parseSegment(text, 0);
}

async function expectExactSeeks(driver: FileDriver, story: Story, seed: number, count: number): Promise<void> {
  const { events, header } = await eventsOf(story);
  const player = new Player(driver, nodeHost);
  const random = randomNumbers(seed);
  for (let seek = 0; seek < count; seek += 1) {
    const at = random(2) === 0 ? (events[random(events.length)]?.at ?? 0) : random(driver.outline.duration);
    player.seek(at, 0);
    await player.shown();
    const expected = playedFromStart(events, at, header);
    expect(sameScreen(player.screen, expected.emulation), `at ${at}`).toBe(true);
    expected.dispose();
  }
  await player.close();
}

async function shownAt(driver: FileDriver, seconds: number): Promise<string> {
  const player = new Player(driver, nodeHost);
  player.seek(seconds * 1e6, 0);
  await player.shown();
  const text = textOf(player.screen);
  return text;
}

describe('a recording in a data directory', () => {
  it('is played from its pieces and keyframes, and shows what playing from the beginning shows', async () => {
    const story = await begin(600_000);
    fill(story, 5, 1200);
    await story.end();
    await makeSidecars(story.data.database, story.id);
    const driver = await FileDriver.open(story.data.database, story.id, 0);
    expect(driver.outline.pieces.filter(({ keyframe }) => keyframe).length).toBeGreaterThan(0);
    expect(driver.outline).toMatchObject({ terminal: true, live: false, header: { cols: 60, rows: 20, pty: true } });
    await expectExactSeeks(driver, story, 1, 20);
    expect(driver.damage).toEqual([]);
  });

  it('is played without sidecars, with some, and with damaged ones', async () => {
    const story = await begin(100_000);
    fill(story, 6, 550);
    await story.end();
    await expectExactSeeks(await FileDriver.open(story.data.database, story.id, 0), story, 2, 8);
    await makeSidecars(story.data.database, story.id);
    const directory = story.data.directory;
    rmSync(join(directory, sidecarPath(story.id, 0, 1)));
    writeFileSync(join(directory, sidecarPath(story.id, 0, 3)), 'nonsense');
    const count = (await story.data.database.segments.ofSession(story.id)).length;
    const last = join(directory, sidecarPath(story.id, 0, count));
    const bytes = readFileSync(last);
    bytes.fill(0, Math.floor(statSync(last).size / 2)); // Its keyframes, not what it says of them.
    writeFileSync(last, bytes);
    const driver = await FileDriver.open(story.data.database, story.id, 0);
    expect(driver.outline.header).toMatchObject({ cols: 60, rows: 20 });
    await expectExactSeeks(driver, story, 3, 10);
    expect(driver.damage).toEqual([]);
  });

  it('that still runs is played up to what was there when it was opened', async () => {
    const story = await begin(100_000);
    fill(story, 7, 200);
    const driver = await FileDriver.open(story.data.database, story.id, 0);
    const { events } = await eventsOf(story);
    expect(driver.outline.duration).toBe(events.at(-1)?.at);
    await expectExactSeeks(driver, story, 4, 10);
    // Meanwhile what stood in the journal is sealed and dropped from it.
    const after = await FileDriver.open(story.data.database, story.id, 0);
    const { duration } = after.outline;
    story.channel.data(1000, 'o', '\x1b[2J\x1b[Hnot yet\r\n');
    await story.end();
    expect(after.outline.duration).toBe(duration);
    expect(await shownAt(after, 1000)).not.toContain('not yet');
    expect(after.damage).toEqual([]);
  });

  /** Words at 10, 20, 30 s …, in a segment of their own each. */
  async function words(...all: string[]): Promise<Story & { files: string[] }> {
    const story = await begin(3000);
    for (const [index, word] of all.entries()) story.channel.data(10 * (index + 1), 'o', `${word}\r\n${'\x1b[m'.repeat(1000)}`);
    story.channel.exit(10 * (all.length + 1), 0);
    await story.end();
    const rows = await story.data.database.segments.ofSession(story.id);
    return { ...story, files: rows.map(({ file }) => join(story.data.directory, file)) };
  }

  for (const sidecars of [true, false]) {
    it(`with a damaged segment says so when it is come to, and plays around it, ${sidecars ? 'with' : 'without'} sidecars`, async () => {
      const story = await words('one', 'two', 'three', 'four');
      if (sidecars) await makeSidecars(story.data.database, story.id);
      const [, second = ''] = story.files;
      const bytes = readFileSync(second);
      bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 0xff;
      writeFileSync(second, bytes);
      const driver = await FileDriver.open(story.data.database, story.id, 0);
      expect(await shownAt(driver, 9)).toBe('');
      expect(driver.damage, 'nobody has looked').toEqual([]);
      const shown = await shownAt(driver, 45);
      expect(shown).toMatch(/one[\s\S]*three[\s\S]*four/);
      expect(shown).not.toContain('two');
      expect(driver.damage.map(({ message }) => message)).toEqual([
        expect.stringMatching(/0002\.cast\.zst is damaged: its SHA-256 is not the one it was sealed with/),
      ]);
      expect(driver.timeline.damage).toEqual([expect.objectContaining({ words: expect.stringContaining('SHA-256') })]);
      expect(driver.outline.idle.some(({ damaged }) => damaged)).toBe(true);
    });
  }

  for (const [what, spoil] of [
    ['the middle of a segment', (bytes: Buffer) => bytes.fill(0x55, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 20)],
    ['all of a segment', (bytes: Buffer) => bytes.fill(0x55)],
  ] as const) {
    it(`in which ${what} is damaged has keyframes behind it that are what playing across the damage shows`, async () => {
      const story = await begin(200_000);
      fill(story, 9, 600);
      await story.end();
      const rows = await story.data.database.segments.ofSession(story.id);
      expect(rows.length).toBeGreaterThan(3);
      const path = join(story.data.directory, rows[1]?.file ?? '');
      writeFileSync(path, spoil(readFileSync(path)));
      const bare = await FileDriver.open(story.data.database, story.id, 0);
      await makeSidecars(story.data.database, story.id);
      const driver = await FileDriver.open(story.data.database, story.id, 0);
      const behind = driver.outline.pieces.filter(({ from, keyframe }) => keyframe && from * 1000 >= (rows[1]?.to ?? 0));
      expect(behind[0]?.from).toBe(Math.floor((rows[1]?.to ?? 0) / 10_000) * 10);
      expect(driver.timeline.damage.length, 'told before anybody has come to it').toBeGreaterThan(0);
      const random = randomNumbers(3);
      const played = new Player(bare, nodeHost);
      const sought = new Player(driver, nodeHost);
      const times = Array.from({ length: 12 }, () => random(driver.outline.duration)).sort((a, b) => a - b);
      const expected = new Map<number, string>();
      for (const at of times) {
        played.seek(at, 0);
        await played.shown();
        expected.set(at, played.screen.dump());
      }
      for (const at of times.toSorted(() => random(3) - 1)) {
        sought.seek(at, 0);
        await sought.shown();
        expect(sought.screen.dump() === expected.get(at), `at ${at}`).toBe(true);
      }
      expect(driver.damage.map(({ message }) => message)).toEqual(bare.damage.map(({ message }) => message));
      expect(driver.timeline.damage.map(({ words }) => words)).toEqual(bare.timeline.damage.map(({ words }) => words));
      await played.close();
      await sought.close();
    });
  }

  it('whose first segment was damaged since is shown as the terminal that it was', async () => {
    const story = await begin(300_000);
    fill(story, 10, 500);
    await story.end();
    await makeSidecars(story.data.database, story.id);
    const rows = await story.data.database.segments.ofSession(story.id);
    const path = join(story.data.directory, rows[0]?.file ?? '');
    writeFileSync(path, readFileSync(path).fill(0x55));
    const driver = await FileDriver.open(story.data.database, story.id, 0);
    const player = new Player(driver, nodeHost);
    player.seek(0, 0);
    await player.shown();
    player.seek(driver.outline.duration, 0);
    await player.shown();
    expect(player.screen.plain).toBe(false);
    await player.close();
  });

  it('with a segment that is gone is played around it, with its time', async () => {
    const story = await words('one', 'two', 'three');
    await makeSidecars(story.data.database, story.id);
    rmSync(story.files[1] ?? '');
    const driver = await FileDriver.open(story.data.database, story.id, 0);
    expect(driver.outline.duration).toBe(40_000_000);
    expect(await shownAt(driver, 40)).toMatch(/one[\s\S]*three/);
    expect(driver.damage.map(({ message }) => message)).toEqual([expect.stringContaining('it is missing')]);
  });

  it('whose pieces are not all whole plays those that are', async () => {
    const story = await begin(4_000_000);
    for (let at = 0; at < 30; at += 1)
      story.channel.data(at, 'o', `word${at} ${randomOutput(at, 2000).replaceAll('\x1b', 'e')}\r\n\x1b[H`.repeat(3));
    await story.end();
    await makeSidecars(story.data.database, story.id);
    const [row] = await story.data.database.segments.ofSession(story.id);
    const path = join(story.data.directory, row?.file ?? '');
    const bytes = readFileSync(path);
    bytes.fill(0x55, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 20);
    writeFileSync(path, bytes);
    const driver = await FileDriver.open(story.data.database, story.id, 0);
    await shownAt(driver, 30);
    expect(driver.damage.length).toBeGreaterThan(1);
    expect(driver.damage[0]?.message).toMatch(/What can be read of it follows/);
    expect(driver.damage[1]?.message).toMatch(/its bytes \d+ to \d+ cannot be read/);
    expect(driver.timeline.damage.length).toBe(driver.damage.length);
  });
});
