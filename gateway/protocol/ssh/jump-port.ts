import type { Duplex } from 'node:stream';
import { asSallyportError, describeError, SallyportError } from '../../base/errors.ts';
import { Valve } from '../../relay/valve.ts';
import { ChannelStream } from './channel-stream.ts';
import {
  type FieldReader,
  MalformedMessage,
  MessageType,
  OpenFailure,
  readChannelOpen,
  readGlobalRequest,
  readRecipient,
  writeMessage,
} from './connection-messages.ts';
import { LocalEndpoint } from './local-endpoint.ts';
import type { MessagePort, MessagePortListener } from './message-port.ts';

/** What becomes of a `direct-tcpip` channel: taken for a connection of its own, or refused with this reason. */
export type JumpAnswer = { readonly take: (stream: Duplex) => void; readonly refused?: never } | { readonly refused: string };

export interface JumpLimits {
  /** Channels at once, also those that are being decided. */
  readonly channels: number;
  /** Seconds for which a connection may be without any. */
  readonly seconds: number;
  /** Whether nobody new is taken any more: then it may not at all. */
  readonly draining: () => boolean;
}

/** Away from the numbers that targets, the menu and notices give their channels. */
const FIRST_CHANNEL = 0x5a12_0000;
/** OpenSSH's own; what a client may send that nobody has read. */
const WINDOW = 2 * 1024 * 1024;
const MAX_HOST = 255;
const LOOK_MILLISECONDS = 500;

/**
 * A client that has not said yet what it wants: its `direct-tcpip` channels are answered here (ProxyJump), everything
 * else waits for whoever attaches. As long as it has no channel it is held for a limited time.
 */
export class JumpPort implements MessagePort {
  readonly #client: MessagePort;
  readonly #limits: JumpLimits;
  readonly #answer: (host: string, port: number) => Promise<JumpAnswer>;
  readonly #endpoint = new LocalEndpoint(unasked, FIRST_CHANNEL, WINDOW, 'direct-tcpip');
  readonly #streams = new Set<ChannelStream>();
  readonly #valve: Valve;
  readonly #asked: Promise<boolean>;
  #resolveAsked: (something: boolean) => void = () => undefined;
  #listener: MessagePortListener | undefined;
  #held: Buffer[] = [];
  #deciding = 0;
  #jumped = false;
  #answering = true;
  #closed: { readonly error: SallyportError | undefined } | undefined;
  #unused: NodeJS.Timeout | undefined;

  constructor(client: MessagePort, limits: JumpLimits, answer: (host: string, port: number) => Promise<JumpAnswer>) {
    this.#client = client;
    this.#limits = limits;
    this.#answer = answer;
    this.#valve = new Valve(client);
    this.#asked = new Promise((resolve) => {
      this.#resolveAsked = resolve;
    });
    this.#endpoint.attach({
      message: (message) => this.#say(message),
      drained: () => undefined,
      closed: (error) => client.end(error),
    });
    this.#watch();
    client.attach({
      message: (message) => this.#arrived(message),
      drained: () => this.#drained(),
      closed: (error) => this.#gone(error),
    });
  }

  /** Resolves when the client asks for something else than a jump; false when it has gone without. */
  asked(): Promise<boolean> {
    return this.#asked;
  }

  /** Whether a jump was ever asked for. */
  get jumped(): boolean {
    return this.#jumped;
  }

  /** Whoever attaches answers further channels itself, and says how long the client may stay. */
  handOver(): void {
    this.#answering = false;
    clearInterval(this.#unused);
  }

  get blocked(): boolean {
    return this.#client.blocked;
  }

  send(message: Uint8Array): void {
    this.#client.send(message);
  }

  cork(): void {
    this.#client.cork();
  }

  uncork(): void {
    this.#client.uncork();
  }

  pause(): void {
    this.#valve.set('listener', true);
  }

  resume(): void {
    this.#valve.set('listener', false);
  }

  end(reason?: SallyportError): void {
    this.#client.end(reason);
  }

  attach(listener: MessagePortListener): void {
    this.#listener = listener;
    const held = this.#held;
    this.#held = [];
    for (const message of held) listener.message(message);
    this.#valve.set('nobody listens', false);
    if (this.#closed !== undefined) listener.closed(this.#closed.error);
  }

  #arrived(message: Buffer): void {
    try {
      if (this.#isOurs(message)) return;
    } catch (thrown) {
      if (!(thrown instanceof MalformedMessage)) throw thrown;
      this.#client.end(new SallyportError('PROTOCOL_VIOLATION', 'the client sent a message that is not well-formed'));
      return;
    }
    if (this.#listener !== undefined) {
      this.#listener.message(message);
      return;
    }
    this.#held.push(message);
    this.#valve.set('nobody listens', true);
    this.#resolveAsked(true);
  }

  /** Answers what is about jumps, and what a client asks in general before it has said what it wants. */
  #isOurs(message: Buffer): boolean {
    const [type = 0] = message;
    if (type === MessageType.CHANNEL_OPEN) return this.#answering && this.#opened(message);
    if (type > MessageType.CHANNEL_OPEN && type <= MessageType.CHANNEL_FAILURE && this.#endpoint.has(readRecipient(message))) {
      this.#endpoint.send(message);
      return true;
    }
    if (this.#listener !== undefined || type !== MessageType.GLOBAL_REQUEST) return false;
    if (readGlobalRequest(message).wantReply) this.#say(writeMessage(MessageType.REQUEST_FAILURE));
    return true;
  }

  #opened(message: Buffer): boolean {
    const { type, sender, fields } = readChannelOpen(message);
    if (type !== 'direct-tcpip') return false;
    const { host, port } = destination(fields);
    this.#jumped = true;
    if (this.#deciding + this.#endpoint.size >= this.#limits.channels) {
      this.#refuse(sender, OpenFailure.RESOURCE_SHORTAGE, `a connection may have ${this.#limits.channels} channels at once`);
      return true;
    }
    this.#deciding += 1;
    clearInterval(this.#unused);
    this.#answer(host, port)
      .catch((thrown: unknown): JumpAnswer => ({ refused: describeError(asSallyportError(thrown)) }))
      .then((answer) => {
        this.#deciding -= 1;
        if (this.#closed !== undefined) return;
        if (answer.refused === undefined) this.#take(message, answer.take);
        else this.#refuse(sender, OpenFailure.PROHIBITED, answer.refused);
        this.#watch();
      })
      .catch((thrown: unknown) => this.#client.end(asSallyportError(thrown)));
    return true;
  }

  #take(message: Buffer, take: (stream: Duplex) => void): void {
    let stream: ChannelStream | undefined;
    this.#endpoint.open(message, (channel) => {
      stream = new ChannelStream(channel, this.#client);
      return stream.handler;
    });
    if (stream === undefined) return;
    const taken = stream;
    this.#streams.add(taken);
    taken.once('close', () => {
      this.#streams.delete(taken);
      this.#watch();
    });
    take(taken);
  }

  /** A client that holds nothing open has to go; one whose jumps are over may come back within the time. */
  #watch(): void {
    clearInterval(this.#unused);
    if (!this.#answering || this.#closed !== undefined || this.#streams.size + this.#deciding > 0) return;
    const since = performance.now();
    this.#unused = setInterval(() => {
      const { seconds, draining } = this.#limits;
      if (draining()) this.#client.end(new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down'));
      else if (performance.now() - since >= seconds * 1000)
        this.#client.end(new SallyportError('IDLE_TIMEOUT', `nothing was asked for in ${seconds} s`));
    }, LOOK_MILLISECONDS);
  }

  #refuse(sender: number, reason: number, text: string): void {
    this.#say(writeMessage(MessageType.CHANNEL_OPEN_FAILURE, sender, reason, `sallyport: ${text}`, ''));
  }

  #say(message: Buffer): void {
    this.#client.send(message);
    // The data of jumps has bounds of its own. Who asks and does not take the answers is not asked for more.
    if (message[0] !== MessageType.CHANNEL_DATA) this.#valve.set('client is slow', this.#client.blocked);
  }

  #drained(): void {
    for (const stream of this.#streams) stream.room();
    this.#valve.set('client is slow', this.#client.blocked);
    this.#listener?.drained();
  }

  #gone(error: SallyportError | undefined): void {
    this.#closed = { error };
    clearInterval(this.#unused);
    this.#endpoint.end();
    this.#listener?.closed(error);
    this.#resolveAsked(false);
  }
}

/** RFC 4254 section 7.2. What the client says of the origin is not believed. */
function destination(fields: FieldReader): { host: string; port: number } {
  const host = fields.text();
  const port = fields.uint32();
  fields.bytes();
  fields.uint32();
  fields.end();
  if (host.length > MAX_HOST) throw new MalformedMessage('the name of the host is too long');
  return { host, port };
}

function unasked(): never {
  throw new SallyportError('INTERNAL', 'a channel was opened that nobody decided');
}
