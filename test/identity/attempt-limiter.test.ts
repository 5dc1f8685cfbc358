import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { networkOf } from '../../gateway/base/ip-address.ts';
import { AttemptLimiter } from '../../gateway/identity/attempt-limiter.ts';

const limits = { failures: 3, withinSeconds: 60, forSeconds: 10 };

/** Fails so often, a millisecond apart; gives the moment after. */
function fail(limiter: AttemptLimiter, source: string, times: number, from = 0): number {
  for (let count = 0; count < times; count++) limiter.failed(source, from + count);
  return from + times;
}

describe('a source that fails too often is locked out', () => {
  test('the failure that is one too many says so, once', () => {
    const limiter = new AttemptLimiter(limits);
    expect([
      limiter.failed('10.0.0.1', 0),
      limiter.failed('10.0.0.1', 1),
      limiter.failed('10.0.0.1', 2),
      limiter.failed('10.0.0.1', 3),
    ]).toEqual([false, false, true, false]);
    expect(limiter.allows('10.0.0.1', 3)).toBe(false);
  });

  test('one failure less does not', () => {
    const limiter = new AttemptLimiter(limits);
    expect(limiter.allows('10.0.0.1', fail(limiter, '10.0.0.1', 2))).toBe(true);
  });

  test('for as long as configured, and not longer for trying', () => {
    const limiter = new AttemptLimiter(limits);
    fail(limiter, '10.0.0.1', 3);
    fail(limiter, '10.0.0.1', 100, 5000);
    expect([limiter.allows('10.0.0.1', 10_001), limiter.allows('10.0.0.1', 10_002)]).toEqual([false, true]);
  });

  test('afterwards it has all its attempts again', () => {
    const limiter = new AttemptLimiter(limits);
    fail(limiter, '10.0.0.1', 3);
    expect(limiter.allows('10.0.0.1', fail(limiter, '10.0.0.1', 2, 20_000))).toBe(true);
  });

  test('failures that are long ago do not count', () => {
    const limiter = new AttemptLimiter(limits);
    for (let minute = 0; minute < 100; minute++) limiter.failed('10.0.0.1', minute * 30_001);
    expect(limiter.allows('10.0.0.1', 100 * 30_001)).toBe(true);
  });

  test('other sources are not concerned', () => {
    const limiter = new AttemptLimiter(limits);
    expect(limiter.allows('10.0.0.2', fail(limiter, '10.0.0.1', 3))).toBe(true);
  });

  test('loopback is a source like any other', () => {
    const limiter = new AttemptLimiter(limits);
    expect(limiter.allows('::1', fail(limiter, '::1', 3))).toBe(false);
    expect(limiter.allows('127.0.0.1', fail(limiter, '127.0.0.1', 3))).toBe(false);
  });

  test('somebody who gets in clears the failures before', () => {
    const limiter = new AttemptLimiter(limits);
    fail(limiter, '10.0.0.1', 2);
    limiter.succeeded('10.0.0.1');
    expect(limiter.allows('10.0.0.1', fail(limiter, '10.0.0.1', 2, 10))).toBe(true);
    expect(limiter.remembered).toBe(1);
  });

  test('a limit of 0 never locks out and remembers nothing', () => {
    const limiter = new AttemptLimiter({ ...limits, failures: 0 });
    expect(limiter.allows('10.0.0.1', fail(limiter, '10.0.0.1', 1000))).toBe(true);
    expect(limiter.remembered).toBe(0);
  });
});

describe('an IPv6 source is its /64', () => {
  test('addresses of one network share their failures, those of another do not', () => {
    const limiter = new AttemptLimiter(limits);
    for (const source of ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:0DB8:0001:0002:1:2:3:4']) limiter.failed(source, 0);
    expect(limiter.allows('2001:db8:1:2:9::9', 3)).toBe(false);
    expect(limiter.allows('2001:db8:1:3::1', 3)).toBe(true);
  });

  test.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::ffff:a01:203', '10.1.2.3'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('%s counts as %s', (source, network) => {
    expect(networkOf(source)).toBe(network);
  });

  test('every way to write an address counts as the same', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), (groups) => {
        const short = groups.map((group) => group.toString(16)).join(':');
        const long = groups.map((group) => group.toString(16).padStart(4, '0').toUpperCase()).join(':');
        expect(networkOf(long)).toBe(networkOf(short));
        expect(networkOf(new URL(`http://[${short}]/`).hostname.slice(1, -1))).toBe(networkOf(short));
      }),
    );
  });
});

describe('memory is bounded', () => {
  test('by the number of sources, however many there are', () => {
    const limiter = new AttemptLimiter({ ...limits, sources: 1000 });
    for (let number = 0; number < 2_000_000; number++)
      limiter.failed(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, number / 1000);
    expect(limiter.remembered).toBe(1000);
    for (let number = 0; number < 5000; number++) fail(limiter, `11.0.${number >> 8}.${number & 255}`, 3, 3000);
    expect(limiter.remembered).toBeLessThanOrEqual(2000);
  });

  test('and those that were quiet for longest are forgotten first', () => {
    const limiter = new AttemptLimiter({ ...limits, sources: 2 });
    limiter.failed('10.0.0.1', 0);
    limiter.failed('10.0.0.2', 1);
    limiter.failed('10.0.0.1', 2);
    limiter.failed('10.0.0.3', 3);
    expect([limiter.failed('10.0.0.1', 4), limiter.remembered]).toEqual([true, 2]);
  });

  test('by the length of what is called a source', () => {
    expect(networkOf('x'.repeat(100_000)).length).toBe(64);
  });
});

test('never more failures than configured are looked at within the time', () => {
  const step = fc.record({ wait: fc.nat(30_000), source: fc.constantFrom('10.0.0.1', '10.0.0.2'), success: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const limiter = new AttemptLimiter(limits);
      const looked = new Map<string, number[]>();
      let now = 0;
      for (const { wait, source, success } of steps) {
        now += wait;
        if (!limiter.allows(source, now)) continue;
        if (success) {
          limiter.succeeded(source);
          looked.delete(source);
          continue;
        }
        limiter.failed(source, now);
        // A lock of its time is between the failures that caused it and the next that count.
        const recent = [...(looked.get(source) ?? []), now].filter((moment) => now - moment < limits.forSeconds * 1000);
        looked.set(source, recent);
        expect(recent.length).toBeLessThanOrEqual(limits.failures);
      }
    }),
    { numRuns: 500 },
  );
});
