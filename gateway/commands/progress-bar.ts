import { cut } from '../query/text-width.ts';

const REDRAW_MILLIS = 100;
const BAR_WIDTH = 24;

/** How far long work has come, on standard error, and only where that is a terminal. */
export class ProgressBar {
  readonly #shown = process.stderr.isTTY === true;
  #drawnAt = 0;

  /** `part` from 0 to 1. Cheap to call often. */
  show(part: number, words: string): void {
    if (!this.#shown) return;
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_MILLIS) return;
    this.#drawnAt = now;
    const filled = Math.round(Math.max(0, Math.min(1, part)) * BAR_WIDTH);
    const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}`;
    const line = `[${bar}] ${String(Math.floor(part * 100)).padStart(3)} %  ${words}`;
    process.stderr.write(`\r\x1b[K${cut(line, (process.stderr.columns ?? 80) - 1)}`);
  }

  clear(): void {
    if (this.#shown && this.#drawnAt > 0) process.stderr.write('\r\x1b[K');
  }
}
