import { createHash } from 'node:crypto';
import type { SegmentRow } from '../../../contract/session.ts';
import { SallyportError } from '../../base/errors.ts';
import { intervalOf, timeWords, wholeSteps } from '../../recording/cast-time.ts';
import { readSegmentFile } from '../../recording/segment-on-disk.ts';
import type { CastPart } from '../read-cast.ts';
import { sealedLines } from '../read-segment.ts';
import type { ChannelFacts, Seal } from './session-seals.ts';

/** Where segments are read from, by an export that tells how far it has come and that can be ended. */
export interface SegmentSource {
  directory: string;
  signal: AbortSignal;
  /** Told of each segment, when it is read, how large it is. */
  onRead: (bytes: number) => void;
}

/** One part of a recording in a bundle: a segment that is as it was sealed, or the news that there is none. */
export interface SealedPart {
  segment: number;
  seal: Seal | undefined;
  /** Of its text, counted now. */
  text: { bytes: number; lines: number; sha256: string };
  /** Why the segment is not in the bundle. */
  damage: string | undefined;
}

/**
 * Looks at every segment of a channel before anything of it is written: whether its file is as it was sealed, and its
 * text too. A number that is missing between others is a part as well. Memory: one compressed segment.
 */
export async function inspectChannel(source: SegmentSource, channel: ChannelFacts): Promise<SealedPart[]> {
  const seals = new Map(channel.seals.map((seal) => [seal.segment, seal]));
  const parts: SealedPart[] = [];
  const last = channel.seals.at(-1)?.segment ?? 0;
  for (let segment = 1; segment <= last; segment += 1) {
    const seal = seals.get(segment);
    const nothing = { bytes: 0, lines: 0, sha256: '' };
    if (seal === undefined) {
      parts.push({ segment, seal, text: nothing, damage: `Segment ${segment} is missing: no seal of it is on record` });
      continue;
    }
    try {
      const text = await textOf(source, channel.row.session, seal);
      const asSealed = seal.text === undefined || (seal.text.sha256 === text.sha256 && seal.text.lines === text.lines);
      const damage = asSealed ? undefined : damageOf(seal, 'its text is not the one that was sealed');
      parts.push({ segment, seal, text, damage });
    } catch (thrown) {
      if (!(thrown instanceof SallyportError) || thrown.code !== 'RECORDING_DAMAGED') throw thrown;
      parts.push({ segment, seal, text: nothing, damage: thrown.message });
    }
  }
  return parts;
}

/** The lines of a segment, each with its line feed. Throws RECORDING_DAMAGED when it is not as it was sealed. */
export async function* sealLines(source: SegmentSource, session: string, seal: Seal): AsyncGenerator<string> {
  source.signal.throwIfAborted();
  source.onRead(seal.bytes);
  const row = rowOf(session, seal);
  const { bytes, fault } = await readSegmentFile(source.directory, row);
  if (fault !== undefined) throw new SallyportError('RECORDING_DAMAGED', damageOf(seal, fault));
  yield* sealedLines(bytes, row);
}

/**
 * A channel as the parts of a cast: what is there, and in the place of what is not, how long it was. A segment that
 * changes on the disk between the inspection and now ends the export.
 */
export async function* sealedCast(
  source: SegmentSource,
  session: string,
  parts: readonly SealedPart[],
): AsyncGenerator<CastPart & { segment: number }> {
  let position = 0;
  for (const [index, part] of parts.entries()) {
    if (part.seal !== undefined && part.damage === undefined) {
      for await (const line of sealLines(source, session, part.seal)) {
        position += intervalOf(line);
        yield { kind: 'line', line, segment: part.segment };
      }
      continue;
    }
    const end = parts[index + 1]?.seal?.from ?? part.seal?.to;
    const missingNanos = end === undefined ? 0 : Math.max(0, wholeSteps(end) - position);
    position += missingNanos;
    const words = `${part.damage ?? ''}. ${timeWords(missingNanos)} of the recording are missing here`;
    yield {
      kind: 'damage',
      part: part.segment,
      error: new SallyportError('RECORDING_DAMAGED', words),
      missingNanos,
      segment: part.segment,
    };
  }
}

async function textOf(source: SegmentSource, session: string, seal: Seal): Promise<SealedPart['text']> {
  const digest = createHash('sha256');
  let bytes = 0;
  let lines = 0;
  for await (const line of sealLines(source, session, seal)) {
    digest.update(line);
    bytes += Buffer.byteLength(line);
    lines += 1;
  }
  return { bytes, lines, sha256: digest.digest('hex') };
}

function damageOf(seal: Seal, what: string): string {
  return `Segment ${seal.file} is damaged: ${what}`;
}

function rowOf(session: string, seal: Seal): SegmentRow {
  const { channel, segment, file, bytes, sha256, from, to, events } = seal;
  return { session, channel, segment, file, bytes, sha256, from, to, events };
}
