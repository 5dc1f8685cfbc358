import { type BridgeEvent, MOST_SOCKETS, SOCKET_HIGH_WATER, SOCKET_LOW_WATER } from '../../contract/desktop-bridge.ts';
import { DesktopError, messageOf } from '../base/desktop-error.ts';
import { requirePagePath } from '../gateway/gateway-path.ts';
import { CLOSED, openPinnedSocket, type PinnedSocket } from '../gateway/pinned-socket.ts';
import type { GatewayInUse } from './gateway-in-use.ts';

/** What a message costs beside its bytes, so that very many empty ones count as well. */
const MESSAGE_OVERHEAD = 64;

interface Bridged {
  socket: PinnedSocket | undefined;
  /** Bytes that the page has been sent and has not dealt with. */
  untaken: number;
  paused: boolean;
}

/** WebSockets of the page. A page that does not take what it is sent stops the reading of it. */
export class BridgedSockets {
  readonly #inUse: GatewayInUse;
  readonly #emit: (event: BridgeEvent) => void;
  readonly #open = new Map<string, Bridged>();

  constructor(inUse: GatewayInUse, emit: (event: BridgeEvent) => void) {
    this.#inUse = inUse;
    this.#emit = emit;
  }

  /** What becomes of it is told by events. Throws REQUEST_INVALID, and LOGIN_REQUIRED. */
  open(id: string, path: string): void {
    requirePagePath(path);
    if (this.#open.has(id)) throw new DesktopError('REQUEST_INVALID', 'the page has a socket of this name already');
    if (this.#open.size >= MOST_SOCKETS) throw new DesktopError('REQUEST_INVALID', `the page has ${MOST_SOCKETS} sockets already`);
    const { gateway, logIn } = this.#inUse.reachLoggedIn();
    const bridged: Bridged = { socket: undefined, untaken: 0, paused: false };
    this.#open.set(id, bridged);
    const ended = (code: number, reason: string): void => {
      if (this.#open.get(id) !== bridged) return;
      this.#open.delete(id);
      this.#emit({ event: 'socket.closed', socket: id, code, reason });
    };
    openPinnedSocket(gateway, { path, token: logIn.token }, { message: (data) => this.#pass(id, bridged, data), closed: ended }).then(
      (socket) => {
        bridged.socket = socket;
        // The page had closed it before it was there.
        if (this.#open.get(id) !== bridged) socket.close();
      },
      (thrown: unknown) => {
        ended(CLOSED.abnormally, messageOf(thrown));
        if (thrown instanceof DesktopError && thrown.code === 'LOGIN_REQUIRED') void this.#inUse.isOver(gateway, logIn, thrown.message);
      },
    );
  }

  taken(id: string, bytes: number): void {
    const bridged = this.#open.get(id);
    if (bridged === undefined) return;
    bridged.untaken = Math.max(0, bridged.untaken - bytes);
    if (!bridged.paused || bridged.untaken > SOCKET_LOW_WATER) return;
    bridged.paused = false;
    bridged.socket?.resume();
  }

  /** Nothing is told of one that the page closes itself. */
  close(id: string): void {
    const bridged = this.#open.get(id);
    this.#open.delete(id);
    bridged?.socket?.close();
  }

  /** The page is gone, or talks to another gateway now. */
  closeAll(reason?: string): void {
    for (const id of [...this.#open.keys()]) {
      this.close(id);
      if (reason !== undefined) this.#emit({ event: 'socket.closed', socket: id, code: CLOSED.abnormally, reason });
    }
  }

  #pass(id: string, bridged: Bridged, data: string | Buffer): void {
    if (this.#open.get(id) !== bridged) return;
    const bytes = MESSAGE_OVERHEAD + data.length;
    bridged.untaken += bytes;
    if (bridged.untaken > SOCKET_HIGH_WATER && !bridged.paused) {
      bridged.paused = true;
      bridged.socket?.pause();
    }
    // A copy: what is sent is the bytes of the message, and not the piece of the connection that they are in.
    this.#emit({ event: 'socket.message', socket: id, data: typeof data === 'string' ? data : new Uint8Array(data), bytes });
  }
}
