import type { Duplex } from 'node:stream';
import type { Connection as ClientConnection, Client as TargetConnection } from 'ssh2';
import wire from 'ssh2/lib/protocol/utils.js';
import type { NegotiatedTransport } from '../../../contract/record.ts';
import { SallyportError } from '../../base/errors.ts';
import { MessageType, writeMessage } from './connection-messages.ts';
import type { MessagePort, MessagePortListener } from './message-port.ts';
import { type PacketCipher, PacketSlab } from './packet-slab.ts';

/**
 * The one file that knows ssh2's internals (1.17, pinned exactly; test/protocol/ssh/ssh2-transport.test.ts fails when
 * they change). ssh2 does the transport and the authentication; from there on we take and send the messages of the
 * connection protocol ourselves, for three reasons:
 *  - its channels answer requests themselves, so replies, early data, EOF and unknown requests can't pass through;
 *  - a blocked channel re-sends its last chunk when standard output and error output wait for the same window
 *    (`_chunk` is never cleared), which would corrupt what is delivered;
 *  - a stream per channel and direction costs more than the messages themselves.
 */

/** What is used of ssh2's Protocol object. */
interface Ssh2Protocol {
  _onPayload: (payload: Buffer) => unknown;
  _onPacket: () => void;
  /** Set while a key exchange is under way; what is sent then waits in a queue. */
  _kexinit: unknown;
  _packetRW: { write: { allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer } };
  _cipher: PacketCipher;
  /** Undefined once the connection is finished. */
  _destruct: unknown;
  rekey(): void;
}

const CONNECTION_PROTOCOL_FIRST = 80;
const CONNECTION_PROTOCOL_LAST = 127;
/** Bytes that may wait towards a peer before the other side stops being read. */
const HIGH_WATER = 1024 * 1024;
const DISCONNECT_BY_APPLICATION = 11;
/** Bytes that a paused peer may send before it has answered a key exchange: more than what may be under way honestly. */
const MAX_WHILE_EXCHANGING = 32 * 1024 * 1024;
/** How long the last messages may take to leave once an end has been decided. */
const LINGER_MILLISECONDS = 2000;

export interface RekeyLimits {
  bytes: number;
  seconds: number;
}

export interface TransportLimits {
  rekey: RekeyLimits;
  /** Seconds that a key exchange may take. */
  handshake: number;
}

export class Ssh2Transport implements MessagePort {
  /** What the first key exchange agreed on; undefined before it. */
  negotiated: NegotiatedTransport | undefined;
  /** What the other side showed before the log-in (RFC 4252 section 5.4); untrusted. */
  banner = '';
  readonly #protocol: Ssh2Protocol;
  readonly #socket: Duplex;
  readonly #limits: TransportLimits;
  readonly #slab: PacketSlab;
  #listener: MessagePortListener | undefined;
  #early: Buffer[] = [];
  #paused = false;
  /** Bytes of messages that arrived while paused, in this key exchange. */
  #sincePaused = 0;
  #active = false;
  #ending = false;
  #closed = false;
  #closeError: SallyportError | undefined;
  #keyExchangeBytes = 0;
  #sinceRekey = 0;
  #rekeyTimer: NodeJS.Timeout | undefined;
  #keyExchangeTimer: NodeJS.Timeout | undefined;

  /**
   * `connection` must not have begun its key exchange: the payload hook is copied into the decipher then. `socket` is what it
   * runs over: TCP, or a channel of another connection.
   */
  constructor(connection: ClientConnection | TargetConnection, socket: Duplex, limits: TransportLimits) {
    this.#protocol = (connection as unknown as { _protocol: Ssh2Protocol })._protocol;
    this.#socket = socket;
    this.#limits = limits;
    this.#slab = new PacketSlab(() => socket.writableLength === 0);
    const ssh2OnPayload = this.#protocol._onPayload;
    this.#protocol._onPayload = (payload) => {
      const type = payload[0];
      if (!this.#active || type === undefined || type < CONNECTION_PROTOCOL_FIRST || type > CONNECTION_PROTOCOL_LAST) {
        const outcome = ssh2OnPayload(payload);
        if (this.#active && this.#exchangingKeys) this.#watchKeyExchange();
        return outcome;
      }
      this.#protocol._onPacket();
      this.#arrived(payload);
      return undefined;
    };
    (connection as ClientConnection).on('handshake', ({ kex, serverHostKey, cs, sc }) => {
      this.negotiated ??= {
        keyExchange: kex,
        hostKey: serverHostKey,
        cipher: { in: cs.cipher, out: sc.cipher },
        mac: { in: cs.mac || 'none', out: sc.mac || 'none' },
      };
      this.#keysExchanged();
    });
    connection.on('error', (error: Error) => {
      this.#closeError ??= new SallyportError('PROTOCOL_VIOLATION', `SSH transport: ${error.message}`, { cause: error });
    });
    socket.on('drain', () => this.#drained());
    socket.once('end', () => this.#destroySoon());
    socket.once('close', () => this.#finished());
  }

  /** Takes over the connection protocol. Call it in the very turn in which authentication succeeded. */
  activate(): void {
    this.#active = true;
    const { seconds } = this.#limits.rekey;
    if (seconds > 0) {
      this.#rekeyTimer = setInterval(() => this.#rekey(), seconds * 1000);
      this.#rekeyTimer.unref();
    }
  }

  attach(listener: MessagePortListener): void {
    const first = this.#listener === undefined;
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    // What one read brought before anybody listened was kept, and nothing more was read.
    if (first) this.resume();
    for (const message of early) listener.message(message);
    if (this.#closed) listener.closed(this.#closeError);
  }

  send(message: Uint8Array): void {
    if (this.#closed || this.#protocol._destruct === undefined) return;
    const writer = this.#protocol._packetRW.write;
    const start = writer.allocStart;
    const packet = writer.alloc(message.length);
    packet.set(message, start);
    if (this.#exchangingKeys) {
      this.#keyExchangeBytes += message.length;
      this.#watchKeyExchange();
    }
    wire.sendPacket(this.#protocol, writer.finalize(packet));
    this.#count(message.length);
  }

  get blocked(): boolean {
    return this.#socket.writableLength >= HIGH_WATER || this.#keyExchangeBytes >= HIGH_WATER;
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  /** A key exchange goes on while paused: messages already on their way may have to be taken for it. */
  pause(): void {
    this.#paused = true;
    if (!this.#exchangingKeys) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  end(reason?: SallyportError): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#closeError ??= reason;
    const description = reason === undefined ? 'closed' : `sallyport: ${reason.message}`;
    this.send(writeMessage(MessageType.DISCONNECT, DISCONNECT_BY_APPLICATION, description, ''));
    this.#socket.end();
    this.#socket.resume();
    this.#destroySoon();
  }

  /** A peer that neither reads nor closes must not hold the session open. */
  #destroySoon(): void {
    const deadline = setTimeout(() => this.#socket.destroy(), LINGER_MILLISECONDS);
    this.#socket.once('close', () => clearTimeout(deadline));
  }

  #arrived(message: Buffer): void {
    this.#count(message.length);
    if (this.#paused && this.#exchangingKeys) {
      this.#sincePaused += message.length;
      if (this.#sincePaused > MAX_WHILE_EXCHANGING) {
        this.end(new SallyportError('PROTOCOL_VIOLATION', 'a key re-exchange was not answered, and messages went on'));
        return;
      }
    }
    if (this.#listener !== undefined) {
      this.#listener.message(message);
      return;
    }
    this.#early.push(message);
    // More is left to the peer's own buffers until somebody listens.
    this.pause();
  }

  get #exchangingKeys(): boolean {
    return this.#protocol._kexinit !== undefined;
  }

  #count(bytes: number): void {
    this.#sinceRekey += bytes;
    const limit = this.#limits.rekey.bytes;
    if (limit > 0 && this.#sinceRekey >= limit) this.#rekey();
  }

  #rekey(): void {
    this.#sinceRekey = 0;
    if (this.#closed || this.#protocol._destruct === undefined || this.#exchangingKeys) return;
    this.#sincePaused = 0;
    this.#protocol.rekey();
    this.#watchKeyExchange();
    if (this.#paused) this.#socket.resume();
  }

  /** A peer that begins an exchange and never finishes it would have us queue for ever. */
  #watchKeyExchange(): void {
    this.#keyExchangeTimer ??= setTimeout(() => {
      this.end(new SallyportError('PROTOCOL_VIOLATION', 'the key re-exchange was not finished in time'));
    }, this.#limits.handshake * 1000);
  }

  #keysExchanged(): void {
    this.#slab.serve(this.#protocol._cipher);
    clearTimeout(this.#keyExchangeTimer);
    this.#keyExchangeTimer = undefined;
    this.#sinceRekey = 0;
    this.#keyExchangeBytes = 0;
    if (this.#paused && !this.#ending) this.#socket.pause();
    if (!this.blocked) this.#drained();
  }

  #drained(): void {
    if (!this.blocked) this.#listener?.drained();
  }

  #finished(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#rekeyTimer);
    clearTimeout(this.#keyExchangeTimer);
    this.#listener?.closed(this.#closeError);
  }
}
