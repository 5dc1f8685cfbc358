import { describeError, SallyportError } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';
import type { Waiting } from '../../session/run-session.ts';
import { MessageType, readChannelOpen, readChannelRequest, readGlobalRequest, readRecipient, writeMessage } from './connection-messages.ts';
import { converse } from './converse.ts';
import { HandedOverPort } from './handed-over-port.ts';
import { type LocalChannel, type LocalChannelHandler, LocalEndpoint } from './local-endpoint.ts';
import type { MessagePort } from './message-port.ts';

/** Away from the small numbers that real targets give their channels: the client keeps using it afterwards. */
const ROOM_CHANNEL = 0x5a12_0000;
/** What may be sent ahead. Less than any target's window, which takes over from it. */
const ROOM_WINDOW = 2048;
/** Bytes that are kept for the target before the client is not read any more. */
const MAX_KEPT = 256 * 1024;
const EXIT_REFUSED = 255;

/**
 * Where a client is while its connection waits for consent. Its first session channel is opened here, so that it can be
 * told in its own terminal what it waits for; everything that it says is kept for the target, unanswered and in order.
 */
export class WaitingRoom implements Waiting {
  readonly #client: MessagePort;
  readonly #endpoint: LocalEndpoint;
  readonly #gone = new AbortController();
  readonly #said: Buffer[] = [];
  readonly #later: Buffer[] = [];
  readonly #lines: string[] = [];
  #kept = 0;
  #open: Buffer | undefined;
  #channel: LocalChannel | undefined;
  #terminal = false;
  /** Requests that want a reply and have none. */
  #unanswered = 0;
  #asked = false;

  constructor(client: MessagePort) {
    this.#client = client;
    this.#endpoint = new LocalEndpoint((channel) => this.#accept(channel), ROOM_CHANNEL, ROOM_WINDOW);
    void converse(client, this.#endpoint, (message) => this.#listen(message)).then(() => this.#leave('the client disconnected'));
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Shown at once when the client has begun something, and else as soon as it has. */
  tell(line: string): void {
    this.#lines.push(`sallyport: ${printable(line)}`);
    this.#show();
  }

  /** The client as the target is to see it. */
  handOver(): MessagePort {
    const channel = this.#channel;
    const open = this.#open;
    const first =
      channel === undefined || open === undefined ? undefined : { channel, id: ROOM_CHANNEL, open, said: this.#said, answered: false };
    return new HandedOverPort(this.#client, first, this.#later);
  }

  /** True when the client was told on the channel that it has here; else it has none. */
  refuse(error: SallyportError): boolean {
    const channel = this.#channel;
    if (channel === undefined) return false;
    // Whoever hears of a failure looks at nothing that follows: the line is what has to be seen.
    for (; this.#unanswered > 0; this.#unanswered -= 1) this.#client.send(writeMessage(MessageType.CHANNEL_SUCCESS, channel.peer));
    this.#asked = true;
    this.tell(`${error.code}: ${describeError(error)}`);
    channel.finish(EXIT_REFUSED);
    return true;
  }

  #accept(channel: LocalChannel): LocalChannelHandler {
    this.#channel = channel;
    return {
      request: () => false,
      data: () => undefined,
      eof: () => undefined,
      closed: () => this.#leave('the client closed its channel'),
      pause: () => undefined,
    };
  }

  /** True for what is answered here. */
  #listen(message: Buffer): boolean {
    const type = message[0] ?? 0;
    if (type === MessageType.CHANNEL_OPEN && this.#open === undefined && readChannelOpen(message).type === 'session') {
      this.#open = message;
      return true;
    }
    if (type === MessageType.GLOBAL_REQUEST && readGlobalRequest(message).name.startsWith('keepalive@')) return true;
    const own =
      this.#open !== undefined &&
      type >= MessageType.CHANNEL_WINDOW_ADJUST &&
      type <= MessageType.CHANNEL_FAILURE &&
      readRecipient(message) === ROOM_CHANNEL;
    if (own && (type === MessageType.CHANNEL_WINDOW_ADJUST || type === MessageType.CHANNEL_CLOSE)) return true;
    if (own && type === MessageType.CHANNEL_REQUEST) this.#requested(message);
    (own ? this.#said : this.#later).push(Buffer.from(message));
    this.#kept += message.length;
    if (this.#kept > MAX_KEPT) this.#client.pause();
    return false;
  }

  #requested(message: Buffer): void {
    const { name, wantReply } = readChannelRequest(message);
    if (wantReply) this.#unanswered += 1;
    if (name === 'pty-req') this.#terminal = true;
    if (name === 'env') return;
    this.#asked = true;
    this.#show();
  }

  #show(): void {
    if (this.#channel === undefined || !this.#asked) return;
    for (const line of this.#lines.splice(0)) this.#channel.write(this.#terminal ? `${line}\r\n` : `${line}\n`, !this.#terminal);
  }

  #leave(why: string): void {
    this.#gone.abort(new SallyportError('APPROVAL_UNAVAILABLE', why));
  }
}
