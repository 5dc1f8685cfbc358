import { type LiveChannel, type LiveMessage, liveMessage, readLiveFrames } from '../../../../contract/live-frames.ts';
import type { Note } from '../../../../contract/replay/cast-event.ts';
import type { HostTransport } from '../../host/host.ts';
import { webCodecHost } from './codec-host.ts';
import { WatchedChannel } from './watched-channel.ts';

/**
 * `joining`: not there yet. `lost`: the connection broke, and is tried again. `full`: so many watch already that there is no
 * room, and it is tried again. `refused`: by the gateway, for good. `ended`: the session is over.
 */
export type ViewState = 'joining' | 'watching' | 'lost' | 'full' | 'refused' | 'ended';

export interface LiveViewHost {
  /** Monotonic milliseconds. */
  now(): number;
  /** Wall clock, milliseconds. */
  wall(): number;
  /** Runs soon, after whatever else waits for its turn. */
  soon(run: () => void): void;
}

export interface LiveViewEvents {
  /** Anything but what is drawn: states, channels, notes. */
  changed(): void;
  /** Something was drawn onto a screen. */
  drawn(channel: WatchedChannel): void;
  /** Something happened that is no output: a command began, something was decided, somebody supervised. */
  noted(channel: WatchedChannel, note: Note): void;
}

/** Drawn in one turn of the event loop, so that keys and clicks come in between. */
const TURN_MILLIS = 6;
const FIRST_WAIT_MILLIS = 500;
const LONGEST_WAIT_MILLIS = 8000;
const FULL_WAIT_MILLIS = 10_000;

const NORMAL = 1000;
const NOT_LIVE = 4404;
const TOO_MANY = 4429;
const NOT_RECORDED = 4500;
const LOGGED_OUT = 4401;
const ROLE_MISSING = 4403;

/** A session while it is watched: its channels, their screens, and how far behind the gateway this device is. */
export class LiveView {
  state: ViewState = 'joining';
  /** Why it is over, was refused or waits, in words. */
  why = '';
  paused = false;
  stepping = false;
  /** Milliseconds between when the newest output was recorded and when it arrived here, by two clocks. */
  lag: number | undefined;
  /** Everything that was told when this device joined has been drawn. */
  readonly channels = new Map<number, WatchedChannel>();
  readonly #session: string;
  readonly #transport: HostTransport;
  readonly #host: LiveViewHost;
  readonly #events: LiveViewEvents;
  #socket: { close(): void } | undefined;
  #cancelWait: (() => void) | undefined;
  #failures = 0;
  #drawing = false;
  #closed = false;
  #ended = false;

  constructor(session: string, transport: HostTransport, host: LiveViewHost, events: LiveViewEvents) {
    this.#session = session;
    this.#transport = transport;
    this.#host = host;
    this.#events = events;
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    this.#cancelWait?.();
    this.#socket?.close();
    this.#socket = undefined;
    for (const channel of this.channels.values()) channel.dispose();
    this.channels.clear();
  }

  /** Without waiting until it is tried again by itself. */
  retry(): void {
    if (this.#closed || this.#socket !== undefined || this.#ended) return;
    this.#cancelWait?.();
    this.#failures = 0;
    this.#connect();
  }

  /** The channel that is shown unless somebody chooses: the newest that is open, one with a terminal first. */
  get main(): WatchedChannel | undefined {
    const all = [...this.channels.values()];
    const open = all.filter((channel) => channel.open);
    return open.findLast(({ hasTerminal }) => hasTerminal) ?? open.at(-1) ?? all.findLast(({ hasTerminal }) => hasTerminal) ?? all.at(-1);
  }

  get lastOutput(): number | undefined {
    const times = [...this.channels.values()].flatMap(({ lastOutput }) => (lastOutput === undefined ? [] : [lastOutput]));
    return times.length === 0 ? undefined : Math.max(...times);
  }

  #connect(): void {
    const socket = this.#transport.connect(`/api/sessions/${this.#session}/live`, {
      message: (data) => {
        if (this.#socket !== socket) return;
        if (typeof data === 'string') this.#say(data);
        else this.#frames(data);
      },
      closed: (code, reason) => {
        if (this.#socket !== socket) return;
        this.#socket = undefined;
        this.#left(code, reason);
      },
    });
    this.#socket = socket;
  }

  #left(code: number, reason: string): void {
    if (this.#closed || this.#ended) return;
    if (code === NORMAL || code === NOT_LIVE) this.#end(code === NOT_LIVE ? 'it does not run' : reason || 'the session is over');
    else if (code === LOGGED_OUT || code === ROLE_MISSING || code === NOT_RECORDED) this.#become('refused', reason);
    else if (code === TOO_MANY) this.#again('full', reason, FULL_WAIT_MILLIS);
    else this.#again('lost', reason, Math.min(FIRST_WAIT_MILLIS * 2 ** this.#failures, LONGEST_WAIT_MILLIS));
  }

  #again(state: 'full' | 'lost', why: string, millis: number): void {
    this.#failures += 1;
    this.#cancelWait = this.#transport.after(millis, () => this.#connect());
    this.#become(state, why);
  }

  #end(why: string): void {
    this.#ended = true;
    for (const channel of this.channels.values()) channel.open = false;
    this.#become('ended', why);
  }

  #become(state: ViewState, why: string): void {
    this.state = state;
    this.why = why;
    this.#events.changed();
  }

  #say(text: string): void {
    const read = liveMessage.safeParse(jsonOf(text));
    if (!read.success) {
      this.#socket?.close();
      this.#socket = undefined;
      this.#become('refused', 'The gateway sent something that this app does not know: one of the two is older.');
      return;
    }
    this.#take(read.data);
    this.#events.changed();
  }

  #take(message: LiveMessage): void {
    switch (message.type) {
      case 'hello':
        this.#failures = 0;
        this.state = 'watching';
        this.why = '';
        this.paused = message.paused;
        this.stepping = message.stepping;
        this.#replaceChannels(message.channels);
        return;
      case 'channel-opened': {
        const { type: _, ...channel } = message;
        this.#add(channel);
        return;
      }
      case 'channel-closed': {
        const closed = this.channels.get(message.channel);
        if (closed !== undefined) closed.open = false;
        this.#forgetOldest();
        return;
      }
      case 'snapshot':
        this.channels.get(message.channel)?.snapshot(message);
        this.#draw();
        return;
      case 'resync':
        this.channels.get(message.channel)?.resync(message.leftOut);
        return;
      case 'no-screen':
        this.channels.get(message.channel)?.noScreen(message.reason);
        return;
      case 'state':
        this.paused = message.paused;
        this.stepping = message.stepping;
        return;
      case 'cast': // only to whoever continues a recording
        return;
      case 'end':
        // Whatever else ends it, the close code says so.
        if (message.code === undefined || message.code === 'SESSION_NOT_LIVE') this.#end(message.reason);
        else this.why = message.reason;
    }
  }

  #frames(data: Uint8Array): void {
    const read = readLiveFrames(data, webCodecHost);
    const channel = read === undefined ? undefined : this.channels.get(read.channel);
    if (read === undefined || channel === undefined) return;
    for (const frame of read.frames) channel.frame(frame);
    const last = read.frames.at(-1);
    if (last !== undefined) this.lag = this.#host.wall() - (channel.openedAt / 1000 + last.at / 1e6);
    if (channel.overflows) this.#rejoin();
    else this.#draw();
  }

  /** What waits would take longer to draw than to see the present screen. */
  #rejoin(): void {
    this.#socket?.close();
    this.#socket = undefined;
    for (const channel of this.channels.values()) if (channel.state === 'shown') channel.state = 'behind';
    this.#connect();
    this.#events.changed();
  }

  /** What is short is drawn at once: a key that somebody pressed at the other end should be seen without delay. */
  #draw(): void {
    if (this.#drawing || this.#closed) return;
    const until = this.#host.now() + TURN_MILLIS;
    let more = false;
    for (const channel of this.channels.values()) {
      if (!channel.waits) continue;
      const before = channel.state;
      do more = channel.step();
      while (more && this.#host.now() < until);
      this.#events.drawn(channel);
      if (channel.state !== before) this.#events.changed();
      if (more) break;
    }
    if (!more) return;
    this.#drawing = true;
    this.#host.soon(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  #replaceChannels(channels: readonly LiveChannel[]): void {
    const known = new Set(channels.map(({ channel }) => channel));
    for (const [number, channel] of this.channels) {
      if (known.has(number)) continue;
      channel.open = false;
    }
    for (const channel of channels) this.#add(channel);
  }

  #add(channel: LiveChannel): void {
    const before = this.channels.get(channel.channel);
    // A screen that was there stays in sight until the new one has come.
    if (before !== undefined && channel.terminal !== undefined && before.hasTerminal) return;
    before?.dispose();
    const added: WatchedChannel = new WatchedChannel(channel, (note) => this.#events.noted(added, note));
    this.channels.set(channel.channel, added);
    this.#forgetOldest();
  }

  /** Of the channels that are closed the newest few stay, to be looked at; a session may have thousands of them. */
  #forgetOldest(): void {
    const closed = [...this.channels.values()].filter(({ open }) => !open);
    for (const channel of closed.slice(0, Math.max(0, closed.length - CLOSED_KEPT))) {
      channel.dispose();
      this.channels.delete(channel.channel);
    }
  }
}

const CLOSED_KEPT = 4;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // told to the person as something that is not known
  }
}
