import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
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

/**
 * The lines of a sealed segment, each with its line feed. The file is compared with its seal before the first line is
 * given out: what comes from here is what was recorded. Throws RECORDING_DAMAGED naming the file and the fault.
 */
export async function* readSegment(dataDirectory: string, segment: SegmentRow): AsyncGenerator<string> {
  const compressed = await sealedBytes(dataDirectory, segment);
  const splitter = new LineSplitter();
  try {
    for (const frame of zstdFrames(compressed)) yield* splitter.push(await decompress(frame, { maxOutputLength: MOST_FRAME_BYTES }));
    yield* splitter.end();
  } catch (thrown) {
    throw damaged(segment, thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
}

async function sealedBytes(dataDirectory: string, segment: SegmentRow): Promise<Buffer> {
  const file = normalize(segment.file);
  if (file.startsWith('..') || file.startsWith('/')) throw damaged(segment, 'its path leads out of the data directory');
  const path = join(dataDirectory, file);
  let bytes: Buffer;
  try {
    const { size } = await stat(path);
    if (size !== segment.bytes) throw damaged(segment, `it has ${size} bytes and was sealed with ${segment.bytes}`);
    if (size > MOST_BYTES) throw damaged(segment, `it claims ${size} bytes`);
    bytes = await readFile(path);
  } catch (thrown) {
    if (thrown instanceof SallyportError) throw thrown;
    const missing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    throw damaged(segment, missing ? 'it is missing' : thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
  if (createHash('sha256').update(bytes).digest('hex') !== segment.sha256)
    throw damaged(segment, 'its SHA-256 is not the one it was sealed with');
  return bytes;
}

function damaged(segment: SegmentRow, what: string, cause?: unknown): SallyportError {
  return new SallyportError('RECORDING_DAMAGED', `Segment ${segment.file} is damaged: ${what}`, {
    remedy: 'restore that file from a backup; everything else still plays',
    ...(cause === undefined ? {} : { cause }),
  });
}
