import type { Socket } from 'node:net';

/** Requests that a client may send before it has the answers. Each costs memory from the moment it is parsed. */
const MAX_UNANSWERED = 8;

interface Place {
  readonly socket: Socket;
  unanswered: number;
}

/**
 * The connections of a server that anybody may reach. There are at most so many; one more costs the place of the one
 * that has been without a request for longest, or, when all are busy, of the oldest. So a crowd that keeps silent holds
 * a bounded number of places, and a client that asks at once gets through it.
 */
export class ConnectionPlaces {
  readonly #limit: number;
  /** By the client's address and port; those without a request, the one that is so for longest first. */
  readonly #idle = new Map<string, Place>();
  readonly #busy = new Map<string, Place>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#idle.size + this.#busy.size;
  }

  enter(socket: Socket): void {
    if (this.taken >= this.#limit) {
      const [oldest] = this.#idle.size > 0 ? this.#idle : this.#busy;
      if (oldest !== undefined) this.#end(...oldest);
    }
    const key = keyOf(socket);
    const place = { socket, unanswered: 0 };
    this.#idle.set(key, place);
    socket.once('close', () => {
      // Its address may already be that of another connection.
      if (this.#idle.get(key) === place) this.#idle.delete(key);
      if (this.#busy.get(key) === place) this.#busy.delete(key);
    });
  }

  /** A request has begun; false when its connection has ended, or does now because it asks without waiting for answers. */
  asks(socket: Socket): boolean {
    const key = keyOf(socket);
    const place = this.#idle.get(key) ?? this.#busy.get(key);
    if (place === undefined) return false;
    place.unanswered += 1;
    if (place.unanswered > MAX_UNANSWERED) {
      this.#end(key, place);
      return false;
    }
    this.#idle.delete(key);
    this.#busy.set(key, place);
    return true;
  }

  answered(socket: Socket): void {
    const key = keyOf(socket);
    const place = this.#busy.get(key);
    if (place === undefined) return;
    place.unanswered -= 1;
    if (place.unanswered > 0) return;
    this.#busy.delete(key);
    this.#idle.set(key, place);
  }

  /** It is known whose the connection is, and counts elsewhere from now on. */
  leave(socket: Socket): void {
    const key = keyOf(socket);
    this.#idle.delete(key);
    this.#busy.delete(key);
  }

  /** Ends every connection that has a place. */
  close(): void {
    for (const [key, place] of [...this.#idle, ...this.#busy]) this.#end(key, place);
  }

  #end(key: string, { socket }: Place): void {
    this.#idle.delete(key);
    this.#busy.delete(key);
    socket.destroy();
  }
}

/** The same for the TCP connection and for the TLS socket on it. */
function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`;
}
