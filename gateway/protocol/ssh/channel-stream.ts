import { Duplex } from 'node:stream';
import type { LocalChannel, LocalChannelHandler } from './local-endpoint.ts';
import type { MessagePort } from './message-port.ts';

/**
 * A channel of one connection as the byte stream under another: what ssh2 and Ssh2Transport use of a socket. Nothing is
 * buffered beyond the channel's window in one direction and what the transport calls blocked in the other: the
 * client's window grows only as its bytes are read, and a write is done only when the connection has taken it.
 */
export class ChannelStream extends Duplex {
  readonly #channel: LocalChannel;
  readonly #port: Pick<MessagePort, 'blocked' | 'cork' | 'uncork'>;
  #received = 0;
  #acknowledged = 0;
  #heardAll = false;
  #written: (() => void) | undefined;
  readonly handler: LocalChannelHandler = {
    request: () => false,
    data: (bytes) => this.#arrived(bytes),
    eof: () => this.#allHeard(),
    closed: () => void this.destroy(),
    pause: () => undefined,
  };

  constructor(channel: LocalChannel, port: Pick<MessagePort, 'blocked' | 'cork' | 'uncork'>) {
    // As a socket of Node's servers: when the other side is done, so are we.
    super({ allowHalfOpen: false });
    this.#channel = channel;
    this.#port = port;
    channel.onRoom(() => this.room());
  }

  /** The connection, or the channel's window, may have room again. */
  room(): void {
    if (this.#channel.queued > 0 || this.#port.blocked) return;
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  override _read(): void {
    this.#acknowledge();
  }

  override _write(bytes: Buffer, _encoding: string, written: () => void): void {
    this.#deliver(bytes, written);
  }

  override _writev(pieces: { chunk: Buffer }[], written: () => void): void {
    this.#deliver(Buffer.concat(pieces.map(({ chunk }) => chunk)), written);
  }

  override _final(done: () => void): void {
    this.#channel.finish(undefined);
    done();
  }

  override _destroy(_error: Error | null, done: (error: null) => void): void {
    this.#channel.close();
    done(null);
  }

  #arrived(bytes: Buffer): void {
    if (this.#heardAll || this.destroyed) return;
    this.#received += bytes.length;
    this.push(bytes);
    this.#acknowledge();
  }

  #allHeard(): void {
    if (this.#heardAll || this.destroyed) return;
    this.#heardAll = true;
    this.push(null);
  }

  #acknowledge(): void {
    const used = this.#received - this.#acknowledged - this.readableLength;
    if (used <= 0) return;
    this.#acknowledged += used;
    this.#channel.consumed(used);
  }

  #deliver(bytes: Buffer, written: () => void): void {
    this.#written = written;
    this.#port.cork();
    this.#channel.write(bytes);
    this.#port.uncork();
    this.room();
  }
}
