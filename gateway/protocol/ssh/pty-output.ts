import type { ReadStream } from 'node:tty';
import type { IPty } from 'node-pty';

/** How long output may still come once the process has ended: something in the background may hold the terminal open. */
const LAST_OUTPUT_MILLISECONDS = 200;

/** What is used of node-pty's terminal beyond its types. */
interface PtyInternals {
  readonly _socket: ReadStream;
}

/**
 * What comes out of a terminal, with a stop. node-pty destroys its socket 200 ms after the process has ended, whether
 * everything was read or not: a client that is slow at that moment would lose the end of the output. So the first
 * attempt is taken as the news that the process has ended, and what the kernel still holds (some 64 KiB) is read then.
 */
export class PtyOutput {
  readonly #socket: ReadStream;
  #ended = false;
  #last: NodeJS.Timeout | undefined;

  constructor(pty: IPty, data: (bytes: Buffer) => void) {
    const socket = (pty as unknown as PtyInternals)._socket;
    this.#socket = socket;
    // With `encoding: null` the chunks are Buffers, whatever the types say.
    pty.onData((chunk) => data(chunk as unknown as Buffer));
    const destroy = socket.destroy.bind(socket);
    socket.destroy = (error) => {
      if (error !== undefined || this.#ended) return destroy(error);
      this.#ended = true;
      this.#last = setTimeout(() => destroy(), LAST_OUTPUT_MILLISECONDS);
      return socket.resume();
    };
  }

  stop(): void {
    if (!this.#ended) this.#socket.pause();
  }

  go(): void {
    this.#socket.resume();
  }

  /** Hangs up: the processes on the terminal are told by the kernel, as when a modem loses its line. */
  hangUp(): void {
    clearTimeout(this.#last);
    this.#ended = true;
    this.#socket.destroy();
  }
}
