import { SallyportError } from '../../base/errors.ts';
import {
  MessageType,
  readChannelOpen,
  readChannelOpenConfirmation,
  readRecipient,
  withRecipient,
  writeMessage,
} from './connection-messages.ts';
import type { LocalChannel } from './local-endpoint.ts';
import type { MessagePort, MessagePortListener } from './message-port.ts';

/**
 * A client whose first channel began with the menu, as the chosen target is to see it: the channel is opened and its
 * requests are made again, and as the client goes on using the menu's number for it, its messages are readdressed.
 */
export class HandedOverPort implements MessagePort {
  readonly #client: MessagePort;
  readonly #channel: LocalChannel;
  readonly #menuId: number;
  readonly #clientId: number;
  readonly #packet: number;
  readonly #requests: readonly Buffer[];
  readonly #ahead: Buffer;
  #listener: MessagePortListener | undefined;
  #targetId: number | undefined;
  /** What arrives before the target has named its end. */
  #early: Buffer[] = [];

  /** `ahead` is what was typed after the choice. */
  constructor(client: MessagePort, channel: LocalChannel, menuId: number, open: Buffer, requests: readonly Buffer[], ahead: Buffer) {
    const { sender, packet } = readChannelOpen(open);
    this.#client = client;
    this.#channel = channel;
    this.#menuId = menuId;
    this.#clientId = sender;
    this.#packet = packet;
    this.#requests = requests;
    this.#ahead = ahead;
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
    listener.message(writeMessage(MessageType.CHANNEL_OPEN, 'session', this.#clientId, this.#channel.window, this.#packet));
  }

  send(bytes: Uint8Array): void {
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (this.#targetId === undefined && message[0] === MessageType.CHANNEL_OPEN_CONFIRMATION && readRecipient(message) === this.#clientId) {
      this.#confirmed(message);
    } else if (
      this.#targetId === undefined &&
      message[0] === MessageType.CHANNEL_OPEN_FAILURE &&
      readRecipient(message) === this.#clientId
    ) {
      this.#client.end(new SallyportError('TARGET_LOST', 'the target refused to open the channel'));
    } else {
      this.#client.send(message);
    }
  }

  #confirmed(message: Buffer): void {
    const { sender, window } = readChannelOpenConfirmation(message);
    this.#targetId = sender;
    // The client believes that it may still send what is left of the menu's window.
    const left = this.#channel.receiveWindow + this.#ahead.length;
    if (window > left) this.#client.send(writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, this.#clientId, window - left));
    for (const request of this.#requests) this.#listener?.message(withoutReply(withRecipient(request, sender)));
    if (this.#ahead.length > 0) this.#listener?.message(writeMessage(MessageType.CHANNEL_DATA, sender, this.#ahead));
    const early = this.#early;
    this.#early = [];
    for (const waiting of early) this.#fromClient(waiting);
  }

  #fromClient(message: Buffer): void {
    const type = message[0] ?? 0;
    const addressed =
      type >= MessageType.CHANNEL_OPEN_CONFIRMATION && type <= MessageType.CHANNEL_FAILURE && readRecipient(message) === this.#menuId;
    if (addressed && this.#targetId === undefined) this.#early.push(message);
    else this.#listener?.message(addressed ? withRecipient(message, this.#targetId as number) : message);
  }
}

/** The same request without asking for a reply: the menu has given it already. */
function withoutReply(request: Buffer): Buffer {
  request[9 + request.readUInt32BE(5)] = 0;
  return request;
}
