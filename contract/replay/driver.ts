import type { CastEvent, CastHeader } from './cast-event.ts';

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
  readonly keyframe: boolean;
}

/** What is known of a channel's recording without reading it. A live one grows. */
export interface Outline {
  readonly header: CastHeader | undefined;
  /** Microseconds. */
  readonly duration: number;
  /** Whether there was a terminal at any time, and whether input was recorded. */
  readonly terminal: boolean;
  readonly input: boolean;
  readonly pieces: readonly PlayedPiece[];
  readonly idle: readonly { readonly from: number; readonly to: number; readonly damaged: boolean }[];
  readonly live: boolean;
}

/**
 * Where a player has a recording from: a sealed one, a session that still runs, or a bundle. The player knows no other
 * difference between them.
 */
export interface ReplayDriver {
  readonly outline: Outline;
  /** Called when a live recording has grown, with the outline replaced. Returns how to stop it. */
  onGrowth(listener: () => void): () => void;
  /** The events of a piece. What cannot be read is an event of damage in its place: this rejects only when closed. */
  load(piece: number): Promise<readonly CastEvent[]>;
  /** Undefined where there is none, or it cannot be read. */
  keyframe(piece: number): Promise<Keyframe | undefined>;
  close(): void;
}
