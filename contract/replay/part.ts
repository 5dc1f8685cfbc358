import { z } from 'zod';

/**
 * What makes one segment of a recording quick to replay: where its pieces are, screens to begin from, what happened
 * when. Made from the segment at any time, and never evidence. Times are microseconds since the channel opened, in
 * steps of ten, as casts count them (docs/recording-format.md, "Replay index").
 */

const count = z.number().int().nonnegative();
const size = { cols: z.number().int().positive(), rows: z.number().int().positive() };

/** Of a file of blobs: where one stands, and the CRC-32 that it has to have. */
const blob = { at: count, bytes: count, crc: count };
export interface Blob {
  readonly at: number;
  readonly bytes: number;
  readonly crc: number;
}

/** A piece of a segment: whole lines of its cast in a zstd frame of their own, so that it can be read by itself. */
export const pieceSchema = z.strictObject({
  /** Time of the last event before it: the interval of its first line counts from here. */
  from: count,
  /** Where it stands in the text of the segment, in bytes. */
  at: count,
  bytes: count,
  /** Where its frame stands in the file. */
  frameAt: count,
  frameBytes: count,
  /** Whether output at its beginning is error output, unless it says otherwise. */
  error: z.boolean(),
});
export type Piece = z.infer<typeof pieceSchema>;

/**
 * The screen before the first event of a piece, as sequences that make any terminal of this size the same: a plain one
 * where its part ends without a terminal.
 */
export const keyframeSchema = z.strictObject({ piece: count, ...size, ...blob });

/** A small picture of the screen: PNG. */
export const thumbnailSchema = z.strictObject({ time: count, ...blob });

export const markKinds = ['command', 'file', 'connection', 'decision', 'secret', 'signal', 'end', 'marker', 'damage'] as const;
const mark = z.strictObject({ at: count, kind: z.enum(markKinds), title: z.string() });

/**
 * A command: of an exec, as it was asked for; of a shell with shell integration (OSC 133), as the shell marked it; else
 * what stood on the screen between the prompt and Enter, which is `derived` and no more than what was seen there.
 */
export const commandSchema = z.strictObject({
  how: z.enum(['exec', 'marked', 'derived']),
  at: count,
  /** When it was over; missing while it is not, or nobody can tell. */
  until: count.optional(),
  text: z.string(),
  exit: z.number().int().optional(),
});
export type Command = z.infer<typeof commandSchema>;

/** What a cast's first line says that a player needs. */
const header = z.strictObject({
  ...size,
  pty: z.boolean(),
  title: z.string().optional(),
  command: z.string().optional(),
  synthetic: z.boolean(),
});

export const partSchema = z.strictObject({
  v: z.literal(1),
  /** Which emulation it was made with: made by another, it is made anew. */
  engine: z.string(),
  segment: z.number().int().positive(),
  /** Of the segment's file that it was made from. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /**
   * Where it was not as it was sealed, the SHA-256 of what was there instead, or nothing where nothing was. The part is of
   * what could be read of it, all of which is one piece.
   */
  damaged: z.string().max(64).optional(),
  /** Which segments before it were damaged in which way, so that its keyframes are of a screen without what was lost. */
  across: z.string().length(64).optional(),
  from: count,
  to: count,
  /** In the first part of a channel. */
  header: header.optional(),
  /** There was a terminal, or input, up to its end. */
  terminal: z.boolean(),
  input: z.boolean(),
  pieces: z.array(pieceSchema),
  keyframes: z.array(keyframeSchema),
  thumbnails: z.array(thumbnailSchema),
  /** First and last thing that happened in it, and the pauses of over two seconds between them. */
  busy: z.strictObject({ from: count, to: count, idle: z.array(z.tuple([count, count])) }).optional(),
  /** How much happened when: moments and characters. */
  heat: z.array(z.tuple([count, count])),
  marks: z.array(mark),
  commands: z.array(commandSchema),
  /** What finds commands goes on from here in the next segment: its own affair (command-finder.ts). */
  finder: z.unknown().optional(),
  /** Lines of screen text. */
  lines: count,
});
export type Part = z.infer<typeof partSchema>;
