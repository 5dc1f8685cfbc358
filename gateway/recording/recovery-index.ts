import type { Actor, Resource } from '../../contract/record.ts';

/**
 * What recovery asks of the records that exist already, so that what was finished is not recorded twice and what was
 * not is closed. Implemented by the store.
 */
export interface RecoveryIndex {
  /** Sessions whose `session.open` is neither followed by `session.close` nor by `session.recovered`. */
  openSessions(): Promise<readonly OpenSession[]>;
  /** The `segment.sealed` records of a session. */
  sealedSegments(session: string): Promise<readonly RecordedSegment[]>;
}

export interface OpenSession {
  session: string;
  actor: Actor;
  target: Resource;
  /** Channels whose `channel.open` is not followed by `channel.close`. */
  openChannels: readonly number[];
}

export interface RecordedSegment {
  channel: number;
  segment: number;
  /** Path below the data directory. */
  file: string;
  bytes: number;
  /** Nanoseconds since the channel opened at which it ends. */
  to: number;
  /** Where its streams end: offset plus bytes, of each. */
  ends: { i: number; o: number; e: number };
}
