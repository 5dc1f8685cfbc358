import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { OwnKeyframes } from '../../contract/replay/own-keyframes.ts';
import { Player } from '../../contract/replay/player.ts';
import { sameScreen } from '../../contract/replay/screen/same-screen.ts';
import { worked } from '../support/worked.ts';
import { MemoryDriver, type MemoryOptions, nodeHost, playedFromStart, textOf } from './memory-driver.ts';
import { randomNumbers, randomOutput } from './random-output.ts';

/** Pieces of events as no program would write them, the same for the same seed. Times repeat, within pieces and across them. */
function randomRecording(seed: number, pty: boolean, pieceCount = 12): CastEvent[][] {
  const random = randomNumbers(seed);
  let at = 0;
  return Array.from({ length: pieceCount }, (_, piece) =>
    Array.from({ length: random(12) }, (__, index): CastEvent => {
      at += random(3) === 0 ? 0 : random(500) * 10;
      const kind = random(12);
      if (kind === 0 && pty) return { kind: 'resize', at, cols: 2 + random(120), rows: 1 + random(40) };
      if (kind === 1) return { kind: 'damage', at, until: at, words: 'lost' };
      if (kind === 2) return { kind: 'data', at, stream: 'i', text: `${seed}${piece}${index}` };
      if (kind === 3 && !pty) return { kind: 'data', at, stream: random(2) === 0 ? 'o' : 'e', text: '\ufffd'.repeat(20) };
      return {
        kind: 'data',
        at,
        stream: random(4) === 0 ? 'e' : 'o',
        text: randomOutput(seed * 1000 + piece * 50 + index, random(60), false),
      };
    }),
  );
}

async function expectExact(pieces: CastEvent[][], pty: boolean, seed: number, options: MemoryOptions, own?: OwnKeyframes): Promise<void> {
  const driver = new MemoryDriver(pieces, { cols: 40, rows: 12, pty }, options);
  const player = new Player(driver, nodeHost, own);
  const random = randomNumbers(seed + 1);
  const events = pieces.flat();
  const { duration, header } = driver.outline;
  for (let count = 0; count < 25; count += 1) {
    // At times of events, and between them.
    const at = random(2) === 0 ? (events[random(events.length)]?.at ?? 0) : random(duration + 10);
    player.seek(at, 0);
    await player.shown();
    const expected = playedFromStart(events, Math.min(at, duration), header);
    expect(sameScreen(player.screen, expected.emulation), `seed ${seed} at ${at}`).toBe(true);
    expected.dispose();
  }
  await player.close();
}

const keyframes: [string, MemoryOptions['keyframes']][] = [
  ['a keyframe before each piece', () => 'whole'],
  ['no keyframes', () => 'none'],
  ['some keyframes', (piece) => (piece % 3 === 0 ? 'whole' : 'none')],
  ['keyframes that are promised and cannot be read', (piece) => (piece % 4 === 1 ? 'whole' : 'lost')],
];

describe('a seek', () => {
  for (const [name, which] of keyframes) {
    for (const pty of [true, false]) {
      it(`shows what playing from the beginning shows, with ${name}, ${pty ? 'in a terminal' : 'without a terminal'}`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), async (seed) => {
            const options = which === undefined ? {} : { keyframes: which };
            await expectExact(randomRecording(seed, pty), pty, seed, options, new OwnKeyframes(1e6, seed % 2 === 0 ? 500 : 1e9));
          }),
          { numRuns: 8 },
        );
      });
    }
  }

  it('shows the same with few keyframes of its own that fit', async () => {
    for (const seed of [3, 4, 5]) await expectExact(randomRecording(seed, true, 40), true, seed, {}, new OwnKeyframes(20_000, 100));
  });

  it('goes to a terminal that came after output without one', async () => {
    const pieces: CastEvent[][] = [
      [{ kind: 'data', at: 10, stream: 'o', text: 'plain\nlines' }],
      [{ kind: 'note', at: 20, note: { t: 'terminal', cols: 30, rows: 10, type: 'xterm' } }],
      [{ kind: 'data', at: 30, stream: 'o', text: 'a\nb' }],
      [{ kind: 'data', at: 40, stream: 'o', text: 'c' }],
    ];
    for (const which of keyframes) await expectExact(pieces, false, 7, which[1] === undefined ? {} : { keyframes: which[1] });
  });

  const long = (count: number, length: number): CastEvent[][] =>
    Array.from({ length: count }, (_, piece) =>
      Array.from(
        { length: 8 },
        (__, index): CastEvent => ({
          kind: 'data',
          at: piece * 8000 + index * 1000,
          stream: 'o',
          text: `${piece}.${index} ${'x'.repeat(length)}\r\n`,
        }),
      ),
    );

  it('reads the piece it goes to and the keyframe before it, and nothing else', async () => {
    const driver = new MemoryDriver(long(40, 20_000), {}, { keyframes: (piece) => (piece % 4 === 0 ? 'whole' : 'none') });
    const player = new Player(driver, nodeHost);
    player.seek(30 * 8000 + 500, 0);
    await player.shown();
    expect(driver.asked.toSorted()).toEqual(['keyframe 28', 'piece 28', 'piece 29', 'piece 30']);
    driver.asked.length = 0;
    player.seek(30 * 8000 + 1500, 0);
    await player.shown();
    expect(driver.asked, 'goes on from where it is').toEqual([]);
    player.seek(0, 0);
    await player.shown();
    expect(driver.asked).toEqual(['piece 0']);
  });

  it('goes back quickly where there are no keyframes, because it has made its own', async () => {
    const driver = new MemoryDriver(long(60, 20_000));
    const player = new Player(driver, nodeHost);
    player.seek(driver.outline.duration, 0);
    await player.shown();
    expect(driver.asked).toHaveLength(60);
    driver.asked.length = 0;
    player.seek(50 * 8000, 0);
    await player.shown();
    expect(driver.asked.length).toBeLessThan(10);
    expect(textOf(player.screen)).toMatch(/50\.0 [x\s]+$/);
  });

  it('is given up for a newer one, whose screen is the next that is seen', async () => {
    const driver = new MemoryDriver(long(40, 20_000), {}, { keyframes: () => 'whole' });
    const player = new Player(driver, nodeHost);
    player.seek(100, 0);
    await player.shown();
    const seen = new Set<string>();
    const gate = Promise.withResolvers<void>();
    driver.gate = gate.promise;
    for (const piece of [30, 12, 25, 8]) {
      player.seek(piece * 8000, 0);
      await nodeHost.pause();
      seen.add(textOf(player.screen).slice(0, 3));
    }
    expect([...seen], 'what was shown stays').toEqual(['0.0']);
    expect(player.underway).toBeDefined();
    gate.resolve();
    driver.gate = undefined;
    driver.asked.length = 0;
    await player.shown();
    expect(textOf(player.screen)).toMatch(/8\.0 [x\s]+$/);
    expect(driver.asked.filter((asked) => /30|25|12/.test(asked))).toEqual([]);
    expect(player.underway).toBeUndefined();
  });

  it('leaves others their turn, however much there is to show', async () => {
    const driver = new MemoryDriver([[{ kind: 'data', at: 10, stream: 'o', text: '\x1b[2Jx\r\n'.repeat(120_000) }]]);
    const turns: number[] = [];
    let since = worked();
    const player = new Player(driver, {
      now: worked,
      pause: async () => {
        turns.push(worked() - since);
        await nodeHost.pause();
        since = worked();
      },
    });
    player.seek(10, 0);
    await player.shown();
    expect(turns.length).toBeGreaterThan(20);
    const [, typical = 0] = turns.toSorted((a, b) => b - a).slice(Math.floor(turns.length / 4));
    // Each of them clears a screen for four characters of output: what programs draw takes a tenth of it.
    expect(typical, 'milliseconds').toBeLessThan(60);
  });

  it('tells how far it has come', async () => {
    const driver = new MemoryDriver(long(30, 20_000));
    const told: number[] = [];
    const player = new Player(driver, {
      now: () => performance.now(),
      pause: async () => {
        told.push(player.underway ?? -1);
        await nodeHost.pause();
      },
    });
    player.seek(driver.outline.duration, 0);
    await player.shown();
    expect(told.length).toBeGreaterThan(5);
    expect(told.toSorted((a, b) => a - b)).toEqual(told);
    expect(Math.max(...told)).toBeLessThanOrEqual(1);
  });

  it('ends when the player is closed in the middle of it', async () => {
    const driver = new MemoryDriver(long(10, 1000));
    driver.gate = new Promise(() => undefined);
    const player = new Player(driver, nodeHost);
    player.seek(5000, 0);
    const shown = player.shown();
    await player.close();
    await shown;
    expect(driver.closed).toBe(true);
    expect(driver.listeners).toBe(0);
  });
});

describe('a live recording', () => {
  const said = (at: number, text: string): CastEvent => ({ kind: 'data', at, stream: 'o', text });

  it('is followed at its end, stays where one scrolled back to, and is followed again', async () => {
    const driver = new MemoryDriver([[said(1000, 'a'), said(2000, 'b')]], {}, { live: true });
    const player = new Player(driver, nodeHost);
    player.toLive(0);
    await player.shown();
    expect(textOf(player.screen)).toBe('ab');
    expect({ playing: player.playing, following: player.following }).toEqual({ playing: true, following: true });
    driver.grow([said(3000, 'c')]);
    driver.grow([said(3000, 'd')], true);
    await player.shown();
    expect(textOf(player.screen), 'more of the same moment').toBe('abcd');
    player.seek(1000, 10);
    await player.shown();
    driver.grow([said(4000, 'e')]);
    await player.shown();
    expect(textOf(player.screen)).toBe('a');
    expect({ following: player.following, position: player.position }).toEqual({ following: false, position: 1000 });
    player.toLive(20);
    await player.shown();
    expect(textOf(player.screen)).toBe('abcde');
    player.setPlaying(false, 30);
    driver.grow([said(5000, 'f')]);
    await player.shown();
    expect(textOf(player.screen), 'paused').toBe('abcde');
    player.setPlaying(true, 40);
    player.tick(45);
    await player.shown();
    expect(textOf(player.screen), 'and plays on from there, until it is there again').toBe('abcdef');
    expect(player.following).toBe(true);
    await player.close();
  });

  it('that is cut anew while it is watched shows the same', async () => {
    const pieces = randomRecording(11, true, 8);
    const driver = new MemoryDriver(
      pieces.slice(0, 5),
      { cols: 40, rows: 12 },
      { live: true, keyframes: (piece) => (piece % 2 === 0 ? 'whole' : 'none') },
    );
    const player = new Player(driver, nodeHost);
    player.toLive(0);
    driver.grow(pieces[5] ?? []);
    await player.shown();
    driver.recut([pieces.slice(0, 2).flat(), pieces.slice(2, 7).flat()]);
    await player.shown();
    driver.grow(pieces[7] ?? [], true);
    await player.shown();
    const expected = playedFromStart(pieces.flat(), Number.POSITIVE_INFINITY, driver.outline.header);
    expect(sameScreen(player.screen, expected.emulation)).toBe(true);
    await player.close();
  });

  it('that ends is a recording like any other', async () => {
    const driver = new MemoryDriver([[said(1000, 'a')]], {}, { live: true });
    const player = new Player(driver, nodeHost);
    player.toLive(0);
    driver.recut([[said(1000, 'a'), said(2000, 'b')]], false);
    await player.shown();
    expect(textOf(player.screen)).toBe('ab');
    player.setPlaying(true, 0);
    await player.shown();
    expect({ position: player.position, following: player.following, playing: player.playing }).toEqual({
      position: 0,
      following: false,
      playing: true,
    });
  });
});

describe('what is to be drawn', () => {
  const said = (at: number, text: string): CastEvent => ({ kind: 'data', at, stream: 'o', text });

  it('is everything at first, after that the rows that changed, the size and the title', async () => {
    const driver = new MemoryDriver([
      [
        said(10, 'one\r\ntwo'),
        said(20, '\x1b[3;1Hx\x1b[1;1H'),
        said(30, '\x1b]2;new title\x07'),
        { kind: 'resize', at: 40, cols: 90, rows: 30 },
        said(50, '\x1b[?25l'),
      ],
    ]);
    const player = new Player(driver, nodeHost);
    const at = async (time: number) => {
      player.seek(time, 0);
      await player.shown();
      return player.takeDamage();
    };
    expect(await at(10)).toMatchObject({ replaced: true, resized: true, rows: { from: 0, to: 23 } });
    expect(player.takeDamage()).toEqual({ replaced: false, resized: false, title: false, rows: undefined });
    expect(await at(20)).toEqual({ replaced: false, resized: false, title: false, rows: { from: 0, to: 2 } });
    expect(await at(30)).toMatchObject({ title: true });
    expect(player.title).toBe('new title');
    expect(await at(40)).toMatchObject({ replaced: false, resized: true, rows: { from: 0, to: 29 } });
    expect((await at(50)).rows, 'where the cursor was').toEqual({ from: 0, to: 0 });
    expect(await at(20)).toMatchObject({ replaced: true, title: true });
  });
});
