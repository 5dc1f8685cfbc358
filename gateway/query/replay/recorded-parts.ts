import type { Part } from '../../../contract/replay/part.ts';
import type { SegmentRow } from '../../../contract/session.ts';
import { readPart } from '../../indexing/sidecar-file.ts';

/** Files that are read at the same time: the system's pool has four threads, and each wants its next one at once. */
const AT_ONCE = 16;

/** The parts that there are of these segments, by number. Segments without one can be played as well. */
export async function recordedParts(
  dataDirectory: string,
  session: string,
  channel: number,
  segments: readonly SegmentRow[],
): Promise<Map<number, Part>> {
  const parts = new Map<number, Part>();
  const rows = segments.values();
  const readOn = async () => {
    for (const { segment, sha256 } of rows) {
      const part = await readPart(dataDirectory, session, channel, segment, sha256);
      if (part !== undefined) parts.set(segment, part);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, readOn));
  return parts;
}
