import type { CastEvent, CastHeader } from './cast-event.ts';
import type { IdleSpan } from './play-time.ts';
import type { Timeline } from './timeline.ts';

/** The screen before the first event of a piece. `data` makes a terminal of this size the same, whatever was in it. */
export interface Keyframe {
  readonly cols: number;
  readonly rows: number;
  readonly data: string;
}

/** A stretch of a recording that is read at once. Times are microseconds since the channel opened. */
export interface PlayedPiece {
  /** Time of the last event before it: everything before it is not later than this. */
  readonly from: number;
  /** No event of it is later. */
  readonly to: number;
  /** About how much text it has: what it costs to show it. */
  readonly bytes: number;
  readonly keyframe: boolean;
  /** Whether there was no terminal yet before it: a keyframe of it is a plain screen. */
  readonly plain: boolean;
}

/** What is known of a channel's recording without reading it. A live one grows. */
export interface Outline {
  /**
   * Another one when pieces are cut anew, so that their numbers mean others. As long as it is the same, a live
   * recording's pieces keep their numbers and their first events: its last piece grows, and others come after it.
   */
  readonly cut: number;
  /** Undefined only where it cannot be read: then nothing says how the screen began. */
  readonly header: CastHeader | undefined;
  /** Microseconds. */
  readonly duration: number;
  /** Whether there was a terminal at any time, and whether input was recorded. */
  readonly terminal: boolean;
  readonly input: boolean;
  readonly pieces: readonly PlayedPiece[];
  readonly idle: readonly IdleSpan[];
  readonly live: boolean;
}

/**
 * Where a player has a recording from: a sealed one, a session that still runs, or a bundle. The player knows no other
 * difference between them.
 */
export interface ReplayDriver {
  readonly outline: Outline;
  readonly timeline: Timeline;
  /** Called when outline and timeline have been replaced: a live recording has grown, damage was found. Returns how to stop it. */
  onGrowth(listener: () => void): () => void;
  /** The events of a piece. What cannot be read is an event of damage in its place: this rejects only when closed. */
  load(piece: number): Promise<readonly CastEvent[]>;
  /** Undefined where there is none, or it cannot be read. */
  keyframe(piece: number): Promise<Keyframe | undefined>;
  close(): void;
}
