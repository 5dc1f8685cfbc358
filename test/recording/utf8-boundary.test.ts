import { isUtf8 } from 'node:buffer';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { incompleteTail, splitUtf8 } from '../../gateway/recording/utf8-boundary.ts';

const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.string({ unit: 'binary', maxLength: 90 }).map((text) => new Uint8Array(Buffer.from(text))),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts));

test('spans cover every byte once and in order, and alternate', () => {
  fc.assert(
    fc.property(bytes, (chunk) => {
      const spans = splitUtf8(chunk);
      let position = 0;
      for (const [index, span] of spans.entries()) {
        expect(span.start).toBe(position);
        expect(span.end).toBeGreaterThan(span.start);
        if (index > 0) expect(span.valid).not.toBe(spans[index - 1]?.valid);
        position = span.end;
      }
      expect(position).toBe(chunk.length);
    }),
    { numRuns: 500 },
  );
});

test('what is called valid is UTF-8, and what is called an island is not', () => {
  fc.assert(
    fc.property(bytes, (chunk) => {
      for (const { start, end, valid } of splitUtf8(chunk)) expect(isUtf8(chunk.subarray(start, end))).toBe(valid);
    }),
    { numRuns: 500 },
  );
});

test('islands with little text between them are one', () => {
  const chunk = Buffer.concat([
    Buffer.from([0xff]),
    Buffer.from('x'.repeat(63)),
    Buffer.from([0xff]),
    Buffer.from('y'.repeat(64)),
    Buffer.from([0xff]),
  ]);
  expect(splitUtf8(chunk).map(({ start, end, valid }) => [start, end, valid])).toEqual([
    [0, 65, false],
    [65, 129, true],
    [129, 130, false],
  ]);
});

test.each([
  ['', 0],
  ['41', 0],
  ['c3', 1],
  ['e282', 2],
  ['f09f98', 3],
  ['f09f9880', 0],
  ['41e2', 1],
  ['80', 0],
  ['ff', 0],
  ['c3a9', 0],
])('the bytes %s end with %i bytes of a sequence that goes on', (hex, tail) => {
  expect(incompleteTail(Buffer.from(hex, 'hex'))).toBe(tail);
});
