import { SallyportError } from '../../base/errors.ts';
import {
  FieldReader,
  MessageType,
  OpenFailure,
  readChannelData,
  readChannelOpen,
  readChannelRequest,
  readRecipient,
  STDERR,
  writeMessage,
} from './connection-messages.ts';
import type { MessagePort, MessagePortListener } from './message-port.ts';

/**
 * A small SSH server side without transport: what the gateway itself answers (a local shell, the menu, a notice) speaks
 * the connection protocol through it, and the relay can't tell it from a distant target. Channels of one type only.
 */
export class LocalEndpoint implements MessagePort {
  readonly #accept: (channel: LocalChannel) => LocalChannelHandler;
  readonly #window: number;
  readonly #type: string;
  readonly #channels = new Map<number, { channel: LocalChannel; handler: LocalChannelHandler }>();
  #listener: MessagePortListener | undefined;
  #next: number;
  #ended: { reason: SallyportError | undefined } | undefined;
  #paused = false;
  #held: Buffer[] = [];

  /** `firstId` is the number of the first channel on this side, `window` what each may receive unread. */
  constructor(accept: (channel: LocalChannel) => LocalChannelHandler, firstId = 0, window = RECEIVE_WINDOW, type = 'session') {
    this.#accept = accept;
    this.#next = firstId;
    this.#window = window;
    this.#type = type;
  }

  /** Channels that are not closed from both sides. */
  get size(): number {
    return this.#channels.size;
  }

  /** Whether this is the number of such a channel on this side. */
  has(id: number): boolean {
    return this.#channels.has(id);
  }

  readonly blocked = false;

  attach(listener: MessagePortListener): void {
    this.#listener = listener;
    if (this.#ended !== undefined) listener.closed(this.#ended.reason);
  }

  cork(): void {}

  uncork(): void {}

  pause(): void {
    this.#paused = true;
    for (const { handler } of this.#channels.values()) handler.pause(true);
  }

  resume(): void {
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    for (const message of held) this.#listener?.message(message);
    for (const { handler } of this.#channels.values()) handler.pause(false);
  }

  end(reason?: SallyportError): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    for (const { handler } of this.#channels.values()) handler.closed();
    this.#channels.clear();
    this.#listener?.closed(reason);
  }

  send(bytes: Uint8Array): void {
    if (this.#ended !== undefined) return;
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (message[0] === MessageType.CHANNEL_OPEN) this.open(message);
    else if (message[0] === MessageType.GLOBAL_REQUEST) this.#refuseGlobal(message);
    else if (message[0] !== undefined && message[0] > MessageType.CHANNEL_OPEN_FAILURE) this.#toChannel(message[0], message);
  }

  /** Answers a request to open a channel; `accept` says what is behind this one. */
  open(message: Buffer, accept = this.#accept): void {
    const open = readChannelOpen(message);
    if (open.type !== this.#type) {
      this.#say(writeMessage(MessageType.CHANNEL_OPEN_FAILURE, open.sender, OpenFailure.UNKNOWN_TYPE, `no ${open.type} here`, ''));
      return;
    }
    if (this.#channels.size >= MAX_CHANNELS) {
      this.#say(
        writeMessage(
          MessageType.CHANNEL_OPEN_FAILURE,
          open.sender,
          OpenFailure.RESOURCE_SHORTAGE,
          `no more than ${MAX_CHANNELS} channels here`,
          '',
        ),
      );
      return;
    }
    const id = this.#next;
    this.#next += 1;
    const channel = new LocalChannel(open, this.#window, (reply) => this.#say(reply));
    const handler = accept(channel);
    this.#channels.set(id, { channel, handler });
    if (this.#paused) handler.pause(true);
    this.#say(writeMessage(MessageType.CHANNEL_OPEN_CONFIRMATION, open.sender, id, this.#window, RECEIVE_PACKET));
  }

  #toChannel(type: number, message: Buffer): void {
    const id = readRecipient(message);
    const known = this.#channels.get(id);
    if (known === undefined) return;
    const { channel, handler } = known;
    switch (type) {
      case MessageType.CHANNEL_DATA: {
        const bytes = readChannelData(message);
        // RFC 4254 section 5.2 lets us ignore what is beyond the window; nobody honest sends it.
        if (!channel.received(bytes.length))
          this.end(new SallyportError('PROTOCOL_VIOLATION', 'the client sent more than the window of a channel'));
        else handler.data(bytes);
        return;
      }
      case MessageType.CHANNEL_WINDOW_ADJUST:
        channel.grow(new FieldReader(message, 5).uint32());
        return;
      case MessageType.CHANNEL_EOF:
        handler.eof();
        return;
      case MessageType.CHANNEL_REQUEST: {
        const { name, wantReply, fields } = readChannelRequest(message);
        const accepted = handler.request(name, fields);
        if (wantReply) this.#say(writeMessage(accepted ? MessageType.CHANNEL_SUCCESS : MessageType.CHANNEL_FAILURE, channel.peer));
        if (accepted) handler.replied?.(name);
        return;
      }
      case MessageType.CHANNEL_CLOSE:
        this.#channels.delete(id);
        handler.closed();
        channel.close();
        return;
      default:
    }
  }

  #refuseGlobal(message: Buffer): void {
    const fields = new FieldReader(message);
    fields.text();
    if (fields.boolean()) this.#say(writeMessage(MessageType.REQUEST_FAILURE));
  }

  #say(message: Buffer): void {
    if (this.#paused) this.#held.push(message);
    else this.#listener?.message(message);
  }
}

/** What is behind a channel of a local endpoint. */
export interface LocalChannelHandler {
  /** True accepts the request. Must not answer on the channel yet; `replied` is the moment for that. */
  request(name: string, fields: FieldReader): boolean;
  replied?(name: string): void;
  /** Bytes from the client; call `channel.consumed` when they have been used. */
  data(bytes: Buffer): void;
  eof(): void;
  /** The channel is gone. */
  closed(): void;
  /** Stop or go on producing output. */
  pause(stopped: boolean): void;
}

const RECEIVE_WINDOW = 256 * 1024;
const RECEIVE_PACKET = 32 * 1024;
/** RFC 4254 section 5.2. */
const MAX_WINDOW = 0xffff_ffff;
/** Channels at once; the relay allows fewer. */
const MAX_CHANNELS = 10_000;

/** One channel as its owner on our side sees it: windows and packet sizes are kept here. */
export class LocalChannel {
  readonly peer: number;
  readonly #packet: number;
  readonly #say: (message: Buffer) => void;
  /** What the client's window has left, and ours. */
  #window: number;
  #receiveWindow: number;
  readonly #fullWindow: number;
  #consumed = 0;
  #queue: Array<{ bytes: Buffer; stderr: boolean }> = [];
  #queued = 0;
  #closed = false;
  #after: (() => void) | undefined;
  #onRoom: (() => void) | undefined;

  /** `open` is what the client said of itself, `window` what it may send. */
  constructor(open: { sender: number; window: number; packet: number }, window: number, say: (message: Buffer) => void) {
    this.peer = open.sender;
    this.#window = open.window;
    this.#receiveWindow = window;
    this.#fullWindow = window;
    this.#packet = Math.max(1, Math.min(open.packet, RECEIVE_PACKET));
    this.#say = say;
  }

  /** Bytes that the client takes at the moment. */
  get window(): number {
    return this.#window;
  }

  /** Bytes that the client may still send. */
  get receiveWindow(): number {
    return this.#receiveWindow;
  }

  /** False when the client may not send so many. */
  received(bytes: number): boolean {
    this.#receiveWindow -= bytes;
    return this.#receiveWindow >= 0;
  }

  /** Bytes that wait for window. The owner stops producing while there are many, until `onRoom`. */
  get queued(): number {
    return this.#queued;
  }

  onRoom(listener: () => void): void {
    this.#onRoom = listener;
  }

  write(bytes: Buffer | string, stderr = false): void {
    if (this.#closed) return;
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    if (buffer.length === 0) return;
    this.#queue.push({ bytes: buffer, stderr });
    this.#queued += buffer.length;
    this.#pump();
  }

  /** The client may send as many bytes again. */
  consumed(bytes: number): void {
    this.#consumed += bytes;
    if (this.#closed || this.#consumed < this.#fullWindow / 2) return;
    this.#receiveWindow += this.#consumed;
    this.#say(writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, this.peer, this.#consumed));
    this.#consumed = 0;
  }

  grow(bytes: number): void {
    this.#window = Math.min(this.#window + bytes, MAX_WINDOW);
    this.#pump();
    if (this.#queued === 0) this.#onRoom?.();
  }

  /** Ends the channel once everything written has been sent. `exit` is a status, or a signal's name without SIG; only sessions have one. */
  finish(exit: number | string | undefined): void {
    this.#after = () => {
      this.#say(writeMessage(MessageType.CHANNEL_EOF, this.peer));
      if (typeof exit === 'number') this.#say(writeMessage(MessageType.CHANNEL_REQUEST, this.peer, 'exit-status', false, exit >>> 0));
      else if (exit !== undefined)
        this.#say(writeMessage(MessageType.CHANNEL_REQUEST, this.peer, 'exit-signal', false, exit, false, '', ''));
      this.close();
    };
    this.#pump();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#queued = 0;
    this.#say(writeMessage(MessageType.CHANNEL_CLOSE, this.peer));
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#window > 0) {
      const [first] = this.#queue;
      if (first === undefined) break;
      const size = Math.min(first.bytes.length, this.#window, this.#packet);
      const piece = first.bytes.subarray(0, size);
      if (size === first.bytes.length) this.#queue.shift();
      else first.bytes = first.bytes.subarray(size);
      this.#window -= size;
      this.#queued -= size;
      if (first.stderr) this.#say(writeMessage(MessageType.CHANNEL_EXTENDED_DATA, this.peer, STDERR, piece));
      else this.#say(writeMessage(MessageType.CHANNEL_DATA, this.peer, piece));
    }
    if (this.#queue.length > 0 || this.#after === undefined || this.#closed) return;
    const after = this.#after;
    this.#after = undefined;
    after();
  }
}
