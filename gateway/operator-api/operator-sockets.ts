import type { Socket } from 'node:net';
import type { WebSocket } from '@fastify/websocket';
import type { Role } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import type { LoggedIn } from './authorise.ts';
import type { LogIns } from './log-ins.ts';

/** Open at one time: of one operator, and of all together. */
const PER_OPERATOR = 16;
const TOGETHER = 256;
/** How often a peer is asked for a sign of life, and its log-in is looked at again. */
const LOOK_MILLIS = 15_000;

/** Close codes (RFC 6455 section 7.4): policy violation is the standard's own, the others are of the private range. */
const CLOSED_LOGGED_OUT = 4401;
const CLOSED_ROLE_MISSING = 4403;
const CLOSED_GOING_AWAY = 1001;

interface Kept {
  readonly operator: string;
  readonly token: string;
  readonly roles: readonly Role[];
  alive: boolean;
}

/** The WebSockets of operators: how many there may be, and for how long each. */
export class OperatorSockets {
  readonly #kept = new Map<WebSocket, Kept>();
  readonly #addresses: RegExp[] = [];
  readonly #logIns: LogIns;
  readonly #leavePlaces: (socket: Socket) => void;
  readonly #timer: NodeJS.Timeout;

  /** `leavePlaces` is told of a connection that no longer counts among those of strangers. */
  constructor(logIns: LogIns, leavePlaces: (socket: Socket) => void) {
    this.#logIns = logIns;
    this.#leavePlaces = leavePlaces;
    this.#timer = setInterval(() => this.look(), LOOK_MILLIS);
    this.#timer.unref();
  }

  get open(): number {
    return this.#kept.size;
  }

  /** `path` is one of the router's, whose parameters are ids. */
  offerAt(path: string): void {
    this.#addresses.push(new RegExp(`^${path.replaceAll(/:\w+/g, '[\\w-]{1,64}')}(?:\\?|$)`));
  }

  /** Whether a request to this address may become a WebSocket. */
  areAt(address: string): boolean {
    return this.#addresses.some((pattern) => pattern.test(address));
  }

  /** Throws CONFLICT when the operator, or all together, have as many as there may be. */
  requireRoom({ name }: LoggedIn): void {
    let own = 0;
    for (const { operator } of this.#kept.values()) if (operator === name) own += 1;
    if (own < PER_OPERATOR && this.#kept.size < TOGETHER) return;
    const whose = own >= PER_OPERATOR ? `${name} has ${own} WebSockets open` : `${this.#kept.size} WebSockets are open`;
    throw new SallyportError('CONFLICT', `${whose}, and there are no more at one time`, { remedy: 'close one of them first' });
  }

  keep(socket: WebSocket, connection: Socket, { name, token }: LoggedIn, roles: readonly Role[]): void {
    // It may be quiet for long; from here on pings say whether somebody is there.
    connection.setTimeout(0);
    this.#leavePlaces(connection);
    const kept: Kept = { operator: name, token, roles, alive: true };
    this.#kept.set(socket, kept);
    socket.on('pong', () => {
      kept.alive = true;
    });
    socket.once('close', () => this.#kept.delete(socket));
  }

  /** Ends the sockets whose log-in is not good any more, and asks the others for a sign of life; those that gave none go too. */
  look(): void {
    this.lookAtLogIns();
    for (const [socket, kept] of this.#kept) {
      if (!kept.alive) socket.terminate();
      else if (socket.readyState === socket.OPEN) {
        kept.alive = false;
        socket.ping();
      }
    }
  }

  /** To be called when log-ins were ended, or roles taken away. */
  lookAtLogIns(): void {
    for (const [socket, { token, roles }] of this.#kept) {
      const operator = this.#logIns.stillGood(token);
      if (operator === undefined) end(socket, CLOSED_LOGGED_OUT, 'the log-in is not good any more');
      else if (!operator.roles.some((role) => roles.includes(role))) end(socket, CLOSED_ROLE_MISSING, 'the role was taken away');
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const socket of this.#kept.keys()) end(socket, CLOSED_GOING_AWAY, 'the gateway is shutting down');
  }
}

/** A peer that does not answer the close is cut off: nothing goes to it any more either way. */
function end(socket: WebSocket, code: number, reason: string): void {
  // What ends already was told why, and may be waited for in vain all the same.
  if (socket.readyState === socket.OPEN) socket.close(code, reason);
  const patience = setTimeout(() => socket.terminate(), 1000);
  socket.once('close', () => clearTimeout(patience));
}
