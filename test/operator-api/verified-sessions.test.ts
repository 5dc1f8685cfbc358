import { expect, test } from 'vitest';
import { VerifiedSessions } from '../../gateway/operator-api/verified-sessions.ts';

/** What a list says of verifications: never more than somebody looked at, and no fault is forgotten for want of room. */

test('one session counts as far as it was looked at', () => {
  const verified = new VerifiedSessions();
  expect(verified.of('a', 5)).toBeUndefined();
  verified.set('a', true, 5);
  expect([verified.of('a', 5), verified.of('a', 6), verified.of('b', 1)]).toEqual(['verified', undefined, undefined]);
  verified.set('a', false, 5);
  expect([verified.of('a', 5), verified.of('a', 6)]).toEqual(['failed', 'failed']);
  verified.set('a', true, 6);
  expect(verified.of('a', 6)).toBe('verified');
});

test('all of them count up to the size of the ledger that was verified, but those that failed', () => {
  const verified = new VerifiedSessions();
  verified.set('former', false, 3);
  verified.allUpTo(10, ['bad']);
  const said = [verified.of('former', 3), verified.of('any', 10), verified.of('any', 11), verified.of('bad', 2)];
  expect(said).toEqual(['verified', 'verified', undefined, 'failed']);
});

test('there is room for so many, and those that failed stay the longest', () => {
  const verified = new VerifiedSessions();
  verified.set('bad', false, 1);
  for (let count = 0; count < 10_000; count += 1) verified.set(`fine ${count}`, true, 1);
  expect([verified.of('bad', 1), verified.of('fine 0', 1), verified.of('fine 9999', 1)]).toEqual(['failed', undefined, 'verified']);
  verified.allUpTo(10);
  for (let count = 0; count <= 10_000; count += 1) verified.set(`bad ${count}`, false, 1);
  // One of them was forgotten: from now on nothing is said of those that are not known.
  expect([verified.of('bad 0', 1), verified.of('other', 1), verified.of('bad 1', 1)]).toEqual([undefined, undefined, 'failed']);
  verified.allUpTo(
    10,
    Array.from({ length: 10_001 }, (_, count) => `bad ${count}`),
  );
  expect([verified.of('bad 10000', 1), verified.of('other', 1), verified.of('bad 3', 1)]).toEqual([undefined, undefined, 'failed']);
});
