import { SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { PerStream } from './cast-renderer.ts';
import type { Sealer, SealRequest } from './sealer.ts';
import { dropStretch, type RecordWriter, segmentSealed, setAside } from './segment-records.ts';

/** A segment whose record is durable. */
export interface RecordedNow {
  readonly session: string;
  readonly channel: number;
  readonly segment: number;
  /** No segment of this channel follows. */
  readonly last: boolean;
  /** How much binary content of the channel is kept up to its end: what the next stretch is rendered with. */
  readonly rawSpent: PerStream;
}

/**
 * Has a stretch sealed, recorded and then removed. Rejects when that fails, or has failed for so long that the session
 * must not go on; sealing itself goes on even then. A stretch that is at fault is kept under another name. `before`
 * settles when the stretch before this one is recorded: the records of a channel stand in the order of its segments.
 */
export function sealAndRecord(
  request: SealRequest,
  parts: { sealer: Sealer; records: RecordWriter; log: Log; recorded: (segment: RecordedNow) => void },
  before: Promise<unknown>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    complete(request, parts, before, reject).then(resolve, (thrown: unknown) => {
      const { session, channel, stretch } = request;
      parts.log.error({ session, channel, segment: stretch, err: thrown }, 'a segment could not be completed; its journal is kept');
      reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
    });
  });
}

async function complete(
  request: SealRequest,
  { sealer, records, recorded }: { sealer: Sealer; records: RecordWriter; recorded: (segment: RecordedNow) => void },
  before: Promise<unknown>,
  trouble: (error: SallyportError) => void,
): Promise<void> {
  const { journal, session, channel, stretch, last } = request;
  const sealed = await sealer.seal(request, trouble);
  await before.catch(() => undefined); // that it failed is told where it failed; this segment is no worse for it
  if (sealed.state === 'sealed') {
    await records.append(segmentSealed(sealed.segment, records));
    recorded({ session, channel, segment: stretch, last, rawSpent: sealed.segment.cast.rawSpent });
    if (sealed.segment.journal.state !== 'damaged') return dropStretch(journal);
  }
  const message = sealed.state === 'poison' ? sealed.message : 'it is damaged';
  const kept = await setAside(journal);
  throw new SallyportError(
    'RECORDING_FAILED',
    `Segment ${stretch} of session ${session}, channel ${channel}, could not be sealed to its end: ${message}`,
    { remedy: `the journal is kept as ${kept}` },
  );
}
