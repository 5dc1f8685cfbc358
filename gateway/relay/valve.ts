/** Something whose flow can be stopped: one side of a session. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** Stops a side while at least one reason to stop holds: a slow peer, the sealer's backlog, an operator. */
export class Valve {
  readonly #side: Pausable;
  readonly #reasons = new Set<string>();

  constructor(side: Pausable) {
    this.#side = side;
  }

  get open(): boolean {
    return this.#reasons.size === 0;
  }

  set(reason: string, stopped: boolean): void {
    const wasOpen = this.open;
    if (stopped) this.#reasons.add(reason);
    else this.#reasons.delete(reason);
    if (wasOpen && !this.open) this.#side.pause();
    else if (!wasOpen && this.open) this.#side.resume();
  }
}
