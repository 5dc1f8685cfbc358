import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clock, readClock } from '../../gateway/commands/clock.ts';

describe('how far into a recording', () => {
  it.each([
    ['90', 90],
    ['0.25', 0.25],
    ['1:30', 90],
    ['01:02.5', 62.5],
    ['1:02:03', 3723],
    ['100:00:00', 360_000],
  ])('%s is %d seconds', (text, seconds) => {
    expect(readClock(text)).toBe(seconds * 1e6);
  });

  it.each(['', ' 1', '-1', '1:60', '60:00', '1:60:00', '1:', ':30', '1::2', '1:2:3:4', '1.5:30', '1e3', 'Infinity', '1s', '٣'])(
    'is not %j',
    (text) => {
      expect(() => readClock(text)).toThrow('it has to be seconds, m:ss or h:mm:ss');
    },
  );

  it('is read as it is written, never later and not a tenth of a second earlier', () => {
    fc.assert(
      fc.property(fc.nat({ max: 3_000_000_000_000 }), (micros) => {
        const early = micros - readClock(clock(micros, true));
        expect(early >= 0 && early < 100_000).toBe(true);
        expect(clock(micros, true).startsWith(`${clock(micros)}.`)).toBe(true);
      }),
    );
  });
});
