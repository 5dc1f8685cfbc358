import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFrame, type Frame, FrameEncoder, MAX_PAYLOAD_BYTES } from '../../contract/frame-codec.ts';
import { nodeCodecHost } from '../../gateway/recording/codec-host.ts';

const nanos = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const word = fc.nat({ max: 2 ** 32 - 1 });
const json = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);
const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constant('header' as const), at: nanos, header: json }),
  fc.record({
    kind: fc.constant('data' as const),
    at: nanos,
    stream: fc.constantFrom('i' as const, 'o' as const, 'e' as const),
    bytes: fc.uint8Array({ maxLength: 9000, size: 'max' }),
  }),
  fc.record({ kind: fc.constant('resize' as const), at: nanos, cols: word, rows: word }),
  fc.record({ kind: fc.constant('exit' as const), at: nanos, status: word }),
  fc.record({ kind: fc.constant('clock' as const), at: nanos, wallMicros: nanos }),
  fc
    .record({ at: nanos, event: json, t: fc.string(), marker: fc.option(fc.string(), { nil: undefined }) })
    .map(({ at, event, t, marker }): Frame => ({ kind: 'event', at, event: { ...event, t }, ...(marker === undefined ? {} : { marker }) })),
);

function encode(frames: readonly Frame[]): Buffer {
  return Buffer.concat(new FrameEncoder(nodeCodecHost, 16 * 1024).encode(frames));
}

/** The frames up to the first that is not whole and good, where each ends, and what stopped the reader. */
function decodeAll(bytes: Uint8Array): { frames: Frame[]; ends: number[]; stopped: 'incomplete' | 'corrupt' } {
  const frames: Frame[] = [];
  const ends: number[] = [];
  for (let offset = 0; ; ) {
    const decoded = decodeFrame(bytes, offset, nodeCodecHost);
    if (typeof decoded === 'string') return { frames, ends, stopped: decoded };
    frames.push(decoded.frame);
    ends.push(decoded.end);
    offset = decoded.end;
  }
}

/** Buffers and Uint8Arrays with the same bytes are equal. */
function plain(frames: readonly Frame[]): unknown[] {
  return frames.map((frame) => (frame.kind === 'data' ? { ...frame, bytes: [...frame.bytes] } : frame));
}

test('frames come back as they were written', () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 12 }), (frames) => {
      expect(plain(decodeAll(encode(frames)).frames)).toEqual(plain(frames));
    }),
    { numRuns: 300 },
  );
});

test('a file cut anywhere keeps every frame that was whole, and the rest is incomplete', () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 6 }), fc.double({ min: 0, max: 1, noNaN: true }), (frames, where) => {
      const bytes = encode(frames);
      const { ends } = decodeAll(bytes);
      const cut = Math.floor(where * (bytes.length - 1));
      const seen = decodeAll(bytes.subarray(0, cut));
      expect(plain(seen.frames)).toEqual(plain(frames.slice(0, ends.filter((end) => end <= cut).length)));
      expect(seen.stopped).toBe('incomplete');
    }),
    { numRuns: 300 },
  );
});

test('one changed bit anywhere keeps every frame before it and gives none that was not written', () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { minLength: 1, maxLength: 5 }),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      fc.nat({ max: 7 }),
      (frames, where, bit) => {
        const bytes = encode(frames);
        const { ends } = decodeAll(bytes);
        const at = Math.floor(where * bytes.length);
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        const whole = ends.filter((end) => end <= at).length;
        expect(plain(decodeAll(bytes).frames)).toEqual(plain(frames.slice(0, whole)));
      },
    ),
    { numRuns: 500 },
  );
});

test('random bytes are no frame', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 4000, size: 'max' }), (bytes) => {
      expect(decodeAll(bytes).frames).toEqual([]);
    }),
  );
});

test('data longer than a frame may be becomes several frames with the same bytes', () => {
  const bytes = Buffer.alloc(2 * MAX_PAYLOAD_BYTES + 7, 'x');
  const { frames } = decodeAll(encode([{ kind: 'data', at: 5, stream: 'e', bytes }]));
  expect(frames).toHaveLength(3);
  expect(Buffer.concat(frames.map((frame) => (frame.kind === 'data' ? frame.bytes : Buffer.alloc(0)))).equals(bytes)).toBe(true);
});

test('an empty chunk of data is a frame of its own', () => {
  expect(plain(decodeAll(encode([{ kind: 'data', at: 5, stream: 'i', bytes: new Uint8Array(0) }])).frames)).toEqual([
    { kind: 'data', at: 5, stream: 'i', bytes: [] },
  ]);
});

test.each<[string, Frame]>([
  ['an event over the limit', { kind: 'event', at: 0, event: { t: 'x', text: 'x'.repeat(MAX_PAYLOAD_BYTES) } }],
  ['a negative time', { kind: 'clock', at: -1, wallMicros: 0 }],
  ['a size that is no unsigned number', { kind: 'resize', at: 0, cols: -1, rows: 2 }],
  ['an exit status of more than 32 bits', { kind: 'exit', at: 0, status: 2 ** 32 }],
])('%s is refused rather than written wrongly', (_, frame) => {
  expect(() => encode([frame])).toThrow(RangeError);
});

test('a length that claims more than a frame may have is corrupt at once, not waited for', () => {
  const bytes = encode([{ kind: 'clock', at: 0, wallMicros: 1 }]);
  bytes.writeUInt32LE(MAX_PAYLOAD_BYTES + 1, 4);
  expect(decodeAll(bytes).stopped).toBe('corrupt');
});

test('large payloads are handed over by reference, small frames share a buffer', () => {
  const large = Buffer.alloc(32 * 1024);
  const buffers = new FrameEncoder(nodeCodecHost).encode([
    { kind: 'data', at: 1, stream: 'o', bytes: Buffer.from('a') },
    { kind: 'data', at: 2, stream: 'o', bytes: Buffer.from('b') },
    { kind: 'data', at: 3, stream: 'o', bytes: large },
  ]);
  expect(buffers).toHaveLength(2);
  expect(buffers[1]).toBe(large);
});
