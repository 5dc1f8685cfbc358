import type { LiveMessage } from '../../../contract/live-frames.ts';
import { SallyportError } from '../../base/errors.ts';
import type { Dumped } from '../../query/screen/screens.ts';
import type { FeedChannel } from '../../relay/live-feed.ts';
import type { SessionWatcher, WatchSocket } from './session-watcher.ts';

/** Bytes that may wait for a watcher in its socket, and as many for screens that are on their way. */
export const MOST_WAITING = 1024 * 1024;
/** A watcher that was too slow gets a new screen when no more than this waits. */
const DRAINED = 64 * 1024;
/** What is said besides frames is little; whoever lets this much wait is not there. */
const MOST_UNREAD = 4 * MOST_WAITING;
/** Screens that came too late for what happened since, after which they are shown all the same, one after the other. */
const PATIENCE = 3;
/** Of a screen that was lost, to whoever watched already. */
const MOST_RETRIES = 3;
const RETRY_MILLIS = 1000;

/** RFC 6455's registry of close codes. */
const TRY_AGAIN_LATER = 1013;

type View =
  | { state: 'live' }
  /** A screen was asked for; what is written meanwhile follows it. `missed`: too much was, and it is not whole. */
  | { state: 'joining'; queue: Uint8Array[]; bytes: number; missed: number }
  | { state: 'slow'; leftOut: number };

interface Watched {
  readonly channel: FeedChannel;
  view: View;
  /** Screens in a row that came too late, and screens that were lost. */
  late: number;
  lost: number;
}

/** Asks for the screen as of the channel's present position. */
type AskScreen = (channel: FeedChannel) => Promise<Dumped>;

/**
 * One watcher of one session. Each channel is shown as its screen at some moment, and then everything that is written
 * after that moment. A watcher that is too slow for this loses frames, and gets a new screen when it has caught up:
 * neither the session nor another watcher ever waits for it.
 */
export class Watcher implements SessionWatcher {
  /** What it was too slow for is left out, so there is never more to come. */
  readonly settled = true;
  readonly takesFrames = true;
  readonly #socket: WatchSocket;
  readonly #askScreen: AskScreen;
  readonly #channels = new Map<number, Watched>();
  /** Bytes in the queues of all channels. */
  #queued = 0;
  #over = false;

  constructor(socket: WatchSocket, askScreen: AskScreen) {
    this.#socket = socket;
    this.#askScreen = askScreen;
  }

  say(message: LiveMessage): void {
    if (this.#over) return;
    if (this.#socket.bufferedAmount > MOST_UNREAD) {
      this.gone();
      this.#socket.close(TRY_AGAIN_LATER, 'nothing is read');
    } else this.#socket.send(JSON.stringify(message));
  }

  /** Begins to show a channel. One without a terminal has no screen, only what follows. */
  show(channel: FeedChannel): void {
    const watched: Watched = { channel, view: { state: 'live' }, late: 0, lost: 0 };
    this.#channels.set(channel.channel, watched);
    if (channel.terminal !== undefined) this.#join(watched);
  }

  /** Frames of a channel, encoded. The message is shared by all watchers. */
  take(channel: number, message: Uint8Array): void {
    const watched = this.#channels.get(channel);
    if (watched === undefined || this.#over) return;
    const { view } = watched;
    switch (view.state) {
      case 'live':
        if (this.#socket.bufferedAmount <= MOST_WAITING) this.#socket.send(message);
        else watched.view = { state: 'slow', leftOut: message.length };
        return;
      case 'slow':
        view.leftOut += message.length;
        return;
      case 'joining':
        view.bytes += message.length;
        if (view.missed === 0 && this.#queued + message.length <= MOST_WAITING) {
          view.queue.push(message);
          this.#queued += message.length;
        } else {
          this.#unqueue(view);
          view.missed = view.bytes;
        }
    }
  }

  /** To be called now and then: whoever was too slow may have caught up. */
  look(): void {
    if (this.#socket.bufferedAmount > DRAINED) return;
    for (const watched of this.#channels.values()) {
      if (watched.view.state !== 'slow') continue;
      this.say({ type: 'resync', channel: watched.channel.channel, reason: 'slow', leftOut: watched.view.leftOut });
      if (watched.channel.terminal === undefined) watched.view = { state: 'live' };
      else this.#join(watched);
    }
  }

  /** A channel has been given a terminal. */
  hasTerminal(channel: FeedChannel): void {
    const watched = this.#channels.get(channel.channel);
    if (watched?.view.state === 'live') this.#join(watched);
  }

  forget(channel: FeedChannel): void {
    const watched = this.#channels.get(channel.channel);
    this.#channels.delete(channel.channel);
    // What was held back for a screen that will not come is shown without it.
    if (watched !== undefined) for (const message of this.#unqueue(watched.view)) this.#send(message);
    this.say({ type: 'channel-closed', channel: channel.channel });
  }

  end(reason: string, close: number, code?: string): void {
    if (this.#over) return;
    this.say({ type: 'end', reason, ...(code === undefined ? {} : { code }) });
    this.#over = true;
    this.#channels.clear();
    this.#socket.close(close, reason.slice(0, 100));
  }

  /** The socket is gone. */
  gone(): void {
    this.#over = true;
    this.#channels.clear();
  }

  /** What was held back for a screen. */
  #unqueue(view: View): Uint8Array[] {
    if (view.state !== 'joining') return [];
    const { queue } = view;
    view.queue = [];
    for (const { length } of queue) this.#queued -= length;
    return queue;
  }

  #send(message: Uint8Array): void {
    if (!this.#over) this.#socket.send(message);
  }

  #join(watched: Watched): void {
    const view: View = { state: 'joining', queue: [], bytes: 0, missed: 0 };
    watched.view = view;
    this.#askScreen(watched.channel).then(
      (dumped) => {
        if (watched.view === view) this.#joined(watched, view, dumped);
      },
      (thrown: unknown) => {
        if (watched.view !== view) return;
        this.#withoutScreen(watched, thrown instanceof SallyportError ? thrown.message : String(thrown));
        this.#tryAgain(watched);
      },
    );
  }

  /** Whatever the screen was lost to may have been that of another session. */
  #tryAgain(watched: Watched): void {
    if (watched.lost >= MOST_RETRIES) return;
    watched.lost += 1;
    const { view } = watched;
    const again = () => {
      if (this.#over || watched.view !== view || this.#channels.get(watched.channel.channel) !== watched) return;
      this.say({ type: 'resync', channel: watched.channel.channel, reason: 'screen-lost', leftOut: 0 });
      this.#join(watched);
    };
    setTimeout(again, RETRY_MILLIS).unref();
  }

  #joined(watched: Watched, view: Extract<View, { state: 'joining' }>, dumped: Dumped): void {
    if (this.#over) return;
    if (dumped.state === 'no-terminal') {
      this.#withoutScreen(watched, 'it has no terminal');
      return;
    }
    const late = dumped.state === 'too-late' || view.missed > 0;
    watched.late = late ? watched.late + 1 : 0;
    if (dumped.state === 'screen' && (!late || watched.late >= PATIENCE)) this.#sayScreen(watched.channel, dumped, late);
    if (!late) {
      watched.view = { state: 'live' };
      for (const message of this.#unqueue(view)) this.take(watched.channel.channel, message);
    } else if (this.#socket.bufferedAmount > DRAINED) watched.view = { state: 'slow', leftOut: view.missed };
    else this.#join(watched);
  }

  #sayScreen({ channel, now }: FeedChannel, dumped: Extract<Dumped, { state: 'screen' }>, behind: boolean): void {
    const { cols, rows, data, partial } = dumped;
    const base64 = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
    this.say({ type: 'snapshot', channel, cols, rows, at: now(), data: base64, partial, behind });
  }

  #withoutScreen(watched: Watched, reason: string): void {
    const { view } = watched;
    this.say({ type: 'no-screen', channel: watched.channel.channel, reason });
    watched.view = { state: 'live' };
    for (const message of this.#unqueue(view)) this.take(watched.channel.channel, message);
  }
}
