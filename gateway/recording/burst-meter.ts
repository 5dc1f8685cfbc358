const WINDOW_MILLIS = 100;
/** More than this in a window is a burst: about 20 MB/s. */
const BURST_BYTES = 2 * 1024 * 1024;

/** Tells whether the relay is busy with a lot of data right now, from what is appended to journals. */
export class BurstMeter {
  #windowStart = 0;
  #bytes = 0;
  #previousBytes = 0;

  note(bytes: number): void {
    this.#advance();
    this.#bytes += bytes;
  }

  get lasts(): boolean {
    this.#advance();
    return this.#bytes > BURST_BYTES || this.#previousBytes > BURST_BYTES;
  }

  #advance(): void {
    const now = performance.now();
    const elapsed = now - this.#windowStart;
    if (elapsed < WINDOW_MILLIS) return;
    this.#previousBytes = elapsed < 2 * WINDOW_MILLIS ? this.#bytes : 0;
    this.#bytes = 0;
    this.#windowStart = now;
  }
}
