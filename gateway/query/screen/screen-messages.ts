import type { SegmentRow } from '../../../contract/session.ts';
import type { RecordingPosition } from '../../recording/recorder.ts';

/** A channel whose screen is wanted. */
export interface FollowRequest {
  readonly session: string;
  readonly channel: number;
  readonly dataDirectory: string;
  /** Its present terminal, for a recording that is too long to be read from its beginning. */
  readonly terminal: { readonly cols: number; readonly rows: number } | undefined;
}

/** To the thread. `id` names a channel that is followed. */
export type ToScreens =
  | { kind: 'follow'; id: number; request: FollowRequest }
  | { kind: 'dump'; id: number; at: RecordingPosition; ticket: number }
  | { kind: 'segments'; id: number; rows: readonly SegmentRow[] }
  | { kind: 'forget'; id: number };

/** A screen at exactly that position, or why there is none: no terminal yet, or the position is not to be had any more. */
export type Dumped =
  | { state: 'screen'; cols: number; rows: number; data: Uint8Array; partial: boolean }
  | { state: 'no-terminal' }
  | { state: 'too-late' };

/** From the thread. `alive` comes again and again while it works. */
export type FromScreens =
  | { kind: 'ready' }
  | { kind: 'alive' }
  | { kind: 'segments'; id: number }
  | { kind: 'dumped'; id: number; ticket: number; dumped: Dumped }
  | { kind: 'failed'; id: number; ticket: number; message: string };
