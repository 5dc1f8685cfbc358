import type { Actor, RecordDraft, Resource } from '../../../contract/record.ts';
import { asSallyportError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { CastPosition } from '../../query/live-cast/cast-position.ts';
import type { LiveCasts } from '../../query/live-cast/live-casts.ts';
import type { Screens } from '../../query/screen/screens.ts';
import type { FeedChannel, LiveFeed } from '../../relay/live-feed.ts';
import { CastWatcher } from './cast-watcher.ts';
import { placeToGive } from './place-to-give.ts';
import type { SessionWatcher, WatchSocket } from './session-watcher.ts';
import { describe, WatchedSession } from './watched-session.ts';
import { Watcher } from './watcher.ts';

/** What is known of a session that runs. */
export interface LiveSession {
  readonly actor: Actor;
  readonly resource: Resource;
  readonly paused: boolean;
  readonly stepping: boolean;
}

export interface LiveWatchParts {
  readonly feed: LiveFeed;
  readonly screens: Screens;
  readonly casts: Pick<LiveCasts, 'follow'>;
  readonly records: { append(draft: RecordDraft<'access.viewed'>): Promise<unknown> };
  /** Whether the opening of a channel is on record, which it is only after it has been opened. */
  readonly isRecorded: (session: string, channel: number) => Promise<boolean>;
  /** Undefined when the session does not run. */
  readonly find: (session: string) => LiveSession | undefined;
  readonly log: Log;
}

/** Where somebody wants a channel's cast to be continued, instead of watching the session. */
export interface CastPlace {
  readonly channel: number;
  readonly position: CastPosition;
}

/** A WebSocket that says when it is over. */
export interface ClosingSocket extends WatchSocket {
  on(event: 'close', listener: () => void): unknown;
}

export interface Viewer {
  readonly actor: Actor;
}

/** Close codes of the private range (RFC 6455, section 7.4.2): the session does not run, and there are too many watchers. */
const NOT_LIVE = 4404;
const TOO_MANY = 4429;
const NOT_RECORDED = 4500;
const OVER = 1000;

const PER_SESSION = 16;
const TOGETHER = 128;
const LOOK_MILLIS = 100;
/** A gateway that is killed loses no more than this of who watched. */
const RECORD_MILLIS = 5 * 60_000;
/** Without watchers the screens of a session are kept for this long, for whoever comes back. */
const LINGER_MILLIS = 10_000;

/** Since when a channel has been watched without a record of it: nanoseconds since it opened. */
interface Seen {
  readonly channel: FeedChannel;
  from: number;
}

interface Watch {
  readonly watcher: SessionWatcher;
  /** Where one channel alone is seen from; undefined where all are, as they are now. */
  readonly place: CastPlace | undefined;
  readonly viewer: Viewer;
  readonly session: string;
  readonly resource: Resource;
  readonly seen: Map<number, Seen>;
  recordedAt: number;
  shown: string;
}

/** Shows running sessions to operators, and records who saw what. */
export class LiveWatch {
  readonly #parts: LiveWatchParts;
  readonly #sessions = new Map<string, WatchedSession>();
  readonly #lingering = new Map<string, NodeJS.Timeout>();
  readonly #watches = new Map<SessionWatcher, Watch>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: LiveWatchParts) {
    this.#parts = parts;
  }

  watchers(session: string): number {
    return this.#sessions.get(session)?.watchers.size ?? 0;
  }

  /** Begins when it is recorded that it does: a watch that cannot be recorded is none. Never throws. */
  async watch(session: string, viewer: Viewer, socket: ClosingSocket, from?: CastPlace): Promise<void> {
    const live = this.#parts.find(session);
    const watcher =
      from === undefined
        ? new Watcher(socket, (channel) => this.#sessionOf(session).screen(channel))
        : new CastWatcher(socket, from.channel, () => this.#parts.casts.follow(session, from.channel, from.position));
    let gone = false;
    socket.on('close', () => {
      gone = true;
      this.#left(watcher);
    });
    if (live === undefined) {
      watcher.end('the session does not run', NOT_LIVE, 'SESSION_NOT_LIVE');
      return;
    }
    const { principal } = viewer.actor;
    const others = [...this.#watches.values()].filter((watch) => watch.session === session);
    if (!this.#makeRoom(others, PER_SESSION, principal) || !this.#makeRoom([...this.#watches.values()], TOGETHER, principal)) {
      watcher.end('too many are watching already; try again when one of them has left', TOO_MANY, 'CONFLICT');
      return;
    }
    const watch: Watch = {
      watcher,
      place: from,
      viewer,
      session,
      resource: live.resource,
      seen: new Map(),
      recordedAt: performance.now(),
      shown: '',
    };
    // From here on it counts among the watchers, so that there are not more of them by the time it begins.
    this.#watches.set(watcher, watch);
    try {
      await this.#parts.records.append(viewed(watch, from === undefined ? {} : { channel: from.channel }));
    } catch (thrown) {
      this.#watches.delete(watcher);
      const { code, message } = asSallyportError(thrown, 'LEDGER_FAILED');
      watcher.end(`that it is watched cannot be recorded: ${message}`, NOT_RECORDED, code);
      return;
    }
    // A channel that is not open is over, or has yet to come: whoever took the one for the other would end too early.
    if (from !== undefined && !(await this.#hasOpened(session, from.channel))) {
      this.#watches.delete(watcher);
      watcher.end('the session has no such channel, or none yet', NOT_LIVE, 'CHANNEL_NOT_FOUND');
      return;
    }
    if (!gone && this.#watches.has(watcher)) this.#begin(watch);
    else this.#watches.delete(watcher);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const watch of [...this.#watches.values()]) this.#end(watch, 'the gateway is shutting down', 1001);
    // Those that have not begun yet will not.
    this.#watches.clear();
    for (const timer of this.#lingering.values()) clearTimeout(timer);
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }

  /** False when all places are taken, and none of them is for `principal`. */
  #makeRoom(taken: readonly Watch[], places: number, principal: string): boolean {
    if (taken.length < places) return true;
    const given = placeToGive(taken, principal);
    if (given === undefined) return false;
    this.#watches.delete(given.watcher);
    this.#leave(given);
    given.watcher.end('the place was needed for somebody who watches less', TOO_MANY, 'CONFLICT');
    return true;
  }

  #begin(watch: Watch): void {
    const { watcher, session } = watch;
    const live = this.#parts.find(session);
    if (live === undefined) {
      this.#watches.delete(watcher);
      watcher.end('the session is over', OVER);
      return;
    }
    const watched = this.#sessionOf(session);
    const { paused, stepping } = live;
    watch.shown = stateText(live);
    watcher.say({
      type: 'hello',
      session,
      target: live.resource.name,
      principal: live.actor.principal,
      channels: watched.channels.map(describe),
      paused,
      stepping,
    });
    watched.watchers.add(watcher);
    if (watcher instanceof CastWatcher) watcher.begin(watched.channels);
    else for (const channel of watched.channels) watcher.show(channel);
    this.#note(watch, watched);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MILLIS).unref();
  }

  async #hasOpened(session: string, channel: number): Promise<boolean> {
    try {
      return await this.#parts.isRecorded(session, channel);
    } catch (thrown) {
      this.#parts.log.warn({ session, err: thrown }, 'the channels of a watched session cannot be listed');
      return false;
    }
  }

  #sessionOf(session: string): WatchedSession {
    clearTimeout(this.#lingering.get(session));
    this.#lingering.delete(session);
    const known = this.#sessions.get(session);
    if (known !== undefined) return known;
    const opened = new WatchedSession(session, this.#parts.feed, this.#parts.screens);
    this.#sessions.set(session, opened);
    return opened;
  }

  #look(): void {
    const now = performance.now();
    for (const watch of [...this.#watches.values()]) {
      const session = this.#sessions.get(watch.session);
      if (session === undefined || !session.watchers.has(watch.watcher)) continue;
      this.#note(watch, session);
      watch.watcher.look();
      const live = this.#parts.find(watch.session);
      if (live === undefined) {
        if (session.channels.length === 0 && watch.watcher.settled) this.#end(watch, 'the session is over', OVER);
        continue;
      }
      if (stateText(live) !== watch.shown) {
        watch.shown = stateText(live);
        watch.watcher.say({ type: 'state', paused: live.paused, stepping: live.stepping });
      }
      if (now - watch.recordedAt < RECORD_MILLIS) continue;
      watch.recordedAt = now;
      this.#record(watch);
    }
  }

  /** Channels that have opened since, and those that have closed, of which there is nothing more to see. */
  #note(watch: Watch, session: WatchedSession): void {
    for (const [number, seen] of watch.seen) {
      if (session.channels.includes(seen.channel)) continue;
      watch.seen.delete(number);
      this.#recordChannel(watch, seen);
    }
    for (const channel of session.channels)
      if (!watch.seen.has(channel.channel) && (watch.place?.channel ?? channel.channel) === channel.channel)
        watch.seen.set(channel.channel, { channel, from: seenFrom(channel, watch.place) });
  }

  #end(watch: Watch, reason: string, close: number): void {
    watch.watcher.end(reason, close);
    this.#left(watch.watcher);
  }

  #left(watcher: SessionWatcher): void {
    watcher.gone();
    const watch = this.#watches.get(watcher);
    if (watch === undefined) return;
    this.#leave(watch);
  }

  #leave(watch: Watch): void {
    const { watcher } = watch;
    const session = this.#sessions.get(watch.session);
    if (session?.watchers.delete(watcher) !== true) return; // It has not begun yet.
    this.#watches.delete(watcher);
    this.#record(watch);
    if (session.watchers.size > 0) return;
    const linger = () => {
      this.#lingering.delete(watch.session);
      if (session.watchers.size > 0) return;
      session.close();
      this.#sessions.delete(watch.session);
    };
    this.#lingering.set(watch.session, setTimeout(linger, LINGER_MILLIS).unref());
    if (this.#watches.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** What was seen of each channel since it was last recorded. */
  #record(watch: Watch): void {
    for (const seen of watch.seen.values()) this.#recordChannel(watch, seen);
  }

  #recordChannel(watch: Watch, seen: Seen): void {
    const { from, channel } = seen;
    const to = channel.now();
    seen.from = to;
    this.#parts.records.append(viewed(watch, { channel: channel.channel, from, to })).catch((thrown: unknown) => {
      const { code, message } = asSallyportError(thrown, 'LEDGER_FAILED');
      const { principal } = watch.viewer.actor;
      this.#parts.log.error({ session: watch.session, code }, `it could not be recorded until when ${principal} watched: ${message}`);
      // Whoever can't be recorded sees no more.
      if (this.#watches.has(watch.watcher)) watch.watcher.end('that it is watched cannot be recorded', NOT_RECORDED, code);
    });
  }
}

/**
 * Whoever goes on within the stretch that is written now has seen what is before. Anybody else may see from anywhere on,
 * and is taken to have seen all of it.
 */
function seenFrom(channel: FeedChannel, place: CastPlace | undefined): number {
  if (place === undefined) return channel.now();
  const { segment, bytes } = place.position;
  return bytes > 0 && segment >= channel.position.stretch ? channel.now() : 0;
}

function viewed(watch: Watch, part: { channel?: number; from?: number; to?: number }): RecordDraft<'access.viewed'> {
  return {
    type: 'access.viewed',
    outcome: 'success',
    actor: watch.viewer.actor,
    target: watch.resource,
    session: watch.session,
    body: { how: 'watch', ...part },
  };
}

function stateText({ paused, stepping }: LiveSession): string {
  return `${paused} ${stepping}`;
}
