import type { Keyframe } from '../../../contract/replay/driver.ts';
import type { Blob, Part } from '../../../contract/replay/part.ts';
import type { SegmentRow } from '../../../contract/session.ts';
import type { Records } from '../../ledger/records.ts';
import type { LiveCasts } from '../../query/live-cast/live-casts.ts';
import type { SegmentTexts } from '../../query/segment-text.ts';
import type { Database } from '../../store/database.ts';
import type { ScreenTextReader } from '../../store/screen-text-reader.ts';
import type { ViewingGrants } from './viewing-grants.ts';

/** What is known of segments without reading them. All of it is undefined where it is not made yet. */
export interface Sidecars {
  part(segment: SegmentRow): Promise<Part | undefined>;
  keyframe(segment: SegmentRow, keyframe: Part['keyframes'][number]): Promise<Keyframe | undefined>;
  blob(segment: SegmentRow, blob: Blob): Promise<Uint8Array | undefined>;
  /** Has what is missing made soon. */
  want(session: string, channel: number): void;
}

/** The screen text that is stored. */
export interface ScreenText {
  reader(): Promise<ScreenTextReader>;
  /** Segments whose text is stored, by number and the SHA-256 of the file that it was taken from. */
  stored(session: string, channel: number): Promise<readonly { readonly segment: number; readonly sha256: string }[]>;
}

/** A channel that is being recorded. */
export interface RunningChannel {
  /** Nanoseconds since it opened. */
  readonly now: number;
  readonly terminal: boolean;
  /** How far it is written. */
  readonly position: { readonly stretch: number; readonly bytes: number };
}

/** What recordings are answered from. */
export interface RecordingParts {
  /** A connection of its own: what somebody reads does not keep records waiting. */
  readonly reading: () => Promise<Database>;
  readonly database: Pick<Database, 'records'>;
  readonly records: Pick<Records, 'append'>;
  readonly grants: ViewingGrants;
  readonly texts: SegmentTexts;
  readonly casts: Pick<LiveCasts, 'follow'>;
  readonly sidecars: Sidecars;
  readonly screenText: ScreenText;
  /** Undefined when it is not being recorded. */
  readonly running: (session: string, channel: number) => RunningChannel | undefined;
}
