import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import type { SegmentRow } from '../../contract/session.ts';
import { isGone } from './errno-code.ts';

/** Far above what the sealer writes; a row that claims more is not read into memory. */
const MOST_BYTES = 256 * 1024 * 1024;

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
    const missing = isGone(thrown);
    return { bytes: undefined, fault: missing ? 'it is missing' : thrown instanceof Error ? thrown.message : String(thrown) };
  }
  if (bytes.length !== segment.bytes) return { bytes, fault: `it has ${bytes.length} bytes and was sealed with ${segment.bytes}` };
  if (createHash('sha256').update(bytes).digest('hex') !== segment.sha256)
    return { bytes, fault: 'its SHA-256 is not the one it was sealed with' };
  return { bytes, fault: undefined };
}
