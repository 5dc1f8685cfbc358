import type { RecordingPosition } from '../../recording/recorder.ts';
import type { CastRead, FollowedPlace, SealedNow } from './cast-follower.ts';
import type { CastPosition } from './cast-position.ts';

/** To the thread. `id` names a channel that is followed; it is asked for more when what it gave is dealt with. */
export type ToLiveCasts =
  | { kind: 'follow'; id: number; where: FollowedPlace; from: CastPosition }
  | { kind: 'read'; id: number; most: number; reached: RecordingPosition | undefined }
  | { kind: 'sealed'; id: number; sealed: SealedNow }
  | { kind: 'forget'; id: number };

/** From the thread. */
export type FromLiveCasts =
  | { kind: 'ask-sealed'; id: number }
  | { kind: 'read'; id: number; read: CastRead }
  | { kind: 'failed'; id: number; message: string };
