import type { LiveMessage } from '../../../contract/live-frames.ts';
import type { FeedChannel } from '../../relay/live-feed.ts';

/** What is used of a WebSocket. `bufferedAmount`: bytes that were sent and that the peer has not taken. */
export interface WatchSocket {
  readonly bufferedAmount: number;
  /** `taken` is called when the message has left for the peer. */
  send(message: string | Uint8Array, taken?: () => void): void;
  close(code: number, reason: string): void;
}

/** One watcher of one session, which is told what happens in it. None of this waits for the peer. */
export interface SessionWatcher {
  /** It was sent everything that it is to see, once the session is over. */
  readonly settled: boolean;
  /** It sends frames. One that does not is only told that there are some. */
  readonly takesFrames: boolean;
  say(message: LiveMessage): void;
  /** Begins to show a channel. */
  show(channel: FeedChannel): void;
  /** Frames of a channel were written; `message` has them encoded, for whoever takes them. */
  take(channel: number, message: Uint8Array): void;
  /** To be called now and then: whoever was too slow may have caught up. */
  look(): void;
  /** A channel has been given a terminal. */
  hasTerminal(channel: FeedChannel): void;
  /** A channel is closed, and everything of it is sealed. */
  forget(channel: FeedChannel): void;
  end(reason: string, close: number, code?: string): void;
  /** The socket is gone. */
  gone(): void;
}
