import { type LiveMessage, liveMessage } from '../live-frames.ts';
import type { RecordingTransport } from './recording-transport.ts';

/** Told how a recording goes on, in its order, without a gap and without a repetition. */
export interface TailListener {
  /** More whole lines of this segment; none where it has begun and there is nothing of it yet. `bytes`: how long it is with them. */
  text(segment: number, text: string, bytes: number): void;
  /** It does not go on from there: everything has to be begun anew. */
  lost(): void;
  /** The channel is closed, or its session is not running any more. What was not told is sealed, or will be in a moment. */
  over(): void;
}

/** Close codes of the gateway (docs/operator-api.md): the session does not run, the log-in is over, the role is gone. */
const NOT_LIVE = 4404;
const FINAL = [4401, 4403];
/** The session is over, and the socket was closed in order. */
const OVER = 1000;

const FIRST_WAIT_MILLIS = 250;
const LONGEST_WAIT_MILLIS = 15_000;
/** Sent nothing for so long, a connection may be lost without a word; the gateway says something of its state at least when it changes. */
const MOST_ATTEMPTS = 40;

/**
 * Follows the cast of a running channel over the gateway's WebSocket. A connection that is lost is made again, with more
 * and more time in between, and goes on where it was.
 */
export class LiveTail {
  readonly #transport: RecordingTransport;
  readonly #path: string;
  readonly #channel: number;
  readonly #listener: TailListener;
  #position: string;
  #socket: { close(): void } | undefined;
  #cancelWait: () => void = () => undefined;
  #attempts = 0;
  #done = false;

  constructor(transport: RecordingTransport, session: string, channel: number, position: string, listener: TailListener) {
    this.#transport = transport;
    this.#path = `/api/sessions/${encodeURIComponent(session)}/live`;
    this.#channel = channel;
    this.#position = position;
    this.#listener = listener;
    this.#connect();
  }

  /** From where it would go on. */
  get position(): string {
    return this.#position;
  }

  close(): void {
    this.#done = true;
    this.#cancelWait();
    this.#socket?.close();
  }

  #connect(): void {
    let current = true;
    const path = `${this.#path}?from=${this.#channel}:${this.#position}`;
    this.#socket = this.#transport.connect(path, {
      message: (text) => {
        if (current && !this.#done) this.#hear(text);
      },
      closed: (code) => {
        if (!current) return;
        current = false;
        if (!this.#done) this.#lostConnection(code);
      },
    });
  }

  #hear(text: string): void {
    const message = messageIn(text);
    if (message === undefined) {
      this.#socket?.close(); // It is no gateway of this version; asked again, it may be.
      return;
    }
    if (message.type === 'cast') {
      this.#attempts = 0;
      this.#position = message.position;
      this.#listener.text(message.segment, message.text, Number(message.position.split(':')[1]));
    } else if (message.type === 'resync' && message.reason === 'position') this.#finish(() => this.#listener.lost());
    else if (message.type === 'channel-closed' && message.channel === this.#channel) this.#finish(() => this.#listener.over());
    else if (message.type === 'end' && message.code === 'SESSION_NOT_LIVE') this.#finish(() => this.#listener.over());
  }

  #lostConnection(code: number): void {
    this.#attempts += 1;
    if (code === NOT_LIVE || code === OVER || FINAL.includes(code) || this.#attempts > MOST_ATTEMPTS) {
      this.#finish(() => this.#listener.over());
      return;
    }
    const wait = Math.min(LONGEST_WAIT_MILLIS, FIRST_WAIT_MILLIS * 2 ** Math.min(10, this.#attempts - 1));
    this.#cancelWait = this.#transport.after(wait, () => this.#connect());
  }

  #finish(tell: () => void): void {
    if (this.#done) return;
    this.close();
    tell();
  }
}

function messageIn(text: string): LiveMessage | undefined {
  try {
    const read = liveMessage.safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined; // No JSON: dealt with like JSON that is no message.
  }
}
