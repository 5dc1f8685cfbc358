/**
 * What a recording says, one thing at a time. `at` is microseconds since the channel opened; casts count in steps of
 * ten, so sums are exact. Nothing in this folder knows a document or a framework: it runs in a browser and in Node.
 */
export type CastEvent =
  | { kind: 'data'; at: number; stream: Stream; text: string /** When the text stands for bytes that are not text. */; binary?: number }
  | { kind: 'resize'; at: number; cols: number; rows: number }
  | { kind: 'marker'; at: number; title: string }
  | { kind: 'exit'; at: number; status: string }
  | { kind: 'note'; at: number; note: Note /** The marker directly before it, which is its title. */; title?: string }
  | { kind: 'damage'; at: number; until: number; words: string };

/** `o` output, `e` error output, `i` what was sent to the target. */
export type Stream = 'o' | 'e' | 'i';

/** The object of a `+` event. Nothing about its members is certain but `t`. */
export type Note = { readonly t: string; readonly [member: string]: unknown };

/** The members of the cast's first line that a player needs. */
export interface CastHeader {
  cols: number;
  rows: number;
  /** Whether there was a terminal from the beginning. */
  pty: boolean;
  title: string | undefined;
  command: string | undefined;
  /** The text of `o` was written by the gateway for people and is not what crossed. */
  synthetic: boolean;
}
