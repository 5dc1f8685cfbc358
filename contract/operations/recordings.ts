import { z } from 'zod';
import { channelNumber, count, everyRole, nextPage, nothing, type OperationShape, page, sha256, time, uuid } from './shape.ts';

/** A part of a channel's recording. Times are nanoseconds since the channel opened. */
const recordedSegment = z.strictObject({
  segment: z.number().int().positive(),
  /** `journal`: it is not sealed yet, and `to` is not known. `missing`: it is neither sealed nor in the journal. */
  state: z.enum(['sealed', 'journal', 'missing']),
  from: count,
  to: count,
  /** Of a sealed one: its file. */
  bytes: count.optional(),
  sha256: sha256.optional(),
  /** What is known of it without reading it, as contract/replay/part.ts has it. Missing as long as it is not made. */
  part: z.record(z.string(), z.unknown()).optional(),
});
export type RecordedSegment = z.infer<typeof recordedSegment>;

const recordingOutline = z.strictObject({
  session: uuid,
  channel: count,
  kind: z.string(),
  opened: time,
  /** Microseconds, as far as it is sealed or, of a running channel, up to now. */
  duration: count,
  /** Whether there was a terminal, and whether input was recorded, as far as parts are made. */
  terminal: z.boolean(),
  input: z.boolean(),
  /** What the first line of the cast says (contract/replay/part.ts); missing while nothing is sealed. */
  header: z.record(z.string(), z.unknown()).optional(),
  segments: z.array(recordedSegment),
  /** There are more segments: `recording.outline` with this `after` has them. */
  after: count.optional(),
  /** Of a channel that is being recorded: where `/api/sessions/{session}/live?from=CHANNEL:POSITION` continues its sealed segments. */
  live: z.strictObject({ position: z.string() }).nullable(),
  /** Every sealed segment of this answer has its part. If not, they are being made. */
  complete: z.boolean(),
});
export type RecordingOutline = z.infer<typeof recordingOutline>;

export const recordingsOperations = {
  /** What is below `…/recording` in the docs is answered for an hour to the log-in that has done this. */
  'recording.open': {
    http: 'POST /api/sessions/{session}/channels/{channel}/recording',
    may: everyRole,
    onSocket: false,
    effect: 'write',
    summary: 'Records that a recording is looked at, and answers what there is of it. Its parts may be read for an hour then',
    input: z.strictObject({ session: uuid, channel: channelNumber }),
    output: recordingOutline,
  },
  'recording.outline': {
    http: 'GET /api/sessions/{session}/channels/{channel}/recording',
    may: everyRole,
    onSocket: false,
    effect: 'read',
    summary: 'What there is of a recording that was opened, from the segment behind `after` on',
    input: z.strictObject({ session: uuid, channel: channelNumber, after: z.coerce.number().int().nonnegative().default(0) }),
    output: recordingOutline,
  },
  'recording.text': {
    http: 'GET /api/sessions/{session}/channels/{channel}/text',
    may: everyRole,
    onSocket: false,
    effect: 'read',
    summary: 'The lines that were on the screen of a recording that was opened, with when each was seen first and last',
    input: z.strictObject({
      ...page,
      session: uuid,
      channel: channelNumber,
      /** Microseconds since the channel opened: lines that were seen at or after, and before. */
      from: z.coerce.number().int().nonnegative().optional(),
      to: z.coerce.number().int().nonnegative().optional(),
    }),
    output: z.strictObject({
      lines: z.array(z.strictObject({ first: count, last: count, text: z.string() })),
      /** A page may end before it is full, and even be empty, when it has told much or taken its time. */
      ...nextPage,
      /** The text of every sealed segment is stored. If not, it is being made. */
      complete: z.boolean(),
    }),
  },
  /** Records that somebody looked at a session: through its files, on this machine, or which part of one was played. */
  'view.recorded': {
    http: 'POST /api/sessions/{session}/viewed',
    may: everyRole,
    onSocket: true,
    effect: 'write',
    summary: 'Records that a session was looked at',
    input: z.strictObject({
      session: uuid,
      how: z.enum(['play', 'transcript', 'details']),
      channel: count.optional(),
      /** Nanoseconds since the channel opened; of what was shown. */
      from: count.optional(),
      to: count.optional(),
    }),
    output: nothing,
  },
} as const satisfies Record<string, OperationShape>;
