import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoMicros } from '../../gateway/base/clock.ts';
import { periodFrom, periodTo } from '../../gateway/query/period.ts';

describe('the times of a period', () => {
  it.each([
    ['2026-03-01', '2026-03-01T00:00:00.000000Z'],
    ['2026-03-01T09:30', '2026-03-01T09:30:00.000000Z'],
    ['2026-03-01 09:30:15', '2026-03-01T09:30:15.000000Z'],
    ['2026-03-01T09:30:15.5Z', '2026-03-01T09:30:15.500000Z'],
    ['2026-03-01T09:30:15.123456789Z', '2026-03-01T09:30:15.123456Z'],
    ['2026-03-01T00:30:00+01:00', '2026-02-28T23:30:00.000000Z'],
    ['2026-03-01T00:30:00-0500', '2026-03-01T05:30:00.000000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000000Z'],
  ])('%s begins at %s', (text, begins) => {
    expect(periodFrom(text)).toBe(begins);
  });

  it('end after the day when a day is named, and at the time when a time is named', () => {
    expect(periodTo('2026-03-31')).toBe('2026-04-01T00:00:00.000000Z');
    expect(periodTo('2026-03-31T12:00Z')).toBe('2026-03-31T12:00:00.000000Z');
  });

  it.each([
    '',
    'yesterday',
    '2026',
    '2026-03',
    '2026-13-01',
    '2025-02-29',
    '2026-03-01T25:00',
    '2026-03-01T',
    '01.03.2026',
    '2026-03-01T09:30:00+99:99',
  ])('refuse %j', (text) => {
    expect(() => periodFrom(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('are read exactly as records write them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000_000 }), (micros) => {
        expect(periodFrom(isoMicros(micros))).toBe(isoMicros(micros));
      }),
    );
  });
});
