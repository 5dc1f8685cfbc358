import { describe, expect, it } from 'vitest';
import { queryOf } from '../../../renderer/app/replay/find/query-of.ts';
import { spokenSpan } from '../../../renderer/app/replay/spoken-span.ts';
import { shareWords } from '../../../renderer/app/review/share-words.ts';

describe('words that are looked for', () => {
  it.each([
    ['root', '*root*'],
    ['ls', 'ls'],
    ['permission  denied ', '"permission denied"'],
    ['"exactly this"', '"exactly this"'],
    ['perm*', 'perm*'],
    ['  ', undefined],
  ])('%j are asked for as %j', (words, query) => expect(queryOf(words)).toBe(query));
});

describe('how much was watched', () => {
  it.each([
    [0, 10e9, '0 %, 0:00 of 0:10'],
    [1e6, 100e9, 'less than 1 %, 0:00 of 1:40'],
    [99.9e9, 100e9, '99 %, 1:39 of 1:40'],
    [100e9, 100e9, 'all of it'],
    [0, 0, 'there is nothing to watch'],
  ])('%d of %d nanoseconds is %j', (seen, of, words) => expect(shareWords(seen, of)).toBe(words));
});

describe('a length that is read aloud', () => {
  it.each([
    [0, '0 seconds'],
    [1_000_000, '1 second'],
    [125_000_000, '2 minutes 5 seconds'],
    [7_265_000_000, '2 hours 1 minute'],
  ])('%d is %j', (micros, words) => expect(spokenSpan(micros)).toBe(words));
});
