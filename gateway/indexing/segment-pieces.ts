import { zstdDecompressSync } from 'node:zlib';
import { type ParsedSegment, parsePiece } from '../../contract/replay/parse-segment.ts';
import type { Piece } from '../../contract/replay/part.ts';
import { zstdFrames } from '../recording/zstd-frames.ts';

/** The sealer puts 256 KiB into a frame, and one line more. */
const MOST_PIECE_BYTES = 17 * 1024 * 1024;

export interface SegmentPiece {
  readonly place: Piece;
  readonly parsed: ParsedSegment;
}

/**
 * A sealed segment piece by piece: a piece is a zstd frame, which holds whole lines. `from` is where the segment begins,
 * microseconds since the channel opened. Throws where the bytes are no segment.
 */
export function* segmentPieces(bytes: Buffer, from: number): Generator<SegmentPiece> {
  let before = { to: from, error: false };
  let at = 0;
  for (const frame of zstdFrames(bytes)) {
    const content = zstdDecompressSync(frame, { maxOutputLength: MOST_PIECE_BYTES });
    const frameAt = frame.byteOffset - bytes.byteOffset;
    const place = { from: before.to, at, bytes: content.length, frameAt, frameBytes: frame.length, error: before.error };
    const parsed = parsePiece(content.toString('utf8'), before.to, before.error);
    yield { place, parsed };
    before = parsed;
    at += content.length;
  }
}
