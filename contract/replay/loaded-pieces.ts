import type { CastEvent } from './cast-event.ts';
import type { ReplayDriver } from './driver.ts';

/** Going back and forth in one place reads nothing again. */
const KEPT = 4;

/** The pieces that were read last, and those that are on their way. */
export class LoadedPieces {
  readonly #driver: ReplayDriver;
  readonly #pieces = new Map<number, Promise<readonly CastEvent[]>>();

  constructor(driver: ReplayDriver) {
    this.#driver = driver;
  }

  load(piece: number): Promise<readonly CastEvent[]> {
    let loading = this.#pieces.get(piece);
    this.#pieces.delete(piece);
    if (loading === undefined) {
      loading = this.#driver.load(piece);
      // Whoever waits is told; when nobody does any more, it was closed.
      loading.catch(() => this.#pieces.delete(piece));
    }
    this.#pieces.set(piece, loading); // The last used is the last to go.
    for (const oldest of this.#pieces.keys()) {
      if (this.#pieces.size <= KEPT) break;
      this.#pieces.delete(oldest);
    }
    return loading;
  }

  /** Pieces from this one on have become other ones. */
  forget(from: number): void {
    for (const piece of this.#pieces.keys()) if (piece >= from) this.#pieces.delete(piece);
  }
}
