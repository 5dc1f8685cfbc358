import { SallyportError } from '../../base/errors.ts';
import {
  MessageType,
  readChannelData,
  readChannelOpen,
  readChannelOpenConfirmation,
  readRecipient,
  withRecipient,
  writeMessage,
} from './connection-messages.ts';
import type { LocalChannel } from './local-endpoint.ts';
import type { MessagePort, MessagePortListener } from './message-port.ts';

/** A channel that began here, by the number that the client goes on using for it. */
export interface BegunChannel {
  readonly channel: LocalChannel;
  readonly id: number;
  /** The client's message that opened it. */
  readonly open: Buffer;
  /** What the client said on it and the target has not heard: requests, and what was sent ahead. */
  readonly said: readonly Buffer[];
  /** Whether its requests have had their replies already. */
  readonly answered: boolean;
}

interface FirstChannel extends BegunChannel {
  readonly clientId: number;
  readonly packet: number;
}

/**
 * A client whose first channel began with the menu, or while it waited, as the target is to see it: the channel is opened
 * and what was said on it is said again, and as the client goes on using our number for it, its messages are readdressed.
 */
export class HandedOverPort implements MessagePort {
  readonly #client: MessagePort;
  readonly #first: FirstChannel | undefined;
  readonly #later: readonly Buffer[];
  #listener: MessagePortListener | undefined;
  #targetId: number | undefined;
  #begun = false;
  /** What arrives before the target has named its end. */
  #early: Buffer[] = [];

  /** `later` is what the client said that is not about the channel. */
  constructor(client: MessagePort, first: BegunChannel | undefined, later: readonly Buffer[] = []) {
    this.#client = client;
    this.#later = later;
    if (first !== undefined) {
      const { sender, packet } = readChannelOpen(first.open);
      this.#first = { ...first, clientId: sender, packet };
    }
    const hold = (message: Buffer) => {
      this.#early.push(message);
      // What one read brought is kept; more is left to the client's own buffers until the target is reached.
      client.pause();
    };
    client.attach({ message: hold, drained: () => undefined, closed: () => undefined });
  }

  get blocked(): boolean {
    return this.#client.blocked;
  }

  cork(): void {
    this.#client.cork();
  }

  uncork(): void {
    this.#client.uncork();
  }

  pause(): void {
    this.#client.pause();
  }

  resume(): void {
    this.#client.resume();
  }

  end(reason?: SallyportError): void {
    this.#client.end(reason);
  }

  attach(listener: MessagePortListener): void {
    this.#listener = listener;
    this.#client.resume();
    this.#client.attach({
      message: (message) => this.#fromClient(message),
      drained: () => listener.drained(),
      closed: (error) => listener.closed(error),
    });
    const first = this.#first;
    // Whoever takes over from the first listener has heard of it.
    if (this.#begun) return;
    this.#begun = true;
    if (first !== undefined)
      listener.message(writeMessage(MessageType.CHANNEL_OPEN, 'session', first.clientId, first.channel.window, first.packet));
    for (const message of this.#later) listener.message(message);
  }

  send(bytes: Uint8Array): void {
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const first = this.#first;
    const answer = first !== undefined && this.#targetId === undefined && about(message, first.clientId) ? message[0] : undefined;
    if (answer === MessageType.CHANNEL_OPEN_CONFIRMATION && first !== undefined) this.#confirmed(message, first);
    else if (answer === MessageType.CHANNEL_OPEN_FAILURE)
      this.#client.end(new SallyportError('TARGET_LOST', 'the target refused to open the channel'));
    else this.#client.send(message);
  }

  #confirmed(message: Buffer, { channel, clientId, said, answered }: FirstChannel): void {
    const { sender, window } = readChannelOpenConfirmation(message);
    this.#targetId = sender;
    // The client believes that it may still send what is left of our window, and what it sent ahead is still to come.
    const left = channel.receiveWindow + (answered ? aheadIn(said) : 0);
    if (window > left) this.#client.send(writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, clientId, window - left));
    for (const earlier of said) {
      const again = withRecipient(earlier, sender);
      this.#listener?.message(answered && again[0] === MessageType.CHANNEL_REQUEST ? withoutReply(again) : again);
    }
    const early = this.#early;
    this.#early = [];
    for (const waiting of early) this.#fromClient(waiting);
  }

  #fromClient(message: Buffer): void {
    const type = message[0] ?? 0;
    const addressed =
      this.#first !== undefined &&
      type >= MessageType.CHANNEL_OPEN_CONFIRMATION &&
      type <= MessageType.CHANNEL_FAILURE &&
      readRecipient(message) === this.#first.id;
    if (addressed && this.#targetId === undefined) this.#early.push(message);
    else this.#listener?.message(addressed ? withRecipient(message, this.#targetId as number) : message);
  }
}

function about(message: Buffer, channel: number): boolean {
  const type = message[0] ?? 0;
  return type >= MessageType.CHANNEL_OPEN_CONFIRMATION && type <= MessageType.CHANNEL_FAILURE && readRecipient(message) === channel;
}

/** Bytes that a local endpoint has counted against its window already. */
function aheadIn(said: readonly Buffer[]): number {
  return said.reduce((sum, message) => sum + (message[0] === MessageType.CHANNEL_DATA ? readChannelData(message).length : 0), 0);
}

/** The same request without asking for a reply: the menu has given it already. */
function withoutReply(request: Buffer): Buffer {
  request[9 + request.readUInt32BE(5)] = 0;
  return request;
}
