import type { SegmentRow } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';
import { timeWords, wholeSteps } from './cast-time.ts';
import { frameLines, salvageSegment } from './salvage-segment.ts';
import { segmentDamaged } from './segment-damaged.ts';

/**
 * A line of a cast with its line feed, or news of damage: that a part of the recording could not be read and is left
 * out here (`missingNanos` long), or, with nothing missing, that what follows of this part is not as it was sealed.
 */
export type CastPart = { kind: 'line'; line: string } | { kind: 'damage'; part: number; error: SallyportError; missingNanos: number };

/**
 * What is intact of a damaged segment, and in its place what is not. Nothing in it is proved any more, and it says so.
 * `begins` and `ends`: where it stands in the recording, in nanoseconds, as far as that is known.
 */
export async function* readAround(
  segment: SegmentRow,
  bytes: Buffer | undefined,
  fault: string,
  { begins, ends }: { begins: number; ends: number | undefined },
): AsyncGenerator<CastPart> {
  const damage = (what: string, missingNanos: number): CastPart => {
    const gone = missingNanos === 0 ? '' : `; ${timeWords(missingNanos)} of the recording are missing`;
    return { kind: 'damage', part: segment.segment, error: segmentDamaged(segment, `${what}${gone}`), missingNanos };
  };
  const pieces = bytes === undefined ? [] : await salvageSegment(bytes, segment.bytes, begins, ends ?? begins);
  if (!pieces.some((piece) => piece.kind === 'frame')) {
    yield damage(fault, ends === undefined ? 0 : Math.max(0, wholeSteps(ends) - begins));
    return;
  }
  const until = ends === undefined ? '' : ` until ${timeWords(ends)}`;
  yield damage(`${fault}. What can be read of it follows${until}, unverified`, 0);
  for (const piece of pieces) {
    if (piece.kind === 'gap') yield damage(`its bytes ${piece.from} to ${piece.to} cannot be read`, piece.missingNanos);
    else yield* asParts(frameLines(piece.bytes));
  }
}

export async function* asParts<Returned>(lines: AsyncGenerator<string, Returned>): AsyncGenerator<CastPart, Returned> {
  try {
    let step = await lines.next();
    for (; step.done !== true; step = await lines.next()) yield { kind: 'line', line: step.value };
    return step.value;
  } finally {
    await lines.return(undefined as Returned); // Has no effect after its end.
  }
}

export function partMissing(session: string, channel: number, number: number): SallyportError {
  return new SallyportError(
    'RECORDING_DAMAGED',
    `Part ${number} of the recording of channel ${channel} of session ${session} is missing: it is neither sealed nor in the journal`,
    {
      remedy: 'restore the data directory from a backup; everything else still plays',
    },
  );
}
