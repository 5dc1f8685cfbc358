import { FieldReader, MessageType, readChannelOpen, writeMessage } from './connection-messages.ts';

/** Bytes that are kept for what the gateway itself has to say on a channel. */
export const SPARE_BYTES = 2048;
/** A client with a smaller window gets no room taken from it, and hears nothing. */
const SMALLEST_WINDOW = 4 * SPARE_BYTES;

/**
 * Room in a client's window that the target is not told of. So the gateway can say something in the middle of the
 * target's output, and flow control stays exact: what the client gives back fills this first, and the target hears of
 * the rest.
 */
export class SpareWindow {
  readonly #full: number;
  #room: number;

  /** `extra` is room that is used once and not filled again. */
  private constructor(full: number, extra: number) {
    this.#full = full;
    this.#room = full + extra;
  }

  /** The client's message that opens a channel as the target is to see it. */
  static reserve(open: Buffer, extra: number): { readonly spare: SpareWindow; readonly onward: Buffer } {
    const { type, sender, window, packet } = readChannelOpen(open);
    const taken = SPARE_BYTES + extra;
    if (window < SMALLEST_WINDOW + extra || packet < taken) return { spare: new SpareWindow(0, 0), onward: open };
    return {
      spare: new SpareWindow(SPARE_BYTES, extra),
      onward: writeMessage(MessageType.CHANNEL_OPEN, type, sender, window - taken, packet),
    };
  }

  get room(): number {
    return this.#room;
  }

  /** False when there is no room for so much now. */
  take(bytes: number): boolean {
    if (bytes > this.#room) return false;
    this.#room -= bytes;
    return true;
  }

  /** The client takes more: what of its message the target is to see, if anything. */
  adjusted(message: Buffer): Buffer | undefined {
    const missing = Math.max(0, this.#full - this.#room);
    if (missing === 0) return message;
    const fields = new FieldReader(message);
    const recipient = fields.uint32();
    const bytes = fields.uint32();
    const kept = Math.min(missing, bytes);
    this.#room += kept;
    return kept === bytes ? undefined : writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, recipient, bytes - kept);
  }
}
