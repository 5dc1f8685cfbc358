import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShownStretches } from '../../../renderer/app/replay/watched/shown-stretches.ts';
import { type Shown, WatchMeter } from '../../../renderer/app/replay/watched/watch-meter.ts';

describe('what was shown', () => {
  it('is one stretch where stretches touch', () => {
    const shown = new ShownStretches();
    shown.add(0, 100);
    shown.add(200, 300);
    shown.add(100, 200);
    expect(shown.all).toEqual([[0, 300]]);
  });

  it('is told once', () => {
    const shown = new ShownStretches();
    shown.add(0, 100);
    expect(shown.take(10)).toEqual([[0, 100]]);
    expect(shown.add(20, 80)).toBe(false);
    expect(shown.take(10)).toEqual([]);
    shown.add(50, 150);
    expect(shown.take(10)).toEqual([[100, 150]]);
  });

  it('is told again when nobody took it', () => {
    const shown = new ShownStretches();
    shown.add(0, 100);
    shown.giveBack(shown.take(10));
    shown.add(100, 110);
    expect(shown.take(10)).toEqual([[0, 110]]);
  });

  it('is told a few at a time, the longest first', () => {
    const shown = new ShownStretches();
    for (const [from, to] of [
      [0, 1],
      [10, 30],
      [40, 41],
      [50, 60],
    ] as const)
      shown.add(from, to);
    expect(shown.take(2)).toEqual([
      [10, 30],
      [50, 60],
    ]);
    expect(shown.take(2)).toEqual([
      [0, 1],
      [40, 41],
    ]);
  });

  it('is exactly the moments that were added, and each of them is told exactly once', () => {
    const stretch = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 10 }));
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 20 }), (stretches) => {
        const shown = new ShownStretches();
        const wanted = new Set<number>();
        const told: number[] = [];
        const moments = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
        for (const [index, [from, length]] of stretches.entries()) {
          shown.add(from, from + length);
          for (const moment of moments(from, from + length)) wanted.add(moment);
          if (index % 3 === 0) for (const [a, b] of shown.take(2)) told.push(...moments(a, b));
        }
        for (const [a, b] of shown.take(100)) told.push(...moments(a, b));
        expect(told.toSorted((a, b) => a - b)).toEqual([...wanted].sort((a, b) => a - b));
        expect(shown.all.flatMap(([a, b]) => moments(a, b))).toEqual([...wanted].sort((a, b) => a - b));
      }),
    );
  });
});

describe('somebody who watches', () => {
  const at = (now: number, position: number, more: Partial<Shown> = {}): Shown => ({
    now,
    position,
    playing: true,
    visible: true,
    whole: false,
    ...more,
  });

  it('has seen what was passed while it played, folded time too', () => {
    const meter = new WatchMeter();
    for (const [now, position] of [
      [0, 0],
      [16, 16_000],
      [33, 33_000],
      [50, 60_000_000],
    ] as const)
      meter.see(at(now, position));
    expect(meter.stretches.all).toEqual([[0, 60_000_000]]);
  });

  it('has not seen what was jumped over', () => {
    const meter = new WatchMeter();
    meter.see(at(0, 0));
    meter.see(at(16, 16_000));
    meter.jumped();
    meter.see(at(33, 5_000_000));
    meter.see(at(50, 5_016_000));
    expect(meter.stretches.all).toEqual([
      [0, 16_000],
      [5_000_000, 5_016_000],
    ]);
  });

  it('has not seen what played while the window was hidden, or while nothing was drawn', () => {
    const meter = new WatchMeter();
    meter.see(at(0, 0));
    meter.see(at(16, 16_000, { visible: false }));
    meter.see(at(5000, 5_000_000));
    meter.see(at(9000, 9_000_000));
    expect(meter.stretches.all).toEqual([]);
  });

  it('has seen a moment when they rested there, and not when they dragged over it', () => {
    const meter = new WatchMeter();
    for (let step = 0; step < 50; step += 1) {
      meter.jumped();
      meter.see(at(step * 20, step * 1_000_000, { playing: false }));
    }
    expect(meter.stretches.all).toEqual([]);
    for (let now = 1000; now <= 2500; now += 500) meter.see(at(now, 49_000_000, { playing: false }));
    expect(meter.stretches.all).toEqual([[49_000_000, 49_010_000]]);
  });

  it('has seen all of what stands on the screen at once', () => {
    const meter = new WatchMeter();
    for (let now = 0; now <= 1500; now += 500) meter.see(at(now, 700_000, { playing: false, whole: true }));
    expect(meter.stretches.all).toEqual([[0, 700_000]]);
  });
});
