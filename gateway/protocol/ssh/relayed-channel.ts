import type { Frame, RecordedEvent, StreamName } from '../../../contract/frame-codec.ts';
import type { Action } from '../../../contract/policy.ts';
import type { ChannelRecording } from '../../recording/recorder.ts';
import type { ChannelEnd } from '../../session/session.ts';
import type { HeldMessages } from './held-messages.ts';
import type { MessagePort } from './message-port.ts';
import { ReplyOrder } from './replies.ts';
import type { SftpGate } from './sftp-gate.ts';
import type { SpareWindow } from './spare-window.ts';
import { TypedLine } from './typed-line.ts';

/** Watches the bytes of a channel and adds what it understands of them to the recording. */
export interface ChannelObserver {
  /** Events to record with these bytes. */
  bytes(stream: StreamName, bytes: Buffer): Array<{ event: RecordedEvent; marker?: string }>;
  /** The channel is over: what is still to be said. */
  finish(): Array<{ event: RecordedEvent; marker?: string }>;
}

/** What a channel type is called in records: without the vendor's domain (RFC 4250 section 4.6.1). */
export function channelKind(type: string): string {
  return type.replace(/@openssh\.com$/, '');
}

/** One channel between client and target: the numbers that both sides gave it, its recording and its state. */
export class RelayedChannel {
  readonly number: number;
  readonly type: string;
  readonly recording: ChannelRecording;
  readonly openedBy: 'client' | 'target';
  clientId: number | undefined;
  targetId: number | undefined;
  /** Replies to the client's requests, in their order. */
  readonly replies: ReplyOrder;
  /** Replies to the target's requests (keep-alives), in their order. */
  readonly repliesToTarget: ReplyOrder;
  observer: ChannelObserver | undefined;
  terminal: { type: string; cols: number; rows: number } | undefined;
  started: { action: Action; facts: Readonly<Record<string, unknown>> } | undefined;
  /** Room in the client's window for what the gateway has to say; set when the client opened the channel. */
  spare: SpareWindow | undefined;
  /** While something on the channel waits for consent: what the client says meanwhile. */
  held: HeldMessages | undefined;
  /** Why the client wants what it asks for, in its own words. */
  justification: string | undefined;
  /** What was typed since the last Enter and stands at the target. */
  readonly typed = new TypedLine();
  /** While an operator steps through the session: the begun line of a shell without a terminal, which the target has not been sent. */
  unsent: Buffer = Buffer.alloc(0);
  /** Decides about files on a channel of SFTP. */
  gate: SftpGate | undefined;
  /** The gateway has closed it towards both sides; their own closes are still to come. */
  cut = false;
  /** The other side did not open the channel. */
  refused = false;
  exit: ChannelEnd['exit'];
  closedBy = { client: false, target: false };

  constructor(openedBy: 'client' | 'target', type: string, recording: ChannelRecording, replies: ReplyOrder, repliesToTarget: ReplyOrder) {
    this.number = recording.description.channel;
    this.openedBy = openedBy;
    this.type = type;
    this.recording = recording;
    this.replies = replies;
    this.repliesToTarget = repliesToTarget;
  }

  data(stream: StreamName, bytes: Buffer): Frame[] {
    const at = this.recording.now();
    const frames: Frame[] = [];
    // What is seen in the bytes comes before them: it may say how they are to be kept.
    if (this.observer !== undefined) for (const seen of this.observer.bytes(stream, bytes)) frames.push({ kind: 'event', at, ...seen });
    frames.push({ kind: 'data', at, stream, bytes });
    return frames;
  }

  event(event: RecordedEvent, marker?: string): Frame {
    return { kind: 'event', at: this.recording.now(), event, ...(marker === undefined ? {} : { marker }) };
  }
}

/** Both sides of a session, and the order in which they are written to. */
interface Sides {
  readonly client: MessagePort;
  readonly target: MessagePort;
  follow(deliver: () => void): void;
}

export function newChannel(sides: Sides, openedBy: 'client' | 'target', type: string, recording: ChannelRecording): RelayedChannel {
  const toClient = new ReplyOrder((reply) => sides.follow(() => sides.client.send(reply)));
  const toTarget = new ReplyOrder((reply) => sides.follow(() => sides.target.send(reply)));
  return new RelayedChannel(openedBy, type, recording, toClient, toTarget);
}

/** The channels of a session, by the numbers that each side uses for them. */
export class ChannelTable {
  readonly #byClient = new Map<number, RelayedChannel>();
  readonly #byTarget = new Map<number, RelayedChannel>();

  get size(): number {
    return new Set([...this.#byClient.values(), ...this.#byTarget.values()]).size;
  }

  all(): RelayedChannel[] {
    return [...new Set([...this.#byClient.values(), ...this.#byTarget.values()])];
  }

  /** The client's number for the channel; false when it is in use. */
  nameForClient(channel: RelayedChannel, id: number): boolean {
    if (this.#byClient.has(id)) return false;
    channel.clientId = id;
    this.#byClient.set(id, channel);
    return true;
  }

  /** The target's number for the channel; false when it is in use. */
  nameForTarget(channel: RelayedChannel, id: number): boolean {
    if (this.#byTarget.has(id)) return false;
    channel.targetId = id;
    this.#byTarget.set(id, channel);
    return true;
  }

  /** A message from the client is addressed with the target's number. */
  addressedByClient(recipient: number): RelayedChannel | undefined {
    return this.#byTarget.get(recipient);
  }

  /** A message from the target is addressed with the client's number. */
  addressedByTarget(recipient: number): RelayedChannel | undefined {
    return this.#byClient.get(recipient);
  }

  remove(channel: RelayedChannel): void {
    if (channel.clientId !== undefined && this.#byClient.get(channel.clientId) === channel) this.#byClient.delete(channel.clientId);
    if (channel.targetId !== undefined && this.#byTarget.get(channel.targetId) === channel) this.#byTarget.delete(channel.targetId);
  }
}
