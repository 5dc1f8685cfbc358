import type { LiveMessage } from '../../../contract/live-frames.ts';
import { asSallyportError } from '../../base/errors.ts';
import { writeCastPosition } from '../../query/live-cast/cast-position.ts';
import type { CastRead, FollowedCast } from '../../query/live-cast/live-casts.ts';
import type { FeedChannel } from '../../relay/live-feed.ts';
import type { SessionWatcher, WatchSocket } from './session-watcher.ts';

/** Text that is asked for at a time, and bytes that may wait in the socket before more is. */
const READ_BYTES = 128 * 1024;
const MOST_WAITING = 256 * 1024;
/** What is said besides the cast is little; whoever lets this much wait is not there. */
const MOST_UNREAD = 4 * 1024 * 1024;
/** A stretch ends without a frame that says so: it is looked at after so many looks, too. */
const LOOKS = 10;

/** RFC 6455's registry of close codes, and the private range: nothing goes on from this position. */
const TRY_AGAIN_LATER = 1013;
const INTERNAL_ERROR = 1011;
const NO_SUCH_POSITION = 4409;

/**
 * Whoever follows the cast of one channel from a position on. It is sent what stands in the recording, in its order and
 * without a gap, and more only when what was sent is taken: a slow one is behind, and neither the session nor the
 * gateway's memory knows of it.
 */
export class CastWatcher implements SessionWatcher {
  readonly takesFrames = false;
  readonly channel: number;
  readonly #socket: WatchSocket;
  readonly #follow: () => FollowedCast;
  #cast: FollowedCast | undefined;
  #reading = false;
  /** Something was written since the last look into the recording began. */
  #moved = true;
  /** Undefined when it is closed, and all of it sealed. */
  #feed: FeedChannel | undefined;
  /** Everything that there was of the channel was sent. */
  #complete = false;
  #over = false;
  #looks = 0;

  constructor(socket: WatchSocket, channel: number, follow: () => FollowedCast) {
    this.#socket = socket;
    this.channel = channel;
    this.#follow = follow;
  }

  get settled(): boolean {
    return this.#complete;
  }

  /** `open`: the channels that are open now. */
  begin(open: readonly FeedChannel[]): void {
    this.#feed = open.find(({ channel }) => channel === this.channel);
    this.#cast = this.#follow();
    this.#pump();
  }

  /** Of channels it is told of its own alone, when it is at its end. */
  say(message: LiveMessage): void {
    if (this.#over || message.type === 'channel-opened') return;
    if (this.#socket.bufferedAmount <= MOST_UNREAD) this.#socket.send(JSON.stringify(message));
    else this.#break(TRY_AGAIN_LATER, 'nothing is read');
  }

  show(): void {
    // It is begun once, for its one channel.
  }

  take(channel: number): void {
    if (channel !== this.channel) return;
    this.#moved = true;
    this.#pump();
  }

  hasTerminal(): void {
    // The cast says so itself.
  }

  look(): void {
    this.#looks += 1;
    if (this.#looks % LOOKS === 0) this.#moved = true;
    this.#pump();
  }

  forget({ channel }: FeedChannel): void {
    if (channel !== this.channel) return;
    this.#feed = undefined;
    this.#moved = true;
    this.#pump();
  }

  end(reason: string, close: number, code?: string): void {
    if (this.#over) return;
    this.say({ type: 'end', reason, ...(code === undefined ? {} : { code }) });
    this.#break(close, reason);
  }

  gone(): void {
    this.#over = true;
    this.#cast?.forget();
    this.#cast = undefined;
  }

  /** Also called when what was sent is taken. */
  readonly #pump = (): void => {
    if (this.#cast === undefined || this.#reading || this.#over || this.#complete) return;
    if (!this.#moved || this.#socket.bufferedAmount > MOST_WAITING) return;
    this.#moved = false;
    this.#reading = true;
    this.#cast.read(READ_BYTES, this.#feed?.position).then(
      (read) => {
        this.#reading = false;
        if (!this.#over) this.#send(read);
      },
      (thrown: unknown) => {
        this.#reading = false;
        const { code, message } = asSallyportError(thrown);
        this.end(message, INTERNAL_ERROR, code);
      },
    );
  };

  #send({ texts, state }: CastRead): void {
    for (const { text, position } of texts) {
      const { segment } = position;
      const message: LiveMessage = { type: 'cast', channel: this.channel, segment, text, position: writeCastPosition(position) };
      this.#socket.send(JSON.stringify(message), this.#pump);
    }
    if (state === 'more') this.#moved = true;
    if (state === 'ended') {
      this.#complete = true;
      this.say({ type: 'channel-closed', channel: this.channel });
    } else if (state === 'lost') {
      this.say({ type: 'resync', channel: this.channel, reason: 'position', leftOut: 0 });
      this.end('the recording does not go on from that position', NO_SUCH_POSITION);
    } else this.#pump();
  }

  #break(close: number, reason: string): void {
    this.gone();
    this.#socket.close(close, reason.slice(0, 100));
  }
}
