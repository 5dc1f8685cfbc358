import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { PerStream } from '../recording/cast-renderer.ts';
import type { Database } from '../store/database.ts';
import { type CastSource, castSources } from './cast-source.ts';
import { readSegment } from './read-segment.ts';
import { readStretch } from './read-stretch.ts';

/** A line of a cast with its line feed, or the news that a part of the recording could not be read and is left out. */
export type CastPart = { kind: 'line'; line: string } | { kind: 'damage'; part: number; error: SallyportError; missingNanos: number };

/**
 * A channel's recording as lines of asciicast v3: the sealed segments in order, then what still stands in the journal,
 * so that it works while the session runs, after it, and after a crash. Damage is a part of the answer, never the end
 * of it. Memory: one compressed segment and one line.
 */
export async function* readCast(database: Database, session: string, channel: number): AsyncGenerator<CastPart> {
  let rawSpent: PerStream = { i: 0, o: 0, e: 0 };
  const sources = await castSources(database, session, channel);
  for (const [index, source] of sources.entries()) {
    const lines = readSource(database, session, channel, source, rawSpent);
    try {
      let step = await lines.next();
      for (; step.done !== true; step = await lines.next()) yield { kind: 'line', line: step.value };
      rawSpent = step.value;
    } catch (thrown) {
      const error = thrown instanceof SallyportError ? thrown : asSallyportError(thrown, 'RECORDING_DAMAGED');
      yield { kind: 'damage', part: source.number, error, missingNanos: missingNanos(sources, index) };
    } finally {
      await lines.return(rawSpent); // A reader that stops early leaves no file open.
    }
  }
}

async function* readSource(
  database: Database,
  session: string,
  channel: number,
  source: CastSource,
  rawSpent: PerStream,
): AsyncGenerator<string, PerStream> {
  const { sealed, journal } = source;
  if (sealed !== undefined) {
    try {
      yield* readSegment(database.directory, sealed);
      return rawSpent;
    } catch (thrown) {
      if (journal === undefined) throw thrown; // Otherwise the stretch it was made of is still there and says the same.
    }
  }
  if (journal === undefined) throw missing(session, channel, source.number);
  try {
    return yield* readStretch(journal, rawSpent);
  } catch (thrown) {
    if (!isGone(thrown)) throw thrown;
    // A stretch is dropped from the journal once it is sealed, which has happened since it was listed.
    const segment = (await database.segments.ofChannel(session, channel)).find((row) => row.segment === source.number);
    if (segment === undefined) throw missing(session, channel, source.number);
    yield* readSegment(database.directory, segment);
    return rawSpent;
  }
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}

function missing(session: string, channel: number, number: number): SallyportError {
  return new SallyportError(
    'RECORDING_DAMAGED',
    `Part ${number} of the recording of channel ${channel} of session ${session} is missing: it is neither sealed nor in the journal`,
    {
      remedy: 'restore the data directory from a backup; everything else still plays',
    },
  );
}

/** How much time of the recording the part covers, as far as its seal or its neighbours tell. */
function missingNanos(sources: readonly CastSource[], index: number): number {
  const sealed = sources[index]?.sealed;
  const from = sealed?.from ?? sources[index - 1]?.sealed?.to;
  const to = sources[index + 1]?.sealed?.from ?? sealed?.to;
  return from === undefined || to === undefined ? 0 : Math.max(0, to - from);
}
