import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askedBytes, isNamedIn } from '../../../gateway/operator-api/recordings/byte-range.ts';

const etag = '"abc"';
const ask = (range: string | undefined, length: number, ifRange?: string) => askedBytes({ range, ifRange, etag, length });

describe('a range of bytes (RFC 9110, section 14)', () => {
  // Section 14.1.2: "assuming a representation of length 10000".
  test.each<[string, number, unknown]>([
    ['bytes=0-499', 10_000, { from: 0, to: 500 }],
    ['bytes=500-999', 10_000, { from: 500, to: 1000 }],
    ['bytes=-500', 10_000, { from: 9500, to: 10_000 }],
    ['bytes=9500-', 10_000, { from: 9500, to: 10_000 }],
    ['bytes=0-0', 10_000, { from: 0, to: 1 }],
    ['bytes=9999-9999', 10_000, { from: 9999, to: 10_000 }],
    ['bytes=9990-20000', 10_000, { from: 9990, to: 10_000 }],
    ['bytes=-20000', 10_000, { from: 0, to: 10_000 }],
    ['BYTES=0-1', 10_000, { from: 0, to: 2 }],
    ['bytes= 0-1 , ', 10_000, { from: 0, to: 2 }],
    ['bytes=10000-', 10_000, 'unsatisfiable'],
    ['bytes=10000-10001', 10_000, 'unsatisfiable'],
    ['bytes=-0', 10_000, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-1', 0, 'unsatisfiable'],
    ['bytes=99999999999999999999999999-', 10_000, 'unsatisfiable'],
    ['bytes=10000-, 20000-', 10_000, 'unsatisfiable'],
  ])('%s of %i', (range, length, expected) => {
    expect(ask(range, length)).toEqual(expected);
  });

  test.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=,',
    'bytes=1',
    'bytes=a-b',
    'bytes=5-4',
    'bytes=0-1,5-4',
    'bytes=0-1;2-3',
    'bytes=+0-1',
    'bytes=0x0-0x1',
    'bytes=0-1\n',
    'bytes=１-２',
    'lines=0-1',
    'octets=0-1',
    'bytes=0-0,-1',
    'bytes=500-600,601-999',
    'bytes=0-1,20000-',
    `bytes=${Array.from({ length: 10_000 }, () => '0-').join(',')}`,
    `bytes=${'0-1,'.repeat(300)}`,
  ])('is none, or more than one, and all of it is answered: %s', (range) => {
    expect(ask(range, 10_000)).toBe('whole');
  });

  test('is only taken where it is of what the client has (section 13.1.5)', () => {
    expect(ask('bytes=0-1', 10, etag)).toEqual({ from: 0, to: 2 });
    for (const other of ['"abd"', 'W/"abc"', 'abc', 'Wed, 21 Oct 2026 07:28:00 GMT', '', '*'])
      expect(ask('bytes=0-1', 10, other)).toBe('whole');
    expect(ask('bytes=10-', 10, '"other"')).toBe('whole');
  });

  test('is always within what there is, and what a slice is', () => {
    const part = fc.oneof(fc.nat(300).map(String), fc.constant(''), fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String));
    fc.assert(
      fc.property(part, part, fc.nat(200), (first, last, length) => {
        const asked = ask(`bytes=${first}-${last}`, length);
        if (typeof asked === 'string') return asked === 'whole' || asked === 'unsatisfiable';
        const all = Array.from({ length }, (_, index) => index);
        const expected =
          first === ''
            ? Number(last) === 0
              ? []
              : all.slice(-Number(last))
            : all.slice(Number(first), last === '' ? undefined : Number(last) + 1);
        expect(all.slice(asked.from, asked.to)).toEqual(expected);
        return asked.from < asked.to && asked.to <= length;
      }),
    );
  });
});

test('entity tags are compared as the header says', () => {
  expect(isNamedIn('*', etag, 'strong')).toBe(true);
  expect(isNamedIn('"x", "abc"', etag, 'strong')).toBe(true);
  expect(isNamedIn('W/"abc"', etag, 'weak')).toBe(true);
  expect(isNamedIn('W/"abc"', etag, 'strong')).toBe(false);
  for (const header of [undefined, '', 'abc', '"ab', '"abc', '"x", "abcd"']) expect(isNamedIn(header, etag, 'weak')).toBe(false);
});
