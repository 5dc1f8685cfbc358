import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CastEvent } from '../../contract/replay/cast-event.ts';
import type { ReplayDriver } from '../../contract/replay/driver.ts';
import { OwnKeyframes } from '../../contract/replay/own-keyframes.ts';
import { Player } from '../../contract/replay/player.ts';
import { Emulation } from '../../contract/replay/screen/emulation.ts';
import { readPart, sidecarPath } from '../../gateway/indexing/sidecar-file.ts';
import { FileDriver } from '../../gateway/query/replay/file-driver.ts';
import { incompleteTail } from '../../gateway/recording/utf8-boundary.ts';
import { type Happening, RecordedData } from '../indexing/recorded-data.ts';
import { type CapturedTerminal, captureTerminals } from '../support/captured-terminals.ts';
import type { TerminalEvent } from '../support/driven-terminal.ts';
import { Belongings } from '../support/temp.ts';
import { nodeHost } from './memory-driver.ts';
import { randomNumbers } from './random-output.ts';
import { expectSame, fingerprintOf } from './screen-state.ts';

/** So small that there are many segments, and a keyframe every few thousand bytes. */
const SEGMENT_BYTES = 700;
const CHUNK_BYTES = 120;

const belongings = new Belongings();
let captures: readonly CapturedTerminal[];
let data: RecordedData;
const sessions = new Map<string, string>();
beforeAll(async () => {
  [captures, data] = await Promise.all([captureTerminals(belongings), RecordedData.open(belongings, SEGMENT_BYTES)]);
  await Promise.all(
    captures.map(async ({ name, cols, rows, events }) => {
      sessions.set(name, await data.session({ happenings: inChunks(events), terminal: { cols, rows } }));
    }),
  );
  await data.indexing.indexer.idle();
}, 240_000);
afterAll(() => belongings.release());

/**
 * In many steps, which end anywhere but within a character, and each at a time of its own: segments as small as here
 * would otherwise end within one.
 */
function inChunks(events: readonly TerminalEvent[]): Happening[] {
  const happenings: Happening[] = [];
  let last = 0;
  let begun: Uint8Array = new Uint8Array();
  for (const event of events) {
    last = Math.max(last + 0.01, event.at * 1000);
    if (event.kind === 'resize') {
      happenings.push({ ...event, at: last });
      continue;
    }
    const bytes = Buffer.concat([begun, event.bytes]);
    const whole = bytes.length - incompleteTail(bytes);
    begun = bytes.subarray(whole);
    for (let from = 0, to = 0; from < whole; from = to, last += 0.01) {
      to = Math.min(from + CHUNK_BYTES, whole);
      to -= incompleteTail(bytes.subarray(from, to));
      happenings.push([last, bytes.subarray(from, to)]);
    }
  }
  return happenings;
}

function driverOf(name: string): Promise<FileDriver> {
  return FileDriver.open(data.evidence.database, sessions.get(name) as string, 0);
}

/** The same, which reads every piece and keyframe only once: there are more seeks than pieces. */
function remembering(driver: ReplayDriver): ReplayDriver & { readonly asked: { load: number; keyframe: number } } {
  const [loaded, frames] = [new Map<number, ReturnType<ReplayDriver['load']>>(), new Map<number, ReturnType<ReplayDriver['keyframe']>>()];
  const asked = { load: 0, keyframe: 0 };
  return {
    asked,
    outline: driver.outline,
    timeline: driver.timeline,
    onGrowth: (listener) => driver.onGrowth(listener),
    close: () => undefined,
    load: (piece) => {
      asked.load += 1;
      const events = loaded.get(piece) ?? driver.load(piece);
      loaded.set(piece, events);
      return events;
    },
    keyframe: (piece) => {
      asked.keyframe += 1;
      const frame = frames.get(piece) ?? driver.keyframe(piece);
      frames.set(piece, frame);
      return frame;
    },
  };
}

async function eventsOf(driver: ReplayDriver): Promise<CastEvent[]> {
  const events: CastEvent[] = [];
  for (let piece = 0; piece < driver.outline.pieces.length; piece += 1) events.push(...(await driver.load(piece)));
  return events;
}

/** A terminal that everything up to a moment is shown to, and on from there. */
class FromTheStart {
  readonly screen: Emulation;
  readonly #events: readonly CastEvent[];
  #at = 0;

  constructor({ cols, rows }: { cols: number; rows: number }, events: readonly CastEvent[]) {
    this.screen = new Emulation(cols, rows);
    this.#events = events;
  }

  upTo(moment: number): Emulation {
    for (let event = this.#events[this.#at]; event !== undefined && event.at <= moment; event = this.#events[this.#at]) {
      if (event.kind === 'data' && event.stream === 'o') this.screen.show(event.text);
      if (event.kind === 'resize') this.screen.resize(event.cols, event.rows);
      this.#at += 1;
    }
    return this.screen;
  }
}

/** What there is to see of a recording, before anything happens to it. */
class Expected {
  readonly events: readonly CastEvent[];
  readonly #capture: CapturedTerminal;
  readonly #known = new Map<number, string>();

  private constructor(capture: CapturedTerminal, events: readonly CastEvent[]) {
    this.#capture = capture;
    this.events = events;
  }

  static async of(name: string): Promise<Expected> {
    const driver = await driverOf(name);
    return new Expected(captures.find((each) => each.name === name) as CapturedTerminal, await eventsOf(driver));
  }

  /** Plays from the start, once for all of these moments. */
  learn(moments: readonly number[]): void {
    const start = new FromTheStart(this.#capture, this.events);
    for (const moment of [...moments].sort((a, b) => a - b)) this.#known.set(moment, fingerprintOf(start.upTo(moment)));
  }

  async shownBy(player: Player, moment: number, when: string): Promise<void> {
    player.seek(moment, 0);
    await player.shown();
    if (fingerprintOf(player.screen) === this.#known.get(moment)) return;
    expectSame(player.screen, new FromTheStart(this.#capture, this.events).upTo(moment), `${when}, at ${moment} µs`);
  }
}

describe('a recording of a real program', () => {
  it.each(['vim', 'htop', 'tmux', 'less', 'wide text', '8-bit controls', 'a build'])(
    'shows after any of 1,000 seeks what playing from the start shows: %s',
    async (name) => {
      const capture = captures.find((each) => each.name === name) as CapturedTerminal;
      const files = await driverOf(name);
      const driver = remembering(files);
      const expected = await Expected.of(name);
      const { events } = expected;
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      const written = capture.events.map((event) => (event.kind === 'data' ? decoder.decode(event.bytes, { stream: true }) : '')).join('');
      expect(events.map((event) => (event.kind === 'data' && event.stream === 'o' ? event.text : '')).join('')).toBe(written);
      expect(events.filter(({ kind }) => kind === 'resize')).toHaveLength(capture.events.filter(({ kind }) => kind === 'resize').length);

      const random = randomNumbers(name.length);
      const { duration } = driver.outline;
      // At what happened, just before it, and anywhere.
      const moments = Array.from({ length: 1000 }, () => {
        const { at } = events[random(events.length)] as CastEvent;
        return [at, Math.max(0, at - 10), random(duration / 10) * 10][random(3)] as number;
      });
      expected.learn(moments);
      // One that may begin from screens it has seen itself, and one that has to from what was stored.
      const players = [new Player(driver, nodeHost), new Player(driver, nodeHost, new OwnKeyframes(0))] as const;
      for (const [index, moment] of moments.entries()) {
        const player = players[index % 2] as Player;
        await expected.shownBy(player, moment, name);
      }
      for (const player of players) await player.close();
      expect(driver.asked.keyframe).toBeGreaterThan(0);
      expect(files.damage).toEqual([]);
    },
  );
});

describe('a damaged recording of a real program', () => {
  const name = 'vim';

  async function known(count: number): Promise<{ moments: number[]; expected: Expected }> {
    const expected = await Expected.of(name);
    const random = randomNumbers(count);
    const moments = Array.from({ length: count }, () => (expected.events[random(expected.events.length)] as CastEvent).at);
    expected.learn(moments);
    return { moments, expected };
  }

  it('87 with a damaged segment plays around it, and everything from the next keyframe on is as it was', async () => {
    const { moments, expected } = await known(60);
    const rows = await data.segments(sessions.get(name) as string);
    const damaged = rows[Math.floor(rows.length / 3)] as (typeof rows)[number];
    const path = join(data.directory, damaged.file);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.from(bytes).fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 1));
    try {
      const driver = await driverOf(name);
      const { pieces } = driver.outline;
      const next = pieces.find(({ from, keyframe }) => keyframe && from * 1000 >= damaged.to)?.from as number;
      // Casts count in steps of 10 µs, and segments in nanoseconds.
      const whole = moments.filter((moment) => (moment + 20) * 1000 < damaged.from || moment > next);
      expect(whole.length).toBeGreaterThan(20);
      // Whatever was shown before: what is damaged, in between.
      const within = (damaged.from / 1000 + next) / 2;
      const player = new Player(driver, nodeHost);
      for (const [index, moment] of whole.entries()) {
        if (index % 3 === 0) {
          player.seek(within, 0);
          await player.shown();
        }
        await expected.shownBy(player, moment, index % 3 === 0 ? 'after what is damaged' : 'around what is damaged');
      }
      await player.close();
      expect(driver.damage.map(({ message }) => message).join()).toMatch(/is damaged: its SHA-256 is not the one it was sealed with/);
      expect(driver.timeline.damage.length).toBeGreaterThan(0);
    } finally {
      writeFileSync(path, bytes);
    }
  });

  it.each([
    { what: 'missing', harm: (path: string) => rmSync(path) },
    { what: 'cut off', harm: (path: string, bytes: Buffer) => writeFileSync(path, bytes.subarray(0, bytes.length * 0.6)) },
    {
      what: 'changed in what they say',
      harm: (path: string, bytes: Buffer) => writeFileSync(path, Buffer.from(bytes).fill('7', 100, 101)),
    },
    {
      what: 'changed all over',
      harm: (path: string, bytes: Buffer) =>
        writeFileSync(
          path,
          bytes.map((byte, at) => (at % 97 === 50 ? byte ^ 1 : byte)),
        ),
    },
    { what: 'of something else', harm: (path: string, bytes: Buffer) => writeFileSync(path, bytes.toReversed()) },
  ])('87 whose sidecars are $what shows the same, and has them again without a word', async ({ harm }) => {
    const { moments, expected } = await known(12);
    const session = sessions.get(name) as string;
    const rows = await data.segments(session);
    const paths = rows.map(({ segment }) => join(data.directory, sidecarPath(session, 0, segment)));
    for (const path of paths) harm(path, readFileSync(path));
    const said = data.log.lines.length;
    const driver = await driverOf(name);
    const player = new Player(driver, nodeHost);
    for (const moment of moments) await expected.shownBy(player, moment, 'without sidecars');
    await player.close();
    expect(driver.damage).toEqual([]);
    data.indexing.indexer.begin();
    await data.indexing.indexer.idle();
    const parts = await Promise.all(rows.map(({ segment, sha256 }) => readPart(data.directory, session, 0, segment, sha256)));
    expect(parts.every((part) => part !== undefined)).toBe(true);
    const again = await driverOf(name);
    for (const [piece, { keyframe }] of again.outline.pieces.entries()) {
      if (keyframe) expect(await again.keyframe(piece), `keyframe before piece ${piece}`).toBeDefined();
    }
    expect(again.outline.pieces.some(({ keyframe }) => keyframe)).toBe(true);
    expect(data.log.lines.slice(said)).toEqual([]);
  });
});
