import type { RecordedEvent } from '../../../contract/frame-codec.ts';
import { asSallyportError, SallyportError } from '../../base/errors.ts';
import { RecordedRelay } from '../../relay/recorded-relay.ts';
import { Valve } from '../../relay/valve.ts';
import type { Session } from '../../session/session.ts';
import { say } from './channel-voice.ts';
import { ClientMessages } from './client-messages.ts';
import { MalformedMessage, MessageType, writeMessage } from './connection-messages.ts';
import type { Addressed } from './jump-target.ts';
import type { MessagePort } from './message-port.ts';
import { ChannelTable, type RelayedChannel } from './relayed-channel.ts';
import { ReplyOrder } from './replies.ts';
import { TargetMessages } from './target-messages.ts';

export interface RelayLimits {
  readonly channelsPerSession: number;
  /** Seconds without content in either direction; 0 is never. */
  readonly idle: number;
  /** Seconds between keep-alives; 0 sends none. */
  readonly keepAlive: number;
}

/** The recorder's backlog, as far as the relay is concerned. */
export interface Congestion {
  readonly congested: boolean;
  whenClear(): Promise<void>;
}

/** Keep-alives without an answer after which a side counts as gone. */
const MISSED_KEEP_ALIVES = 3;
/** Bytes that may wait for a synchronous disk before both sides are stopped. */
const WAITING_HIGH_WATER = 1024 * 1024;
/** Facts of the session that may wait for the ledger. The ledger serves all sessions: none may fill it alone. */
const UNRECORDED_HIGH_WATER = 256;

/**
 * A session over SSH: two ports, the messages between them, and what is recorded of them. Messages pass with the very
 * bytes that came, channel numbers and windows included, so flow control is end to end and nothing is buffered here
 * beyond what the sockets hold.
 */
export class SshRelay {
  readonly session: Session;
  readonly client: MessagePort;
  readonly target: MessagePort;
  readonly channels = new ChannelTable();
  readonly limits: RelayLimits;
  readonly environment: readonly string[];
  /** Targets that the gateway reaches by SSH: nobody is to reach them through another, unrecorded. */
  readonly targets: () => Iterable<Addressed>;
  /** Global requests of the client, answered in their order. */
  readonly clientReplies: ReplyOrder;
  /** What the client has asked for and was allowed: the target may open such channels, and no others. */
  readonly asked = { agent: false, remoteForward: false };
  /** Channels that one side wants to open and that wait for consent. */
  deferred = 0;
  /** What each reply of the target to a global request answers, in order. */
  readonly targetOwes: Array<'client' | 'keep-alive'> = [];
  readonly #relay: RecordedRelay;
  readonly #congestion: Congestion;
  readonly #valves: { client: Valve; target: Valve };
  readonly #unanswered = { client: 0, target: 0 };
  readonly #heard = { client: false, target: false };
  readonly #open = { client: true, target: true };
  readonly #timers: NodeJS.Timeout[] = [];
  #fromClient: ClientMessages | undefined;
  #paused = false;
  #lastContent = performance.now();
  #finished = false;
  #reason: string | undefined;
  #resolve: ((reason: string) => void) | undefined;

  constructor(
    session: Session,
    client: MessagePort,
    target: MessagePort,
    limits: RelayLimits,
    environment: readonly string[],
    targets: () => Iterable<Addressed>,
    congestion: Congestion,
  ) {
    this.session = session;
    this.client = client;
    this.target = target;
    this.limits = limits;
    this.environment = environment;
    this.targets = targets;
    this.#congestion = congestion;
    this.#valves = { client: new Valve(client), target: new Valve(target) };
    this.clientReplies = new ReplyOrder((reply) => this.follow(() => this.client.send(reply)));
    const medium = {
      cork: () => {
        client.cork();
        target.cork();
      },
      uncork: () => {
        client.uncork();
        target.uncork();
        this.#regulate();
      },
    };
    this.#relay = new RecordedRelay(medium, (error) => session.end(error));
  }

  /** Resolves with the reason, in words, when both sides have ended. */
  run(): Promise<string> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#startTimers();
      this.session.onEnd((reason) => this.#tearDown(reason));
      const fromClient = new ClientMessages(this);
      this.#fromClient = fromClient;
      const fromTarget = new TargetMessages(this);
      this.target.attach({
        message: (message) => this.#handle('target', () => fromTarget.handle(message)),
        drained: () => this.#regulate(),
        closed: (error) => this.#portClosed('target', error),
      });
      this.client.attach({
        message: (message) => this.#handle('client', () => fromClient.handle(message)),
        drained: () => this.#regulate(),
        closed: (error) => this.#portClosed('client', error),
      });
      // A side begins to be read when it is attached: only after that can a pause that stands already stop it. What was
      // kept from before is handed on in a later turn, and waits as well.
      this.session.superviseWith({
        hold: (on) => this.#hold(on),
        say: (text) => this.#say(text),
        note: (event, marker) => this.#note(event, marker),
      });
    });
  }

  /** Records and then delivers; see RecordedRelay. */
  pass(channel: RelayedChannel, frames: Parameters<RecordedRelay['pass']>[1], bytes: number, deliver: () => void): void {
    this.#relay.pass(channel.recording, frames, bytes, deliver);
  }

  /** Records and delivers ahead of what waits; see RecordedRelay. */
  interject(channel: RelayedChannel, frames: Parameters<RecordedRelay['pass']>[1], deliver: () => void): void {
    this.#relay.interject(channel.recording, frames, deliver);
  }

  /** Goes on with what the client asked for earlier. Does nothing when the session is over. */
  resume(step: () => void): void {
    if (!this.#finished && this.#open.client) this.#handle('client', step);
  }

  /** A part of what the client said, as a message of its own. */
  fromClient(message: Buffer): void {
    this.#fromClient?.handle(message);
  }

  /** What the client said on a channel while it was held, in its order; the rest of it when something in it is held again. */
  release(channel: RelayedChannel, messages: readonly Buffer[]): void {
    for (const [index, message] of messages.entries()) {
      const { held } = channel;
      if (held !== undefined) {
        for (const later of messages.slice(index)) held.add(later);
        break;
      }
      this.#fromClient?.handle(message);
    }
    this.heldChanged();
  }

  /** The client is not read while one of its channels holds more than it may. */
  heldChanged(): void {
    this.#valves.client.set(
      'held messages',
      this.channels.all().some(({ held }) => held?.full === true),
    );
  }

  #hold(on: boolean): void {
    this.#paused = on;
    this.#relay.hold(on);
    for (const valve of [this.#valves.client, this.#valves.target]) valve.set('paused by an operator', on);
    this.touch();
  }

  /** Channels on which a line was shown. */
  #say(text: string): number {
    return this.channels.all().filter((channel) => channel.started !== undefined && say(this, channel, text, 'at once')).length;
  }

  /** For people who replay it: what an operator did stands in every recording that is open. */
  #note(event: RecordedEvent, marker: string): void {
    for (const channel of this.channels.all()) this.interject(channel, [channel.event(event, marker)], () => undefined);
  }

  /** For what carries no content. `bytes` is the size of the message. */
  follow(deliver: () => void, bytes = 0): void {
    this.#relay.follow(deliver, bytes);
  }

  /** Content crossed: the idle clock starts again. */
  touch(): void {
    this.#lastContent = performance.now();
  }

  keepAliveAnswered(side: 'client' | 'target'): boolean {
    if (this.#unanswered[side] === 0) return false;
    this.#unanswered[side] -= 1;
    return true;
  }

  /** Both sides have closed the channel, or it never opened. What was passed before is written first. */
  channelOver(channel: RelayedChannel, reason: string): void {
    this.channels.remove(channel);
    this.#relay.idle().then(
      () => this.#seal(channel, reason),
      (error: unknown) => this.session.end(asSallyportError(error)),
    );
  }

  #seal(channel: RelayedChannel, reason: string): void {
    const { started, recording, exit, number } = channel;
    const at = recording.now();
    const last = channel.observer?.finish().map((seen) => ({ kind: 'event' as const, at, ...seen })) ?? [];
    try {
      if (last.length > 0) recording.append(last);
    } catch (error) {
      this.session.end(asSallyportError(error, 'RECORDING_FAILED'));
    }
    if (started !== undefined) {
      const { i, o, e } = recording.bytes;
      this.session.finished(number, started.action, started.facts, exit, { bytes: { i, o, e } }, channel.refused);
    }
    this.session.closeChannel(number, { reason, ...(exit === undefined ? {} : { exit }) });
  }

  #handle(side: 'client' | 'target', handle: () => void): void {
    this.#heard[side] = true;
    if (this.session.endReason !== undefined) return;
    try {
      handle();
    } catch (error) {
      if (error instanceof MalformedMessage) {
        this.session.end(
          new SallyportError(
            'PROTOCOL_VIOLATION',
            `the ${side} sent a message of the SSH connection protocol that is not well-formed: ${error.message}`,
          ),
        );
      } else {
        this.session.end(asSallyportError(error));
      }
    }
  }

  /** Back-pressure: a side is read only while the other takes what it says, and the disk and the sealer keep up. */
  #regulate(): void {
    const { client, target } = this.#valves;
    const slow = { client: this.client.blocked, target: this.target.blocked };
    client.set('target is slow', slow.target);
    target.set('client is slow', slow.client);
    // Who asks and does not take the answers is not asked for more.
    client.set('client is slow', slow.client);
    target.set('target is slow', slow.target);
    const waiting = this.#relay.waitingBytes > WAITING_HIGH_WATER;
    const { congested } = this.#congestion;
    const unrecorded = this.session.unrecorded > UNRECORDED_HIGH_WATER;
    for (const valve of [client, target]) {
      valve.set('disk is slow', waiting);
      valve.set('sealer is behind', congested);
      valve.set('ledger is behind', unrecorded);
    }
    if (unrecorded) this.session.whenRecorded(() => this.#regulate());
    if (!congested) return;
    this.#congestion.whenClear().then(
      () => this.#regulate(),
      (error: unknown) => this.session.end(asSallyportError(error, 'RECORDING_FAILED')),
    );
  }

  #startTimers(): void {
    const { idle, keepAlive } = this.limits;
    if (idle > 0) {
      this.#every(Math.min(idle * 250, 5000), () => {
        if (this.#paused || performance.now() - this.#lastContent < idle * 1000) return;
        this.session.end(
          new SallyportError('IDLE_TIMEOUT', `nothing happened for ${idle} s`, { remedy: 'connect again, or ask for a longer idle limit' }),
        );
      });
    }
    if (keepAlive > 0) this.#every(keepAlive * 1000, () => this.#keepAlive());
  }

  #every(milliseconds: number, action: () => void): void {
    this.#timers.push(setInterval(action, milliseconds).unref());
  }

  #keepAlive(): void {
    for (const side of ['client', 'target'] as const) {
      const heard = this.#heard[side];
      this.#heard[side] = false;
      // A side that we do not read can't be heard; that is not its fault.
      if (heard || !this.#valves[side].open || !this.#open[side]) continue;
      if (this.#unanswered[side] >= MISSED_KEEP_ALIVES) {
        this.session.end(
          side === 'target'
            ? new SallyportError('TARGET_LOST', `${this.session.target.name} does not answer any more`, {
                remedy: 'see that it is up and reachable from the gateway',
              })
            : new SallyportError('PROTOCOL_VIOLATION', 'the client does not answer any more'),
        );
        return;
      }
      this.#unanswered[side] += 1;
      if (side === 'target') this.targetOwes.push('keep-alive');
      // In its place among the client's own requests: replies come in the order of the requests.
      this.follow(() => this[side].send(writeMessage(MessageType.GLOBAL_REQUEST, 'keepalive@openssh.com', true)));
    }
  }

  #portClosed(side: 'client' | 'target', error: SallyportError | undefined): void {
    this.#open[side] = false;
    if (side === 'client') {
      this.session.leave();
      this.#reason ??= error === undefined ? 'the client disconnected' : `the client disconnected: ${error.message}`;
      this.target.end();
    } else {
      // What the target said last has been passed; it still has to reach the client.
      this.#relay.idle().then(
        () => this.#targetGone(error),
        (failure: unknown) => this.session.end(asSallyportError(failure)),
      );
    }
    if (!this.#open.client && !this.#open.target) this.#finish();
  }

  #targetGone(error: SallyportError | undefined): void {
    if (!this.#open.client) return;
    const cause = error === undefined ? '' : `: ${error.message}`;
    this.#reason ??= `${this.session.target.name} closed the connection${cause}`;
    this.client.end(new SallyportError('TARGET_LOST', `${this.session.target.name} closed the connection${cause}`));
  }

  #tearDown(reason: SallyportError): void {
    this.#reason = reason.message;
    this.#relay.stop();
    this.client.end(reason);
    this.target.end();
    if (!this.#open.client && !this.#open.target) this.#finish();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    for (const timer of this.#timers) clearInterval(timer);
    const reason = this.#reason ?? 'both sides closed';
    this.#relay.idle().then(
      () => {
        for (const channel of this.channels.all()) this.#seal(channel, reason);
        this.#resolve?.(reason);
      },
      (error: unknown) => this.session.end(asSallyportError(error)),
    );
  }
}
