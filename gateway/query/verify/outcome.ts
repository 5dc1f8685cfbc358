import type { KeySource } from './checkpoints.ts';
import type { RecordTotals } from './record-checks.ts';
import type { Share } from './stopwatch.ts';

/** What was looked at, and what held, apart from the findings. */
export interface Outcome {
  kind: 'data directory' | 'bundle';
  where: string;
  records: RecordTotals;
  ledger:
    | {
        origin: string;
        size: number;
        root: Uint8Array;
        tiles: number;
        uncovered: number;
        /** The tree has the root of the checkpoint, and the checkpoint the signature of the key. */
        agrees: boolean;
        signed: boolean;
      }
    | undefined;
  key: { vkey: string; source: KeySource } | undefined;
  /** The checkpoint that was given, and whether this log is known to continue it. */
  compared: { file: string; size: number; continued: boolean } | undefined;
  /** Milliseconds, of a data directory. */
  spent?: Readonly<Record<Share, number>>;
  files: number;
  bytes: number;
}
