import { type OperatorEvent, operatorEvent } from '../../../contract/operator-events.ts';
import type { HostTransport } from '../host/host.ts';

/** `lost`: it was there, and is tried again. */
export type Connection = 'connecting' | 'up' | 'lost';

const FIRST_WAIT_MILLIS = 250;
const LONGEST_WAIT_MILLIS = 5000;
/** A connection is taken for good when it has lasted this long: an end at once is a refusal. */
const SETTLED_MILLIS = 300;

/** The gateway's events, for as long as somebody is logged in. A lost connection is tried again, ever later. */
export class EventStream {
  readonly #transport: HostTransport;
  readonly #events = new Set<(event: OperatorEvent) => void>();
  readonly #connections = new Set<() => void>();
  readonly #failures = new Set<() => void>();
  #state: Connection = 'connecting';
  #socket: { close(): void } | undefined;
  #cancelWait: (() => void) | undefined;
  #failed = 0;
  #running = false;

  constructor(transport: HostTransport) {
    this.#transport = transport;
  }

  get state(): Connection {
    return this.#state;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  stop(): void {
    this.#running = false;
    this.#cancelWait?.();
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** At once, instead of when the wait is over. */
  retry(): void {
    if (!this.#running || this.#socket !== undefined) return;
    this.#cancelWait?.();
    this.#connect();
  }

  onEvent(listener: (event: OperatorEvent) => void): () => void {
    this.#events.add(listener);
    return () => this.#events.delete(listener);
  }

  readonly onConnection = (listener: () => void): (() => void) => {
    this.#connections.add(listener);
    return () => this.#connections.delete(listener);
  };

  /** Each time that it is lost or cannot be had: a browser is not told why, and whoever may know is asked. */
  onFailure(listener: () => void): () => void {
    this.#failures.add(listener);
    return () => this.#failures.delete(listener);
  }

  #connect(): void {
    const settled = this.#transport.after(SETTLED_MILLIS, () => {
      this.#failed = 0;
      this.#become('up');
    });
    const socket = this.#transport.connect('/api/events', {
      message: (data) => {
        if (this.#socket !== socket || typeof data !== 'string') return;
        const read = operatorEvent.safeParse(JSON.parse(data));
        // An event that a newer gateway tells is none of ours.
        if (read.success) for (const listener of this.#events) listener(read.data);
      },
      closed: () => {
        settled();
        if (this.#socket !== socket) return;
        this.#socket = undefined;
        if (!this.#running) return;
        this.#failed += 1;
        this.#become('lost');
        for (const listener of this.#failures) listener();
        this.#cancelWait = this.#transport.after(Math.min(FIRST_WAIT_MILLIS * 2 ** (this.#failed - 1), LONGEST_WAIT_MILLIS), () =>
          this.#connect(),
        );
      },
    });
    this.#socket = socket;
  }

  #become(state: Connection): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of this.#connections) listener();
  }
}
