import type { Frame } from '../../../contract/frame-codec.ts';
import type { LiveChannel } from '../../../contract/live-frames.ts';
import { clampSize } from '../../../contract/replay/screen/screen-size.ts';
import type { Dumped, FollowedChannel, Screens } from '../../query/screen/screens.ts';
import { encodeLiveFrames } from '../../relay/encode-live-frames.ts';
import type { FeedChannel, LiveFeed } from '../../relay/live-feed.ts';
import type { SessionWatcher } from './session-watcher.ts';

const NOTHING = new Uint8Array(0);

/** A session while somebody watches it: its channels, their screens, and everybody who watches. */
export class WatchedSession {
  readonly watchers = new Set<SessionWatcher>();
  readonly #screens: Screens;
  readonly #channels = new Map<number, { feed: FeedChannel; screen: FollowedChannel | undefined }>();
  readonly #stop: () => void;

  constructor(session: string, feed: LiveFeed, screens: Screens) {
    this.#screens = screens;
    const { channels, stop } = feed.subscribe(session, {
      opened: (channel) => this.#opened(channel),
      frames: (channel, frames) => this.#frames(channel, frames),
      closed: (channel) => this.#closed(channel),
    });
    this.#stop = stop;
    for (const channel of channels) this.#channels.set(channel.channel, { feed: channel, screen: undefined });
  }

  get channels(): readonly FeedChannel[] {
    return [...this.#channels.values()].map(({ feed }) => feed);
  }

  /** The screen of a channel as it is now. */
  screen(channel: FeedChannel): Promise<Dumped> {
    const known = this.#channels.get(channel.channel);
    if (known === undefined) return Promise.resolve({ state: 'too-late' });
    known.screen ??= this.#screens.follow(channel.session, channel.channel, channel.terminal);
    return known.screen.dump(channel.position);
  }

  /** Nobody watches any more. */
  close(): void {
    this.#stop();
    for (const { screen } of this.#channels.values()) screen?.forget();
    this.#channels.clear();
  }

  #opened(channel: FeedChannel): void {
    this.#channels.set(channel.channel, { feed: channel, screen: undefined });
    for (const watcher of this.watchers) {
      watcher.say({ type: 'channel-opened', ...describe(channel) });
      watcher.show(channel);
    }
  }

  #frames(channel: FeedChannel, frames: readonly Frame[]): void {
    let message: Uint8Array | undefined;
    for (const watcher of this.watchers) {
      if (watcher.takesFrames) message ??= encodeLiveFrames(channel.channel, frames) ?? NOTHING;
      if (!watcher.takesFrames || message !== NOTHING) watcher.take(channel.channel, message ?? NOTHING);
    }
    if (frames.some((frame) => frame.kind === 'event' && frame.event.t === 'terminal'))
      for (const watcher of this.watchers) watcher.hasTerminal(channel);
  }

  #closed(channel: FeedChannel): void {
    this.#channels.get(channel.channel)?.screen?.forget();
    this.#channels.delete(channel.channel);
    for (const watcher of this.watchers) watcher.forget(channel);
  }
}

export function describe({ channel, kind, openedAt, terminal }: FeedChannel): LiveChannel {
  // As it is shown: a client may ask for a terminal of any size, also of none.
  return { channel, kind, openedAt, ...(terminal === undefined ? {} : { terminal: clampSize(terminal.cols, terminal.rows) }) };
}
