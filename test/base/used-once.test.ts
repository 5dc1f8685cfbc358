import { expect, test } from 'vitest';
import { UsedOnce } from '../../gateway/base/used-once.ts';

test('what may be used once is remembered until it expires, and no more is taken when there is no room', () => {
  const used = new UsedOnce(1000);
  for (let count = 0; count < 1000; count += 1) expect(used.take(`n${count}`, 100, 0)).toBe('taken');
  expect(used.take('n0', 100, 0)).toBe('used');
  expect(used.take('more', 100, 0)).toBe('full');
  expect(used.take('more', 200, 101)).toBe('taken');
  expect(used.take('n0', 200, 101)).toBe('taken');
  expect(used.remembered).toBe(2);
});
