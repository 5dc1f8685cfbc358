import type { SegmentRow } from '../../../contract/session.ts';
import type { CastRead, FollowedPlace } from './cast-follower.ts';
import type { CastPosition } from './cast-position.ts';

/** To the thread. `id` names a channel that is followed; it is asked for more when what it gave is dealt with. */
export type ToLiveCasts =
  | { kind: 'follow'; id: number; where: FollowedPlace; from: CastPosition }
  | { kind: 'read'; id: number; most: number; over: boolean }
  | { kind: 'segments'; id: number; rows: readonly SegmentRow[] }
  | { kind: 'forget'; id: number };

/** From the thread. */
export type FromLiveCasts =
  | { kind: 'segments'; id: number }
  | { kind: 'read'; id: number; read: CastRead }
  | { kind: 'failed'; id: number; message: string };
