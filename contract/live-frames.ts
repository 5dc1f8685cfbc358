import { z } from 'zod';
import { type CodecHost, decodeFrame, type Frame } from './frame-codec.ts';

/**
 * What goes over the WebSocket `/api/sessions/{session}/live`, from the gateway to whoever watches. Text messages are
 * one of the objects below. A binary message is a channel's number (32 bits, little-endian) and then frames of it, as
 * the journal holds them (frame-codec.ts). Nothing is expected from the client.
 */

const count = z.number().int().nonnegative();
const size = { cols: z.number().int().positive(), rows: z.number().int().positive() };

const channel = z.strictObject({
  channel: count,
  kind: z.string(),
  /** Wall clock in microseconds. */
  openedAt: count,
  /** Missing for a channel without a terminal: of it there are frames and no screen. */
  terminal: z.strictObject(size).optional(),
});
export type LiveChannel = z.infer<typeof channel>;

export const liveMessage = z.discriminatedUnion('type', [
  /** The first message. Nothing of a channel with a terminal comes before its first `snapshot`. */
  z.strictObject({
    type: z.literal('hello'),
    session: z.string(),
    target: z.string(),
    principal: z.string(),
    channels: z.array(channel),
    paused: z.boolean(),
    stepping: z.boolean(),
  }),
  z.strictObject({ type: z.literal('channel-opened'), ...channel.shape }),
  z.strictObject({ type: z.literal('channel-closed'), channel: count }),
  /** The channel's screen, between what was sent of it before and what is sent of it after this. */
  z.strictObject({
    type: z.literal('snapshot'),
    channel: count,
    ...size,
    /** Nanoseconds since the channel opened. */
    at: count,
    /**
     * Base64 of what, written to a terminal of this size, makes it the same whatever was in it: UTF-8 text and
     * sequences. It may end within a sequence, which the next frame continues.
     */
    data: z.string(),
    /** The recording was too long to be read from its beginning, and the screen may lack what was drawn before. */
    partial: z.boolean(),
    /** Frames are missing between this snapshot and what follows: another one is on its way. */
    behind: z.boolean(),
  }),
  /**
   * The receiver was too slow, and frames of the channel were left out. A `snapshot` follows if it has a terminal.
   * `position`: the cast cannot be continued where it was asked for, and the receiver has to begin anew.
   */
  z.strictObject({ type: z.literal('resync'), channel: count, reason: z.enum(['slow', 'screen-lost', 'position']), leftOut: count }),
  /**
   * Only to whoever asked with `?from=CHANNEL:POSITION`, and instead of snapshots and frames: whole lines of the
   * channel's cast, which continue the ones before exactly. No text goes over the end of a segment; it is empty where
   * a segment has begun of which there is nothing yet. `position`: where it ends, to continue from.
   */
  z.strictObject({ type: z.literal('cast'), channel: count, segment: z.number().int().positive(), text: z.string(), position: z.string() }),
  z.strictObject({ type: z.literal('state'), paused: z.boolean(), stepping: z.boolean() }),
  /** There is no screen of this channel, and why: its frames come all the same. */
  z.strictObject({ type: z.literal('no-screen'), channel: count, reason: z.string() }),
  /** The last message. `code`: an error code, where it is not simply over. */
  z.strictObject({ type: z.literal('end'), reason: z.string(), code: z.string().optional() }),
]);
export type LiveMessage = z.infer<typeof liveMessage>;

const CHANNEL_BYTES = 4;

/** Puts encoded frames (the buffers of a `FrameEncoder`) behind their channel's number. The result is a copy. */
export function liveFrames(channelNumber: number, frames: readonly Uint8Array[]): Uint8Array {
  const length = frames.reduce((sum, piece) => sum + piece.length, CHANNEL_BYTES);
  const message = new Uint8Array(length);
  new DataView(message.buffer).setUint32(0, channelNumber, true);
  let at = CHANNEL_BYTES;
  for (const piece of frames) {
    message.set(piece, at);
    at += piece.length;
  }
  return message;
}

/** Takes a binary message apart; undefined when it is not one. The frames' bytes are views of the message. */
export function readLiveFrames(message: Uint8Array, host: CodecHost): { channel: number; frames: Frame[] } | undefined {
  if (message.length < CHANNEL_BYTES) return undefined;
  const number = new DataView(message.buffer, message.byteOffset).getUint32(0, true);
  const frames: Frame[] = [];
  for (let at = CHANNEL_BYTES; at < message.length; ) {
    const decoded = decodeFrame(message, at, host);
    if (typeof decoded === 'string') return undefined;
    frames.push(decoded.frame);
    at = decoded.end;
  }
  return { channel: number, frames };
}
