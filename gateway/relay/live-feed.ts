import type { Frame } from '../../contract/frame-codec.ts';
import type { ChannelRecording, Recorder, RecordingPosition } from '../recording/recorder.ts';

/** A channel of a running session, for whoever looks at it while it runs. */
export interface FeedChannel {
  readonly session: string;
  readonly channel: number;
  readonly kind: string;
  /** Wall clock in microseconds. */
  readonly openedAt: number;
  /** Its terminal with its present size; undefined as long as it has none. */
  readonly terminal: { readonly cols: number; readonly rows: number } | undefined;
  /** How far it is recorded: what was handed to listeners, and what came before they listened. */
  readonly position: RecordingPosition;
  /** Nanoseconds since it opened. */
  readonly now: () => number;
}

export interface FeedListener {
  opened(channel: FeedChannel): void;
  /** Frames that are written to the journal. Their bytes are valid until this returns. */
  frames(channel: FeedChannel, frames: readonly Frame[]): void;
  closed(channel: FeedChannel): void;
}

/**
 * What is recorded is what may be watched: the feed of a session is what its channels' recordings have taken, after
 * secrets were left out. A session that nobody watches pays one comparison a write. Whatever goes wrong in here is told
 * to `failed` and never reaches the recording.
 */
export class LiveFeed {
  readonly #recorder: Recorder;
  readonly #failed: (error: unknown) => void;
  readonly #sessions = new Map<string, SessionFeed>();

  constructor(recorder: Recorder, failed: (error: unknown) => void) {
    this.#recorder = recorder;
    this.#failed = failed;
    recorder.observe({
      opened: (recording) => this.#guard(() => this.#sessions.get(recording.description.session)?.open(recording)),
      finished: (recording) => this.#guard(() => this.#sessions.get(recording.description.session)?.close(recording)),
    });
  }

  /** The channels that are open now; `listener` hears of everything after that. One listener a session. */
  subscribe(session: string, listener: FeedListener): { channels: FeedChannel[]; stop: () => void } {
    const feed = new SessionFeed(listener, (work) => this.#guard(work));
    this.#sessions.set(session, feed);
    const channels = this.#recorder.recordingsOf(session).map((recording) => feed.add(recording));
    return {
      channels,
      stop: () => {
        this.#sessions.delete(session);
        feed.stop();
      },
    };
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error);
    }
  }
}

class SessionFeed {
  readonly #listener: FeedListener;
  readonly #guard: (work: () => void) => void;
  readonly #channels = new Map<ChannelRecording, FeedChannel>();

  constructor(listener: FeedListener, guard: (work: () => void) => void) {
    this.#listener = listener;
    this.#guard = guard;
  }

  open(recording: ChannelRecording): void {
    this.#listener.opened(this.add(recording));
  }

  add(recording: ChannelRecording): FeedChannel {
    const channel = feedChannel(recording);
    this.#channels.set(recording, channel);
    recording.follow((frames) => this.#guard(() => this.#listener.frames(channel, frames)));
    return channel;
  }

  close(recording: ChannelRecording): void {
    const channel = this.#channels.get(recording);
    recording.follow(undefined);
    if (channel !== undefined && this.#channels.delete(recording)) this.#listener.closed(channel);
  }

  stop(): void {
    for (const recording of this.#channels.keys()) recording.follow(undefined);
    this.#channels.clear();
  }
}

function feedChannel(recording: ChannelRecording): FeedChannel {
  const { session, channel, kind, openedAt } = recording.description;
  return {
    session,
    channel,
    kind,
    openedAt,
    get terminal() {
      return recording.terminal;
    },
    get position() {
      return recording.position;
    },
    now: () => recording.now(),
  };
}
