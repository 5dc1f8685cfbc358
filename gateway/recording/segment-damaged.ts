import type { SegmentRow } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';

export function segmentDamaged(segment: SegmentRow, what: string, cause?: unknown): SallyportError {
  return new SallyportError('RECORDING_DAMAGED', `Segment ${segment.file} is damaged: ${what}`, {
    remedy: 'restore that file from a backup; everything else still plays',
    ...(cause === undefined ? {} : { cause }),
  });
}
