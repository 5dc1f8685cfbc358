import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import type { SegmentRow } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';
import { LineSplitter } from './line-splitter.ts';
import { zstdFrames } from './zstd-frames.ts';

const decompress = promisify(zstdDecompress);

/** Far above what the sealer writes; a row that claims more is not read into memory. */
const MOST_BYTES = 256 * 1024 * 1024;

/** The sealer puts 256 KiB into a frame, and one line more. */
const MOST_FRAME_BYTES = 64 * 1024 * 1024;

/** A sealed segment as it stands on the disk. `fault` says how it differs from its seal; then its bytes prove nothing. */
export type SegmentOnDisk = { bytes: Buffer; fault: undefined } | { bytes: Buffer | undefined; fault: string };

/** Reads a segment and compares it with its seal. */
export async function readSegmentFile(dataDirectory: string, segment: SegmentRow): Promise<SegmentOnDisk> {
  const file = normalize(segment.file);
  if (file.startsWith('..') || file.startsWith('/')) return { bytes: undefined, fault: 'its path leads out of the data directory' };
  let bytes: Buffer;
  try {
    const handle = await open(join(dataDirectory, file));
    try {
      const { size } = await handle.stat();
      if (size > MOST_BYTES) return { bytes: undefined, fault: `it has ${size} bytes and was sealed with ${segment.bytes}` };
      bytes = await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    const missing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    return { bytes: undefined, fault: missing ? 'it is missing' : thrown instanceof Error ? thrown.message : String(thrown) };
  }
  if (bytes.length !== segment.bytes) return { bytes, fault: `it has ${bytes.length} bytes and was sealed with ${segment.bytes}` };
  if (createHash('sha256').update(bytes).digest('hex') !== segment.sha256)
    return { bytes, fault: 'its SHA-256 is not the one it was sealed with' };
  return { bytes, fault: undefined };
}

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

export function segmentDamaged(segment: SegmentRow, what: string, cause?: unknown): SallyportError {
  return new SallyportError('RECORDING_DAMAGED', `Segment ${segment.file} is damaged: ${what}`, {
    remedy: 'restore that file from a backup; everything else still plays',
    ...(cause === undefined ? {} : { cause }),
  });
}
