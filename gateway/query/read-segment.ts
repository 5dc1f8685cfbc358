import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import type { SegmentRow } from '../../contract/session.ts';
import { LineSplitter } from '../recording/line-splitter.ts';
import { segmentDamaged } from '../recording/segment-damaged.ts';
import { zstdFrames } from '../recording/zstd-frames.ts';

const decompress = promisify(zstdDecompress);

/** The sealer puts 256 KiB into a frame, and one line more. */
const MOST_FRAME_BYTES = 64 * 1024 * 1024;

/** The lines of a segment that is as it was sealed, each with its line feed. Throws RECORDING_DAMAGED if it holds no text. */
export async function* sealedLines(bytes: Buffer, segment: SegmentRow): AsyncGenerator<string> {
  const splitter = new LineSplitter();
  try {
    for (const frame of zstdFrames(bytes)) yield* splitter.push(await decompress(frame, { maxOutputLength: MOST_FRAME_BYTES }));
    yield* splitter.end();
  } catch (thrown) {
    throw segmentDamaged(segment, thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
}
