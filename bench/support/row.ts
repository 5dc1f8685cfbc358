import type { Belongings } from '../../test/support/temp.ts';
import type { RowResult } from './measurement.ts';

/** What the command line asked of a row. */
export interface RowOptions {
  /** Runs of each side; at least five unless it is a quick look. */
  readonly runs: number;
  /** Small sizes, to try the harness: the figures mean nothing. */
  readonly quick: boolean;
  /** Concurrent sessions, for rows that have them. */
  readonly sessions: number;
  /** Directory for CPU profiles of the gateway. */
  readonly profile?: string | undefined;
  /** Tells a person at the terminal what goes on. */
  readonly say: (what: string) => void;
}

/** One row of the table of performance goals. What it starts belongs to `belongings`, which the caller releases. */
export interface Row {
  readonly row: number;
  readonly name: string;
  readonly what: string;
  run(belongings: Belongings, options: RowOptions): Promise<RowResult>;
}
