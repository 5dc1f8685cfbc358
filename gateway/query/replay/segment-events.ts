import type { CastEvent } from '../../../contract/replay/cast-event.ts';
import { CastParser, parsePiece } from '../../../contract/replay/parse-segment.ts';
import type { Piece } from '../../../contract/replay/part.ts';
import { micros } from '../../../contract/replay/segment-source.ts';
import type { SegmentRow } from '../../../contract/session.ts';
import { asSallyportError, type SallyportError } from '../../base/errors.ts';
import type { PerStream } from '../../recording/cast-renderer.ts';
import { isGone } from '../../recording/errno-code.ts';
import { readStretch } from '../read-stretch.ts';
import type { SegmentTexts } from '../segment-text.ts';

/** The events of one piece of a sealed segment. Throws RECORDING_DAMAGED when the segment is not as it was sealed. */
export async function pieceEvents(texts: SegmentTexts, segment: SegmentRow, piece: Piece): Promise<readonly CastEvent[]> {
  const text = await texts.open(segment);
  const read: Buffer[] = [];
  for await (const content of text.read(piece.at, piece.at + piece.bytes)) read.push(content);
  return parsePiece(Buffer.concat(read).toString('utf8'), piece.from, piece.error).events;
}

/** All events of a sealed segment, frame by frame, so that others have their turn between them. Throws as well. */
export async function sealedEvents(texts: SegmentTexts, segment: SegmentRow): Promise<CastParser> {
  const text = await texts.open(segment);
  const parser = new CastParser(micros(segment.from), false);
  // A frame holds whole lines.
  for await (const content of text.read(0, text.bytes)) parser.push(content.toString('utf8'));
  return parser;
}

/** A stretch of journal as far as it was written, and what the next one needs. `from`: where it begins, microseconds. */
export async function stretchEvents(
  path: string,
  from: number,
  rawSpent: PerStream,
): Promise<{ parser: CastParser; length: number; rawSpent: PerStream; damage: SallyportError | undefined }> {
  const parser = new CastParser(from, false);
  const lines = readStretch(path, rawSpent);
  let length = 0;
  try {
    let step = await lines.next();
    for (; step.done !== true; step = await lines.next()) {
      parser.push(step.value);
      length += step.value.length;
    }
    return { parser, length, rawSpent: step.value, damage: undefined };
  } catch (thrown) {
    if (isGone(thrown)) throw thrown;
    return { parser, length, rawSpent, damage: asSallyportError(thrown, 'RECORDING_DAMAGED') };
  } finally {
    await lines.return(rawSpent); // Has no effect after its end.
  }
}
