import { z } from 'zod';
import { reviewVerdicts } from '../signed-statements.ts';
import { channelNumber, count, everyRole, keyLine, type OperationShape, reason, sha256, signature, time, uuid } from './shape.ts';

/** Notes on moments of a session, and that somebody has reviewed it. All of it are records. */

const note = z.strictObject({
  note: uuid,
  channel: count,
  /** Nanoseconds since the channel opened. */
  at: count,
  text: z.string(),
  by: z.string(),
  time,
});
export type ReviewNote = z.infer<typeof note>;

const signOff = z.strictObject({
  reviewer: z.string(),
  verdict: z.enum(reviewVerdicts),
  reason: z.string(),
  time,
  /** Of the reviewer's key, and whether the signature is good for what is recorded of the session now. */
  key: z.string(),
  signature: z.enum(['good', 'bad', 'superseded']),
  /** Nanoseconds of the recordings that the reviewer had been shown by then, and that there were. */
  watched: z.strictObject({ nanos: count, of: count }),
});
export type SignOff = z.infer<typeof signOff>;

export const reviewsOperations = {
  'review.show': {
    http: 'GET /api/sessions/{session}/review',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Notes on a session, who has signed it off, and how much of it was watched by whom',
    input: z.strictObject({ session: uuid }),
    output: z.strictObject({
      notes: z.array(note),
      signOffs: z.array(signOff),
      /** Stretches of channels that were shown, by operator; nanoseconds since the channel opened, in order, without overlaps. */
      watched: z.array(
        z.strictObject({
          operator: z.string(),
          nanos: count,
          channels: z.array(z.strictObject({ channel: count, stretches: z.array(z.tuple([count, count])) })),
        }),
      ),
      /** Nanoseconds of recordings that there are. */
      nanos: count,
      /** What a sign-off is of: SHA-256 of `reviewSubject` of contract/signed-statements.ts. */
      subject: sha256,
      /** Of the ledger; part of what is signed. */
      origin: z.string(),
      /** Whether the operator who asks may sign it off, and if not, why. */
      yours: z.strictObject({ may: z.boolean(), why: z.string().optional() }),
    }),
  },
  'review.note': {
    http: 'POST /api/sessions/{session}/notes',
    may: everyRole,
    onSocket: false,
    effect: 'write',
    summary: 'Puts a note on a moment of a session',
    input: z.strictObject({ session: uuid, channel: channelNumber, at: count, text: z.string().trim().min(1).max(4000) }),
    output: note,
  },
  'review.sign': {
    http: 'POST /api/sessions/{session}/review',
    may: ['reviewer', 'auditor'],
    onSocket: false,
    effect: 'write',
    summary: "A reviewer's signed word that a session was reviewed, and what they make of it",
    input: z.strictObject({
      session: uuid,
      /** Of the review as it was shown: another one is not signed by this. */
      subject: sha256,
      verdict: z.enum(reviewVerdicts),
      reason,
      key: keyLine,
      signature,
    }),
    output: signOff,
  },
} as const satisfies Record<string, OperationShape>;
