import { expect, test } from 'vitest';
import { ConnectionRate } from '../../gateway/operator-api/connection-rate.ts';
import { heldBytes } from '../support/held-memory.ts';

const rate = () => new ConnectionRate({ perSecond: 10, burst: 20 }, { perSecond: 30, burst: 60 });

/** How many of so many connections are allowed, all at the same moment. */
function allowed(of: ConnectionRate, count: number, address: string | ((index: number) => string), now: number): number {
  return Array.from({ length: count }, (_, index) => of.allows(typeof address === 'string' ? address : address(index), now)).filter(Boolean)
    .length;
}

test('one source may open a burst, and then so many a second', () => {
  const subject = rate();
  expect(allowed(subject, 100, '192.0.2.1', 0)).toBe(20);
  expect(allowed(subject, 100, '192.0.2.1', 500)).toBe(5);
  expect(allowed(subject, 100, '192.0.2.1', 60_000)).toBe(20);
});

test('what one source is refused is not taken from another', () => {
  const subject = rate();
  allowed(subject, 10_000, '192.0.2.1', 0);
  expect(allowed(subject, 20, '192.0.2.2', 0)).toBe(20);
});

test('all sources together have a bound of their own', () => {
  const subject = rate();
  expect(allowed(subject, 1000, (index) => `192.0.2.${index % 250}`, 0)).toBe(60);
  expect(allowed(subject, 1000, (index) => `198.51.100.${index % 250}`, 1000)).toBe(30);
});

test('the addresses of one IPv6 network are one source', () => {
  expect(allowed(rate(), 100, (index) => `2001:db8:0:7::${index.toString(16)}`, 0)).toBe(20);
  expect(allowed(rate(), 100, (index) => `2001:db8:0:${index.toString(16)}::1`, 0)).toBe(60);
});

test('a clock that stands still or goes back gives nothing', () => {
  const subject = rate();
  allowed(subject, 20, '192.0.2.1', 1000);
  expect(allowed(subject, 10, '192.0.2.1', 0)).toBe(0);
});

test('the memory of sources has a bound', () => {
  const subject = rate();
  const before = heldBytes();
  for (let index = 0; index < 300_000; index += 1) subject.allows(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, index);
  expect(heldBytes() - before).toBeLessThan(8 * 1024 * 1024);
});
