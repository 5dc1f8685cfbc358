import type { StretchFile } from './stretch-file.ts';

const SYNC_MILLIS = 750;
/** Syncs at a time: the rest of the process shares the same few threads. */
const CONCURRENT = 2;

/** Makes journals durable in the background, at least once a second: one timer for all, and only while any was written. */
export class JournalSync {
  /** Files that were written since their last sync, each with whom to tell when its sync fails. */
  #dirty = new Map<StretchFile, (thrown: unknown) => void>();
  #timer: NodeJS.Timeout | undefined;
  #sweeping = false;

  wrote(file: StretchFile, failed: (thrown: unknown) => void): void {
    this.#dirty.set(file, failed);
    this.#schedule();
  }

  /** The file is not needed any more. */
  forget(file: StretchFile): void {
    this.#dirty.delete(file);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#dirty.clear();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#sweeping || this.#dirty.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#sweep();
    }, SYNC_MILLIS);
    this.#timer.unref();
  }

  async #sweep(): Promise<void> {
    this.#sweeping = true;
    const waiting = this.#dirty;
    this.#dirty = new Map();
    const next = waiting.entries();
    const work = async () => {
      for (const [file, failed] of next) {
        try {
          await file.sync();
          // Sealing may take its time; the file is complete and durable, so its descriptor is not needed for that.
          if (file.retired && !file.dirty) await file.close();
        } catch (thrown) {
          failed(thrown);
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT }, work));
    this.#sweeping = false;
    this.#schedule();
  }
}
