import type { Duplex } from 'node:stream';

/**
 * Connections before log-in. There are at most so many; one more costs the oldest that has said nothing its place,
 * else the oldest. So a flood of silent connections occupies a bounded number of places for a short time, and a client
 * that speaks at once gets through it: it is never the oldest.
 */
export class Admission {
  readonly #limit: number;
  readonly #milliseconds: number;
  /** In the order of arrival. */
  readonly #silent = new Map<Duplex, NodeJS.Timeout>();
  readonly #speaking = new Map<Duplex, NodeJS.Timeout>();

  /** `handshake` is in seconds: the whole time from the connection to the log-in. */
  constructor(limit: number, handshake: number) {
    this.#limit = limit;
    this.#milliseconds = handshake * 1000;
  }

  get waiting(): number {
    return this.#silent.size + this.#speaking.size;
  }

  enter(socket: Duplex): void {
    if (this.waiting >= this.#limit) {
      const [oldest] = this.#silent.size > 0 ? this.#silent.keys() : this.#speaking.keys();
      oldest?.destroy();
      if (oldest !== undefined) this.leave(oldest);
    }
    this.#silent.set(
      socket,
      setTimeout(() => socket.destroy(), this.#milliseconds),
    );
    socket.once('close', () => this.leave(socket));
  }

  /** The client has named itself. */
  spoke(socket: Duplex): void {
    const timer = this.#silent.get(socket);
    if (timer === undefined) return;
    this.#silent.delete(socket);
    this.#speaking.set(socket, timer);
  }

  /** Logged in, or gone. */
  leave(socket: Duplex): void {
    for (const places of [this.#silent, this.#speaking]) {
      clearTimeout(places.get(socket));
      places.delete(socket);
    }
  }
}
