import { asSallyportError } from '../base/errors.ts';
import type { ChannelRecording } from './channel-recording.ts';

const SYNC_MILLIS = 750;
/** Syncs at a time: the rest of the process shares the same few threads. */
const CONCURRENT = 2;

/** Makes journals durable in the background, at least once a second: one timer for all, and only while any was written. */
export class JournalSync {
  #dirty = new Set<ChannelRecording>();
  #timer: NodeJS.Timeout | undefined;
  #sweeping = false;

  wrote(recording: ChannelRecording): void {
    this.#dirty.add(recording);
    this.#schedule();
  }

  forget(recording: ChannelRecording): void {
    this.#dirty.delete(recording);
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
    this.#dirty = new Set();
    const next = waiting.values();
    const work = async () => {
      for (const recording of next) {
        if (!recording.writing) continue;
        // A failed sync has closed the recording and told its session.
        await recording.sync().catch((thrown: unknown) => recording.fail(asSallyportError(thrown, 'RECORDING_FAILED')));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT }, work));
    this.#sweeping = false;
    this.#schedule();
  }
}
