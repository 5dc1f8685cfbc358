import type { Keyframe } from '../../../contract/replay/driver.ts';
import type { Blob, Part } from '../../../contract/replay/part.ts';
import type { SegmentRow } from '../../../contract/session.ts';
import type { ScreenLine } from '../../indexing/screen-text.ts';
import type { Records } from '../../ledger/records.ts';
import type { LiveCasts } from '../../query/live-cast/live-casts.ts';
import type { SegmentTexts } from '../../query/segment-text.ts';
import type { Database } from '../../store/database.ts';
import type { ViewingGrants } from './viewing-grants.ts';

/** What is known of segments without reading them. All of it is undefined where it is not made yet. */
export interface Sidecars {
  part(segment: SegmentRow): Promise<Part | undefined>;
  keyframe(segment: SegmentRow, keyframe: Part['keyframes'][number]): Promise<Keyframe | undefined>;
  blob(segment: SegmentRow, blob: Blob): Promise<Uint8Array | undefined>;
  /** Has what is missing made soon. */
  want(session: string, channel: number): void;
}

/** Which lines of the screen text somebody asks for: those behind `after`, and at most so many. Microseconds. */
export interface TextQuestion {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly after: string | undefined;
  readonly limit: number;
}

export interface ScreenTextReader {
  /** `cursor` continues behind the last line; without one there is no more. Throws REQUEST_INVALID for an `after` that is none. */
  read(session: string, channel: number, question: TextQuestion): Promise<{ lines: readonly ScreenLine[]; cursor?: string }>;
  /** Segments whose text is stored, by number and the SHA-256 of the file that it was taken from. */
  stored(session: string, channel: number): Promise<readonly { readonly segment: number; readonly sha256: string }[]>;
}

/** A channel that is being recorded. */
export interface RunningChannel {
  /** Nanoseconds since it opened. */
  readonly now: number;
  readonly terminal: boolean;
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
  readonly text: ScreenTextReader;
  /** Undefined when it is not being recorded. */
  readonly running: (session: string, channel: number) => RunningChannel | undefined;
}
