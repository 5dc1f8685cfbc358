import type { Socket } from 'node:net';

/**
 * The connections of a server that anybody may reach. There are at most so many; one more costs the place of the one
 * that has been without a request for longest, or, when all are busy, of the oldest. So a crowd that keeps silent holds
 * a bounded number of places, and a client that asks at once gets through it.
 */
export class ConnectionPlaces {
  readonly #limit: number;
  /** By the client's address and port; those without a request, the one that is so for longest first. */
  readonly #idle = new Map<string, Socket>();
  readonly #busy = new Map<string, Socket>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#idle.size + this.#busy.size;
  }

  enter(socket: Socket): void {
    if (this.taken >= this.#limit) {
      const [oldest] = this.#idle.size > 0 ? this.#idle : this.#busy;
      if (oldest !== undefined) this.#leave(...oldest);
    }
    const key = keyOf(socket);
    this.#idle.set(key, socket);
    socket.once('close', () => {
      // Its address may already be that of another connection.
      if (this.#idle.get(key) === socket) this.#idle.delete(key);
      if (this.#busy.get(key) === socket) this.#busy.delete(key);
    });
  }

  /** A request has begun. `socket` may be the TLS socket of the connection. */
  asks(socket: Socket): void {
    this.#move(socket, this.#idle, this.#busy);
  }

  answered(socket: Socket): void {
    this.#move(socket, this.#busy, this.#idle);
  }

  #move(socket: Socket, from: Map<string, Socket>, to: Map<string, Socket>): void {
    const key = keyOf(socket);
    const place = from.get(key);
    if (place === undefined) return;
    from.delete(key);
    to.set(key, place);
  }

  #leave(key: string, socket: Socket): void {
    this.#idle.delete(key);
    this.#busy.delete(key);
    socket.destroy();
  }
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`;
}
