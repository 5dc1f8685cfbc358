import type { BundlePage, BundlePageSegment } from '../../../contract/bundle-page.ts';
import type { Comparison } from '../../evidence/compare-checkpoint.ts';
import type { ReadRecord } from '../../evidence/record-facts.ts';
import type { Step } from '../../evidence/step.ts';

/** What the window and the worker that verifies a bundle tell each other. */

export type ToWorker =
  /** `blob`: read there; without one, the window reads for the worker. */
  | { readonly kind: 'open'; readonly size: number; readonly blob: Blob | undefined }
  | { readonly kind: 'read'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'unread'; readonly id: number; readonly words: string }
  | ({ readonly kind: 'ask'; readonly id: number } & Question);

export type Question =
  | { readonly ask: 'segment'; readonly session: string; readonly channel: number; readonly segment: BundlePageSegment }
  | { readonly ask: 'records'; readonly session: string }
  | { readonly ask: 'compare'; readonly text: string };

export interface Answers {
  segment: { text: string } | { damage: string };
  records: ReadRecord[];
  compare: Comparison;
}

export type FromWorker =
  | { readonly kind: 'read'; readonly id: number; readonly at: number; readonly length: number }
  | { readonly kind: 'refused'; readonly words: string; readonly foreign: boolean }
  | { readonly kind: 'opened'; readonly page: BundlePage | undefined; readonly pageFault: string | undefined }
  | { readonly kind: 'progress'; readonly progress: BundleProgress }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'unanswered'; readonly id: number; readonly words: string };

/** How far the verification is, and what it has found. */
export interface BundleProgress {
  readonly steps: readonly Step[];
  readonly finished: boolean;
  /** Faults by session, of those that have any. */
  readonly sessionFaults: ReadonlyMap<string, number>;
  /** Whether the sessions have been looked at. */
  readonly sessionsChecked: boolean;
  readonly checkpoint: { readonly origin: string; readonly size: number } | undefined;
  readonly key: { readonly name: string; readonly id: string } | undefined;
}
