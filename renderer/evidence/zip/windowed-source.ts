import type { ByteSource } from './zip-directory.ts';
import type { Bytes } from './zip-format.ts';

const WINDOW_BYTES = 1024 * 1024;
const KEPT = 4;

/** Reads larger pieces and keeps the last few: a bundle has many small files that stand one behind the other. */
export class WindowedSource implements ByteSource {
  readonly #source: ByteSource;
  readonly #windows: { at: number; bytes: Promise<Bytes> }[] = [];

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get size(): number {
    return this.#source.size;
  }

  async read(at: number, length: number): Promise<Bytes> {
    if (length >= WINDOW_BYTES / 2) return this.#source.read(at, length);
    const window = this.#windows.find((each) => at >= each.at && at + length <= Math.min(each.at + WINDOW_BYTES, this.size));
    const { at: from, bytes } = window ?? this.#open(at);
    return (await bytes).slice(at - from, at - from + length);
  }

  #open(at: number): { at: number; bytes: Promise<Bytes> } {
    const window = { at, bytes: this.#source.read(at, Math.max(0, Math.min(WINDOW_BYTES, this.size - at))) };
    this.#windows.push(window);
    if (this.#windows.length > KEPT) this.#windows.shift();
    // One that could not be read is read again when it is asked for again.
    window.bytes.catch(() => {
      const place = this.#windows.indexOf(window);
      if (place >= 0) this.#windows.splice(place, 1);
    });
    return window;
  }
}
