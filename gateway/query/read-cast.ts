import type { SegmentRow } from '../../contract/session.ts';
import { asSallyportError } from '../base/errors.ts';
import type { PerStream } from '../recording/cast-renderer.ts';
import { intervalOf, wholeSteps } from '../recording/cast-time.ts';
import { isGone } from '../recording/errno-code.ts';
import { asParts, type CastPart, partMissing, readAround } from '../recording/read-around.ts';
import { readSegmentFile } from '../recording/segment-on-disk.ts';
import type { Database } from '../store/database.ts';
import { type CastSource, castSources } from './cast-source.ts';
import { sealedLines } from './read-segment.ts';
import { readStretch } from './read-stretch.ts';

export type { CastPart } from '../recording/read-around.ts';

/**
 * A channel's recording as lines of asciicast v3: the sealed segments in order, then what still stands in the journal,
 * so that it works while the session runs, after it, and after a crash. Damage is a part of the answer, never the end
 * of it: what is intact around it is given out at its right time. Memory: one compressed segment and one frame of it.
 */
export async function* readCast(database: Database, session: string, channel: number): AsyncGenerator<CastPart> {
  let rawSpent: PerStream = { i: 0, o: 0, e: 0 };
  const sources = await castSources(database, session, channel);
  const position = { nanos: 0 };
  for (const [index, source] of sources.entries()) {
    const reading = { database, session, channel, source, rawSpent, position, ends: endOf(sources, index) };
    const parts = readSource(reading);
    try {
      let step = await parts.next();
      for (; step.done !== true; step = await parts.next()) {
        position.nanos += step.value.kind === 'line' ? intervalOf(step.value.line) : step.value.missingNanos;
        yield step.value;
      }
      rawSpent = step.value;
    } catch (thrown) {
      const error = asSallyportError(thrown, 'RECORDING_DAMAGED');
      const missingNanos = rest(reading);
      position.nanos += missingNanos;
      yield { kind: 'damage', part: source.number, error, missingNanos };
    } finally {
      await parts.return(rawSpent); // A reader that stops early leaves no file open.
    }
  }
}

interface Reading {
  database: Database;
  session: string;
  channel: number;
  source: CastSource;
  rawSpent: PerStream;
  /** How much of the recording has been given out. */
  position: { readonly nanos: number };
  /** Where this source ends, as far as its seal or its neighbour tells. */
  ends: number | undefined;
}

async function* readSource(reading: Reading): AsyncGenerator<CastPart, PerStream> {
  const { database, session, channel, source, rawSpent } = reading;
  const { sealed, journal } = source;
  if (sealed !== undefined) {
    const { bytes, fault } = await readSegmentFile(database.directory, sealed);
    if (fault === undefined) {
      yield* asParts(sealedLines(bytes, sealed));
      return rawSpent;
    }
    // The stretch that the segment was made of may still be there, and says the same.
    if (journal === undefined) {
      yield* around(reading, sealed, bytes, fault);
      return rawSpent;
    }
  }
  if (journal === undefined) throw partMissing(session, channel, source.number);
  try {
    return yield* asParts(readStretch(journal, rawSpent));
  } catch (thrown) {
    if (!isGone(thrown)) throw thrown;
    // A stretch is dropped from the journal once it is sealed, which has happened since it was listed.
    const segment = (await database.segments.ofChannel(session, channel)).find((row) => row.segment === source.number);
    if (segment === undefined) throw partMissing(session, channel, source.number);
    const { bytes, fault } = await readSegmentFile(database.directory, segment);
    if (fault === undefined) yield* asParts(sealedLines(bytes, segment));
    else yield* around({ ...reading, ends: segment.to }, segment, bytes, fault);
    return rawSpent;
  }
}

function around({ position, ends }: Reading, segment: SegmentRow, bytes: Buffer | undefined, fault: string): AsyncGenerator<CastPart> {
  return readAround(segment, bytes, fault, { begins: position.nanos, ends });
}

/** How much of the source's time has not been given out. */
function rest({ ends, position }: Reading): number {
  return ends === undefined ? 0 : Math.max(0, wholeSteps(ends) - position.nanos);
}

function endOf(sources: readonly CastSource[], index: number): number | undefined {
  return sources[index + 1]?.sealed?.from ?? sources[index]?.sealed?.to;
}
