import { useSyncExternalStore } from 'react';

/** One timer for everything that shows how much time has passed or is left: all of it changes together, and rests with the window. */
class SecondsClock {
  #now = Date.now();
  #timer: number | undefined;
  readonly #listeners = new Set<() => void>();

  readonly now = (): number => this.#now;

  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#tick();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      window.clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  };

  #tick(): void {
    this.#now = Date.now();
    // At the turn of the second, so that two windows beside each other count together.
    this.#timer = window.setTimeout(() => this.#tick(), 1000 - (this.#now % 1000) + 2);
    for (const listener of this.#listeners) listener();
  }
}

const clock = new SecondsClock();

/** Wall clock in milliseconds, anew every second. */
export function useNow(): number {
  return useSyncExternalStore(clock.listen, clock.now);
}
