import type { BridgeEvent } from '../../contract/desktop-bridge.ts';

/** More than these nobody asks for before a page is there. */
const MOST_WAITING = 8;

/** What the system wants opened waits for a page that can open it; everything else is only for a page that is there. */
export class WaitingForPage {
  readonly #emit: (event: BridgeEvent) => void;
  #waiting: BridgeEvent[] = [];
  #isReady = false;

  constructor(emit: (event: BridgeEvent) => void) {
    this.#emit = emit;
  }

  emit(event: BridgeEvent): void {
    if (this.#isReady) this.#emit(event);
    else if (event.event === 'open.route' || event.event === 'open.file') this.#waiting = [...this.#waiting, event].slice(-MOST_WAITING);
  }

  ready(): void {
    this.#isReady = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) this.#emit(event);
  }

  gone(): void {
    this.#isReady = false;
  }
}
