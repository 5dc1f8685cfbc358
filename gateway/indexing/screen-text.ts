/** A line that was on the screen: when first, and when last. Microseconds since the channel opened. */
export interface ScreenLine {
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

/** Neighbouring lines, as they are stored: packed for reading, and as text for finding them. */
export interface TextBlock {
  readonly first: number;
  readonly last: number;
  readonly lines: number;
  readonly packed: Uint8Array;
  readonly searchable: string;
}

/** A segment whose screen text is stored, and the file that it was taken from. */
export interface IndexedSegment {
  readonly session: string;
  readonly channel: number;
  readonly segment: number;
  readonly sha256: string;
}

/** Keeps what was on screens, so that it can be found. Everything in it can be made again from the recordings. */
export interface ScreenTextStore {
  /** Takes the place of what was stored of this segment before, in one step. */
  put(segment: IndexedSegment, blocks: readonly TextBlock[]): Promise<void>;
  /** Which of a channel's segments are stored. */
  stored(session: string, channel: number): Promise<readonly IndexedSegment[]>;
  /** Takes away everything of these sessions, and what it left in the file. */
  forget(sessions: readonly string[]): Promise<void>;
}
