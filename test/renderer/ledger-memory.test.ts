import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FetchTile, judge, type Remembered, recall, remember } from '../../renderer/app/evidence/ledger-memory.ts';
import { tilesForConsistency } from '../../renderer/evidence/consistency.ts';
import { ServedLog } from './ledger-log.ts';

const log = new ServedLog(70_000);
const NOW = '2026-03-02T00:00:00.000Z';

function seen(at: ServedLog, size: number): Remembered {
  return { checkpoint: at.checkpoint(size), key: at.key, since: '2026-02-03T00:00:00.000Z', at: '2026-03-01T00:00:00.000Z' };
}

/** As a gateway serves them: each that there is, and nothing else. */
function served(of: ServedLog, size: number, asked: string[] = []): FetchTile {
  const tiles = of.tiles(size);
  return async (path) => {
    asked.push(path);
    const tile = tiles.get(path);
    if (tile === undefined) throw new Error(`no ${path}`);
    return tile;
  };
}

async function judged(before: Remembered | undefined, of: ServedLog, size: number, tiles: FetchTile | undefined = served(of, size)) {
  return judge({ checkpoint: of.checkpoint(size), key: of.key }, before, tiles, NOW);
}

describe('what a device remembers of a ledger', () => {
  it('begins with the first checkpoint, and is held against every later one', async () => {
    const first = await judged(undefined, log, 300);
    expect(first).toMatchObject({ state: 'first', remember: { since: NOW, at: NOW } });
    expect(await judged(seen(log, 300), log, 300)).toMatchObject({
      state: 'consistent',
      remember: { since: '2026-02-03T00:00:00.000Z', at: NOW },
    });
  });

  it.each([
    [1, 2],
    [255, 256],
    [256, 257],
    [300, 700],
    [256, 512],
    [512, 65_536],
    [65_535, 65_537],
    [65_536, 70_000],
    [69_999, 70_000],
  ])('is proved to be continued from %i to %i by a few tiles', async (before, size) => {
    const asked: string[] = [];
    expect(await judged(seen(log, before), log, size, served(log, size, asked))).toMatchObject({ state: 'consistent' });
    expect(asked.length).toBeLessThanOrEqual(6);
  });

  it('from any size to any later one is proved, and a log that was rewritten before is found', () => {
    return fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1200 }), fc.integer({ min: 0, max: 1200 }), fc.nat(), async (before, more, place) => {
        const size = Math.min(1200, before + more);
        expect((await judged(seen(log, before), log, size)).state).toBe('consistent');
        const rewritten = new ServedLog(size, { from: log, changed: place % before });
        expect((await judged(seen(log, before), rewritten, size)).state).toBe('contradiction');
      }),
      { numRuns: 40 },
    );
  });

  it('contradicts a log that has shrunk, or has another root at the same size', async () => {
    expect(await judged(seen(log, 700), log, 699)).toMatchObject({
      state: 'contradiction',
      words: expect.stringMatching(/shrunk/) as string,
    });
    const rewritten = new ServedLog(700, { from: log, changed: 3 });
    expect(await judged(seen(log, 700), rewritten, 700)).toMatchObject({
      state: 'contradiction',
      words: expect.stringMatching(/rewritten/) as string,
    });
  });

  it('contradicts tiles of the old log under a new root: what is served has to be one tree', async () => {
    const rewritten = new ServedLog(900, { from: log, changed: 3 });
    const old = log.tiles(900);
    const mixed: FetchTile = async (path) => old.get(path) ?? new Uint8Array();
    expect((await judged(seen(log, 700), rewritten, 900, mixed)).state).toBe('contradiction');
    // Level 0 of the old log, and a root of the new one: the edge does not belong to the tree that is signed.
    const both = new Map([...rewritten.tiles(900)]);
    both.set('tile/0/002', old.get('tile/0/002') ?? new Uint8Array());
    expect((await judged(seen(log, 700), rewritten, 900, async (path) => both.get(path) ?? new Uint8Array())).state).toBe('contradiction');
  });

  it('contradicts another log, another key, and a signature that is none', async () => {
    expect((await judged(seen(log, 300), new ServedLog(400, { origin: 'gateway-1/other' }), 400)).words).toMatch(/another log/);
    expect((await judged(seen(log, 300), new ServedLog(400, { from: log, key: 'another' }), 400)).words).toMatch(/another key/);
    const shown = { checkpoint: log.checkpoint(400).replace('\n400\n', '\n401\n'), key: log.key };
    expect(await judge(shown, undefined, undefined, NOW)).toMatchObject({ state: 'contradiction' });
    expect(await judge({ ...shown, checkpoint: 'nothing' }, undefined, undefined, NOW)).toMatchObject({ state: 'contradiction' });
    expect(await judge({ checkpoint: log.checkpoint(4), key: 'nothing' }, undefined, undefined, NOW)).toMatchObject({
      state: 'contradiction',
    });
  });

  it('is not said to be continued where that was not proved, and nothing is remembered then', async () => {
    const none = await judge({ checkpoint: log.checkpoint(700), key: log.key }, seen(log, 300), undefined, NOW);
    expect(none).toMatchObject({ state: 'unproved' });
    expect(none).not.toHaveProperty('remember');
    const gone = await judged(seen(log, 300), log, 700, () => Promise.reject(new Error('gone')));
    expect(gone).toMatchObject({ state: 'unproved', words: expect.stringMatching(/could not be fetched/) as string });
    const short = await judged(seen(log, 300), log, 700, async () => new Uint8Array(31));
    expect(short.state).toBe('unproved');
  });

  it('asks for no tile twice, and only for such as there are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 1, max: 2 ** 40 }), (one, other) => {
        const [before, size] = one < other ? [one, other] : [other, one];
        const tiles = tilesForConsistency(before, size);
        expect(new Set(tiles.map(([level, index]) => `${level}/${index}`)).size).toBe(tiles.length);
        for (const [level, index, width] of tiles) {
          const hashes = Math.floor(size / 256 ** level);
          expect(width).toBeGreaterThan(0);
          expect(index * 256 + width).toBeLessThanOrEqual(hashes);
          expect(width === 256 || index * 256 + width === hashes).toBe(true);
        }
      }),
    );
  });

  it('survives a restart, one for each gateway, and what is no memory is none', () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => void kept.set(name, value),
    };
    const memory = seen(log, 300);
    remember(storage, 'https://one', memory);
    expect(recall(storage, 'https://one')).toEqual(memory);
    expect(recall(storage, 'https://two')).toBeUndefined();
    for (const name of kept.keys()) kept.set(name, '{"checkpoint":1}');
    expect(recall(storage, 'https://one')).toBeUndefined();
    for (const name of kept.keys()) kept.set(name, 'nothing');
    expect(recall(storage, 'https://one')).toBeUndefined();
  });
});
