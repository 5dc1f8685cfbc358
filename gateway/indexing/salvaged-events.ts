import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { CastParser } from '../../contract/replay/parse-segment.ts';
import { micros } from '../../contract/replay/segment-source.ts';
import type { SegmentRow } from '../../contract/session.ts';
import type { SallyportError } from '../base/errors.ts';
import { readAround } from '../recording/read-around.ts';
import type { SegmentOnDisk } from '../recording/segment-on-disk.ts';

/** What is wrong with a recording, from one moment of it (microseconds) to another. */
export interface FoundDamage {
  readonly from: number;
  readonly to: number;
  readonly error: SallyportError;
}

export interface SalvagedEvents {
  readonly events: readonly CastEvent[];
  readonly damage: readonly FoundDamage[];
  /** Of the text that could be read. */
  readonly length: number;
}

/**
 * What can be read of a segment that is not as it was sealed, at its right time, with damage as an event where something
 * is missing: the one way for all who show such a segment, so that they show the same. Whatever it says itself, none of
 * it is later than the segment was sealed with: what comes after it would have to wait for that.
 */
export async function salvagedEvents(segment: SegmentRow, { bytes, fault = 'it cannot be read' }: SegmentOnDisk): Promise<SalvagedEvents> {
  const events: CastEvent[] = [];
  const damage: FoundDamage[] = [];
  const end = micros(segment.to);
  const take = (parser: CastParser) => {
    for (const event of parser.events) events.push(event.at <= end ? event : { ...event, at: end });
  };
  let length = 0;
  let parser = new CastParser(micros(segment.from), false);
  for await (const part of readAround(segment, bytes, fault, { begins: micros(segment.from) * 1000, ends: segment.to })) {
    if (part.kind === 'line') {
      parser.push(part.line);
      length += part.line.length;
      continue;
    }
    take(parser);
    const from = Math.min(parser.at, end);
    const to = Math.min(from + Math.round(part.missingNanos / 1000), end);
    parser = new CastParser(to, false);
    events.push({ kind: 'damage', at: from, until: to, words: part.error.message });
    damage.push({ from, to, error: part.error });
  }
  take(parser);
  return { events, damage, length };
}
