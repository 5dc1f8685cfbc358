import { execFileSync } from 'node:child_process';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zstdFrames } from '../../gateway/recording/zstd-frames.ts';

const contents = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.nat(3_000_000).map((length) => new Uint8Array(length).fill(65)),
  ),
  { minLength: 1, maxLength: 5 },
);

describe('zstd frames', () => {
  it('are each found, whatever is in them', () => {
    fc.assert(
      fc.property(contents, (pieces) => {
        const frames = pieces.map((piece) => zstdCompressSync(piece));
        expect([...zstdFrames(Buffer.concat(frames))].map((frame) => zstdDecompressSync(frame).length)).toEqual(
          pieces.map((piece) => piece.length),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('of the zstd program are found too, with or without a checksum and a content size', () => {
    const big = Buffer.alloc(1_500_000, 'abc');
    const made = [['-1'], ['--no-check'], ['--ultra', '-20'], ['--no-content-size']].map((options) =>
      execFileSync('zstd', ['-qc', ...options], { input: big }),
    );
    const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const frames = [...zstdFrames(Buffer.concat([made[0] as Buffer, skippable, ...made.slice(1)]))];
    expect(frames.map((frame) => zstdDecompressSync(frame).equals(big))).toEqual([true, true, true, true]);
  });

  it('that are cut off are refused at every length', () => {
    const frame = zstdCompressSync('some text that is repeated, some text that is repeated');
    for (let length = 1; length < frame.length; length += 1) expect(() => [...zstdFrames(frame.subarray(0, length))]).toThrow(RangeError);
  });

  it('that are no frames are refused', () => {
    expect(() => [...zstdFrames(Buffer.from('this is plain text'))]).toThrow('no zstd frame begins at byte 0');
  });
});
