import type { SallyportError } from '../base/errors.ts';

/** What a recording is played on. Times are microseconds of the recording. */
export interface Stage {
  /** What could not be read so far, each once. */
  readonly damage: readonly SallyportError[];
  /** Of the recording. Nothing is known of it where there are no keys. */
  readonly duration: number;
  /** Whether nothing that was recorded could be shown so far. */
  readonly empty: boolean;
  /** When the next thing happens behind what is shown; undefined at the end. */
  next(): Promise<number | undefined>;
  /** Shows everything up to a moment, which is not before what is shown. */
  show(at: number): Promise<void>;
  /** Goes to a moment, back or forth. Asked again before it is there, it goes to the later one. */
  seek(at: number): Promise<void>;
  /** A line of ours on top of it; undefined when it is to go. */
  status(line: string | undefined): Promise<void>;
  /** The same for a moment, where it would not get in the way of what is shown. */
  say(line: string): void;
  /** Leaves in the terminal what is to stay there. */
  finish(): Promise<void>;
}
