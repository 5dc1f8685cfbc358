import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { freshList, isOutOfOrder, type Listed, neighbour, nextList } from '../../../renderer/app/approvals/steady-list.ts';
import { requested } from './request.ts';

const expiring = (minute: number) => requested({ expires: `2026-03-01T09:${String(minute).padStart(2, '0')}:00.000000Z` });
const ids = (listed: readonly Listed[]) => listed.map(({ approval, over }) => `${approval.request.id.slice(-3)}${over ? ' over' : ''}`);
const idOf = (listed: readonly Listed[], at: number) => listed[at]?.approval.request.id ?? '';

describe('the list of what waits', () => {
  const [first, second, third, urgent] = [expiring(40), expiring(45), expiring(50), expiring(31)];

  test('begins with the next to expire', () => {
    expect(freshList([third, first, second]).map(({ approval }) => approval)).toEqual([first, second, third]);
  });

  test('what is selected keeps its place when something more urgent comes: that comes behind it', () => {
    const before = freshList([first, second, third]);
    const after = nextList(before, [first, second, third, urgent], second.request.id);
    expect(after.map(({ approval }) => approval)).toEqual([first, second, urgent, third]);
    expect(isOutOfOrder(after)).toBe(true);
    expect(isOutOfOrder(before)).toBe(false);
  });

  test('what is selected stays when it is over, as that', () => {
    const after = nextList(freshList([first, second, third]), [first, third], second.request.id);
    expect(ids(after)).toEqual(
      ids([
        { approval: first, over: false },
        { approval: second, over: true },
        { approval: third, over: false },
      ]),
    );
    // And it stays so while nothing else is selected.
    expect(ids(nextList(after, [first], second.request.id))).toEqual(ids(after.slice(0, 2)));
  });

  test('what is over before the selected one stays as well, and what is over behind it leaves', () => {
    const after = nextList(freshList([first, second, third]), [second], second.request.id);
    expect(ids(after)).toEqual(
      ids([
        { approval: first, over: true },
        { approval: second, over: false },
      ]),
    );
  });

  test('without a selection it is in order', () => {
    expect(nextList(freshList([second, third]), [third, urgent], undefined)).toEqual(freshList([urgent, third]));
  });

  test('whatever comes and goes, the selected one and all before it stay where they are', () => {
    const all = Array.from({ length: 8 }, (_, at) => expiring(10 + at));
    const some = fc.subarray(all);
    fc.assert(
      fc.property(some, fc.array(some, { maxLength: 6 }), fc.nat(), (begin, changes, pick) => {
        let listed = freshList(begin);
        const selected = listed.length === 0 ? undefined : idOf(listed, pick % listed.length);
        const at = listed.findIndex(({ approval }) => approval.request.id === selected);
        const before = listed.slice(0, at + 1).map(({ approval }) => approval.request.id);
        for (const waiting of changes) {
          listed = nextList(listed, waiting, selected);
          expect(listed.slice(0, at + 1).map(({ approval }) => approval.request.id)).toEqual(before);
          expect(new Set(listed.map(({ approval }) => approval.request.id)).size).toBe(listed.length);
          for (const { approval, over } of listed) expect(waiting.includes(approval)).toBe(!over);
        }
      }),
    );
  });
});

describe('moving by keys', () => {
  const listed = freshList([expiring(10), expiring(11), expiring(12)]);
  test('goes to the neighbour, and stops at the ends', () => {
    expect(neighbour(listed, idOf(listed, 0), 1)).toBe(idOf(listed, 1));
    expect(neighbour(listed, idOf(listed, 2), 1)).toBe(idOf(listed, 2));
    expect(neighbour(listed, idOf(listed, 0), -1)).toBe(idOf(listed, 0));
  });
  test('begins at the first', () => {
    expect(neighbour(listed, undefined, 1)).toBe(idOf(listed, 0));
    expect(neighbour([], undefined, 1)).toBeUndefined();
  });
});
