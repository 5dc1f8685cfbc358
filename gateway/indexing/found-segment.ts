import { createHash } from 'node:crypto';
import { micros } from '../../contract/replay/segment-source.ts';
import type { SegmentRow } from '../../contract/session.ts';
import { readSegmentFile, type SegmentOnDisk } from '../recording/segment-on-disk.ts';
import { salvagedEvents } from './salvaged-events.ts';
import { type SegmentPiece, segmentPieces } from './segment-pieces.ts';

/** A segment as it was found. */
export interface FoundSegment {
  readonly pieces: Iterable<SegmentPiece>;
  /** Where it is not as it was sealed, how not: then what can be read of it is one piece. */
  readonly fault: string | undefined;
  /** Then as well, as its part says it. */
  readonly damaged: string | undefined;
}

export async function findSegment(dataDirectory: string, row: SegmentRow): Promise<FoundSegment> {
  const read = await readSegmentFile(dataDirectory, row);
  const from = micros(row.from);
  if (read.fault === undefined) return { pieces: segmentPieces(read.bytes, from), fault: undefined, damaged: undefined };
  const { events, length } = await salvagedEvents(row, read);
  const place = { from, at: 0, bytes: length, frameAt: 0, frameBytes: 0, error: false };
  const parsed = { header: undefined, events: [...events], to: micros(row.to), error: false };
  return { pieces: [{ place, parsed }], fault: read.fault, damaged: hashOf(read) };
}

/** The same, without making anything of it. */
export async function damageOf(dataDirectory: string, row: SegmentRow): Promise<string | undefined> {
  const read = await readSegmentFile(dataDirectory, row);
  return read.fault === undefined ? undefined : hashOf(read);
}

function hashOf({ bytes }: SegmentOnDisk): string {
  return bytes === undefined ? '' : createHash('sha256').update(bytes).digest('hex');
}
