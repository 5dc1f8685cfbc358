import { writeSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import type { IPty } from 'node-pty';

/** Between two tries at a terminal whose reader is behind: its descriptor does not tell when it has room. */
const RETRY_MILLISECONDS = 5;

/** What is used of node-pty's terminal beyond its types. */
interface PtyInternals {
  readonly fd: number;
  readonly _socket: ReadStream;
}

/**
 * Writes to a terminal and says when bytes have been taken. node-pty's own `write` queues without a bound and spins
 * while the terminal is full, so that a client could fill the gateway's memory, and its event loop, towards a process
 * that never reads. The descriptor does not block; writing in the same turn as the check for its being open makes sure
 * that it is not another file by then.
 */
export class PtyInput {
  readonly #pty: PtyInternals;
  readonly #taken: (bytes: number) => void;
  #queue: Array<{ bytes: Buffer; counts: number }> = [];
  #retry: NodeJS.Timeout | undefined;

  /** `taken` is called with the client's bytes that have gone into the terminal. */
  constructor(pty: IPty, taken: (bytes: number) => void) {
    this.#pty = pty as unknown as PtyInternals;
    this.#taken = taken;
  }

  /** `counts` is how many bytes of the client these are (quoting makes them more). */
  write(bytes: Buffer, counts: number): void {
    this.#queue.push({ bytes, counts });
    if (this.#retry === undefined) this.#drain();
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#queue = [];
  }

  #drain(): void {
    this.#retry = undefined;
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      const written = this.#tryToWrite(first.bytes);
      if (written === 'gone') {
        this.close();
        return;
      }
      if (written < first.bytes.length) {
        first.bytes = first.bytes.subarray(written);
        this.#retry = setTimeout(() => this.#drain(), RETRY_MILLISECONDS);
        return;
      }
      this.#queue.shift();
      this.#taken(first.counts);
    }
  }

  #tryToWrite(bytes: Buffer): number | 'gone' {
    if (this.#pty._socket.destroyed) return 'gone';
    if (bytes.length === 0) return 0;
    try {
      return writeSync(this.#pty.fd, bytes);
    } catch (error) {
      // EIO: the process has closed its terminal; node-pty reports the exit.
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : 'gone';
    }
  }
}
