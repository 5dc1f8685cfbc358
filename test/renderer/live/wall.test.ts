import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CAPTION_HEIGHT, chooseWatched, GAP, inSight, layWall, moved } from '../../../renderer/app/live/wall/layout.ts';
import { byNeed, type Running, riskOf, runningOf, standingsOf } from '../../../renderer/app/live/wall/order.ts';
import { requested } from '../approvals/request.ts';

const session = (id: string, changed: Partial<Running> = {}): Running => ({
  id,
  started: '2026-03-01T09:00:00.000000Z',
  principal: 'deploy-bot',
  onBehalfOf: null,
  target: 'web-1',
  protocol: 'ssh',
  source: '127.0.0.1:1',
  tags: {},
  paused: false,
  stepping: false,
  watchers: 0,
  asked: 0,
  denied: 0,
  deadline: undefined,
  asks: undefined,
  ...changed,
});

describe('the order of the wall', () => {
  const later = session('waits later', { deadline: '2026-03-01T09:50:00.000000Z' });
  const sooner = session('waits sooner', { deadline: '2026-03-01T09:40:00.000000Z' });
  const production = session('production', { tags: { env: 'production' } });
  const denied = session('denied', { denied: 2 });
  const stepping = session('stepping', { stepping: true });
  const newest = session('newest', { started: '2026-03-01T09:30:00.000000Z' });
  const oldest = session('oldest', { started: '2026-03-01T08:00:00.000000Z' });

  test('who waits for a person stands first, then risk, then the newest', () => {
    const all = [oldest, newest, stepping, denied, production, later, sooner];
    expect(all.toSorted(byNeed).map(({ id }) => id)).toEqual([
      'waits sooner',
      'waits later',
      'production',
      'denied',
      'stepping',
      'newest',
      'oldest',
    ]);
  });

  test('is one order, whatever it begins with', () => {
    const some = fc.array(
      fc.record({
        id: fc.uuid(),
        denied: fc.nat(2),
        asked: fc.nat(2),
        stepping: fc.boolean(),
        started: fc.constantFrom('2026-03-01T09:00:00.000000Z', '2026-03-01T09:00:01.000000Z'),
        deadline: fc.constantFrom(undefined, '2026-03-01T09:40:00.000000Z', '2026-03-01T09:41:00.000000Z'),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(some, (parts) => {
        const all = parts.map(({ id, ...rest }) => session(id, rest));
        expect(all.toSorted(byNeed)).toEqual(all.toReversed().toSorted(byNeed));
      }),
    );
  });

  test('a preproduction is none', () => {
    expect(riskOf(session('a', { tags: { env: 'preprod' } }))).toBe(0);
    expect(riskOf(session('a', { tags: { env: 'Prod-eu' } }))).toBeGreaterThan(0);
  });

  test('what of a session is worth a word is told in words, not in colours alone', () => {
    const words = standingsOf(session('a', { deadline: 'x', paused: true, stepping: true, denied: 1 })).map((each) => each.words);
    expect(words).toEqual(['waits for approval', 'paused', 'stepping', '1 denied']);
    expect(standingsOf(session('a'))).toEqual([]);
  });

  test('of sessions that nobody closed only those are shown that run, with the first of what they wait for', () => {
    const row = {
      ...session('01'),
      ended: null,
      state: 'live' as const,
      principalKind: 'agent' as const,
      channels: 1,
      bytesIn: 0,
      bytesOut: 0,
      reason: null,
    };
    const live = { session: '01', paused: true, stepping: false, watchers: 2, waiting: [] };
    const [soon, late] = ['40', '45'].map((minute) => requested({ session: '01', expires: `2026-03-01T09:${minute}:00.000000Z` }));
    const review = requested({ session: '01', expires: '2026-03-01T09:01:00.000000Z' }, { state: 'review' });
    const rows = [
      { ...row, live },
      { ...row, id: '02', live: null },
    ];
    const running = runningOf(
      rows,
      [late, soon, review].flatMap((each) => each ?? []),
    );
    expect(running).toHaveLength(1);
    expect(running[0]).toMatchObject({ id: '01', paused: true, watchers: 2, deadline: soon?.request.expires });
    expect(running[0]?.asks).toBe(soon?.request);
  });
});

describe('the size of the tiles', () => {
  test.each([
    [1, 1160, 640, 1],
    [2, 1160, 640, 2],
    [4, 1160, 640, 2],
    [6, 1160, 640, 3],
    [9, 1700, 900, 3],
    [3, 700, 500, 2],
  ])('%i sessions on %i×%i stand in %i columns, all in sight', (count, width, height, columns) => {
    expect(layWall({ width, height }, count)).toMatchObject({ columns, scrolls: false });
  });

  test('more than fit are scrolled, and none is too small to be read', () => {
    const layout = layWall({ width: 1160, height: 640 }, 40);
    expect(layout.scrolls).toBe(true);
    expect(layout.tileWidth).toBeGreaterThanOrEqual(300);
  });

  test('whatever the window, tiles are within it, and those that need no scrolling fill no more than it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 320, max: 4000 }),
        fc.integer({ min: 240, max: 2200 }),
        fc.integer({ min: 1, max: 60 }),
        (width, height, count) => {
          const { columns, tileWidth, tileHeight, scrolls } = layWall({ width, height }, count);
          const rows = Math.ceil(count / columns);
          expect(columns * tileWidth + (columns - 1) * GAP).toBeLessThanOrEqual(width);
          expect(tileHeight).toBeGreaterThan(CAPTION_HEIGHT);
          if (!scrolls) expect(rows * tileHeight + (rows - 1) * GAP).toBeLessThanOrEqual(height);
        },
      ),
    );
  });

  test('a place that is not measured yet gives a layout all the same', () => {
    expect(layWall({ width: 0, height: 0 }, 5)).toMatchObject({ columns: 1 });
  });
});

describe('what is watched', () => {
  const layout = { columns: 3, tileWidth: 300, tileHeight: 200, scrolls: true };
  test('is what is in sight', () => {
    expect(inSight(layout, 20, 0, 400)).toEqual({ from: 0, to: 6 });
    expect(inSight(layout, 20, 300, 400)).toEqual({ from: 3, to: 12 });
    expect(inSight(layout, 4, 0, 400)).toEqual({ from: 0, to: 4 });
  });

  test('is no more than so many, and nothing in sight is given up for something else', () => {
    const sight = ['a', 'b', 'c', 'd'];
    expect([...chooseWatched(sight, new Set(), 2)]).toEqual(['a', 'b']);
    expect([...chooseWatched(sight, new Set(['c', 'd', 'z']), 3)].toSorted()).toEqual(['a', 'c', 'd']);
    expect([...chooseWatched(sight, new Set(['z']), 9)]).toEqual(sight);
  });
});

describe('arrow keys on the wall', () => {
  test.each([
    [0, 'left', 0],
    [1, 'left', 0],
    [6, 'right', 6],
    [0, 'down', 3],
    [4, 'down', 6],
    [6, 'down', 6],
    [6, 'up', 3],
    [1, 'up', 1],
    [5, 'first', 0],
    [0, 'last', 6],
  ] as const)('from %i %s to %i, with seven in three columns', (at, direction, to) => {
    expect(moved(at, direction, 3, 7)).toBe(to);
  });
});
