import type { SegmentRow } from '../../contract/session.ts';
import type { TextBlock } from './screen-text.ts';

/** Segments of one channel, in order, that are to have their parts. */
export interface IndexJob {
  readonly dataDirectory: string;
  readonly session: string;
  readonly channel: number;
  readonly segments: readonly SegmentRow[];
  /** Those whose screen text is stored, and need nothing when they have their part. */
  readonly stored: readonly number[];
  /** No segment of this channel follows the last one. */
  readonly last: boolean;
}

/** To the thread. */
export type ToIndexer =
  | { kind: 'job'; id: number; job: IndexJob }
  /** The segments before those of the job, which were asked for. */
  | { kind: 'earlier'; id: number; segments: readonly SegmentRow[] }
  /** What was made of the segment is stored, as far as the main thread has to: its part may be written. */
  | { kind: 'stored'; id: number }
  /** Nothing of this session is wanted any more. */
  | { kind: 'forget'; session: string };

/** From the thread. `alive` comes again and again while it works. */
export type FromIndexer =
  | { kind: 'ready' }
  | { kind: 'alive' }
  | { kind: 'earlier'; id: number }
  /** Work on a segment begins: if the thread dies now, it is for this. */
  | { kind: 'begin'; id: number; segment: number }
  /** Some of its blocks, and whether there are more, which come when these are taken: what is taken at once keeps sessions waiting. */
  | { kind: 'text'; id: number; segment: number; sha256: string; blocks: readonly TextBlock[]; more: boolean }
  /** `bytes`: of cast text, 0 where there was nothing to do. `fault`: why there is no part, or one of what is left of it. */
  | { kind: 'made'; id: number; segment: number; bytes: number; fault?: string; salvaged?: boolean }
  | { kind: 'done'; id: number }
  /** It cannot be gone on with, and may be later: the disk is full, a file cannot be read. */
  | { kind: 'failed'; id: number; message: string };
