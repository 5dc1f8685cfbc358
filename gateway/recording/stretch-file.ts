import { closeSync, fdatasync, mkdirSync, openSync, rmSync, writeSync, writevSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { syncDirectory } from './durable-directory.ts';
import { errnoCode } from './errno-code.ts';

const syncData = promisify(fdatasync);

/** A write that took fewer bytes than it was given, which for a file means that there is no space. */
export class ShortWrite extends Error {
  readonly code = 'ENOSPC';
  readonly syscall = 'write';

  constructor(written: number, asked: number) {
    super(`only ${written} of ${asked} bytes were written`);
  }
}

/**
 * A journal file that is being written: synchronously, in one call each time, so that what has been appended survives
 * the end of the process. Syncs run in the background and never overlap.
 */
export class StretchFile {
  readonly path: string;
  bytes = 0;
  /** Something was written since the last sync began. */
  dirty = false;
  readonly #file: number;
  /** Directories whose entry for this file, or for the directory below, is not durable yet. */
  #newEntries: string[];
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #retired = false;
  #closed = false;

  private constructor(path: string, file: number, newEntries: string[]) {
    this.path = path;
    this.#file = file;
    this.#newEntries = newEntries;
  }

  /** Fails when the file exists. */
  static create(path: string): StretchFile {
    const directory = dirname(path);
    for (let attempt = 1; ; attempt++) {
      const newEntries = [directory];
      const first = mkdirSync(directory, { recursive: true, mode: 0o700 });
      for (let made = directory; first !== undefined && made.length >= first.length; made = dirname(made)) newEntries.push(dirname(made));
      try {
        return new StretchFile(path, openSync(path, 'ax', 0o600), newEntries);
      } catch (thrown) {
        // The directories of a session are removed in the background when another channel of it was sealed.
        if (errnoCode(thrown) !== 'ENOENT' || attempt >= 3) throw thrown;
      }
    }
  }

  /** Throws when not everything was written; the file must not be written to any more then. */
  write(buffers: readonly Uint8Array[]): void {
    let total = 0;
    for (const buffer of buffers) total += buffer.length;
    const first = buffers[0];
    if (first === undefined) return;
    this.dirty = true;
    const written = buffers.length === 1 ? writeSync(this.#file, first) : writevSync(this.#file, buffers);
    this.bytes += written;
    if (written !== total) throw new ShortWrite(written, total);
  }

  /** Resolves when everything written before the call is durable. Calls that come while one sync runs share the next. */
  sync(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#running === undefined) {
      this.#running = this.#sync().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    this.#next ??= this.#running
      .catch(() => undefined) // told to whoever asked for that one
      .then(() => {
        this.#next = undefined;
        return this.sync();
      });
    return this.#next;
  }

  /** Nothing is written any more. */
  retire(): void {
    this.#retired = true;
  }

  get retired(): boolean {
    return this.#retired;
  }

  /** Waits for syncs that run; what was written last need not be durable. Further syncs have nothing to do. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#retired = true;
    while (this.#running !== undefined) await this.#running.catch(() => undefined); // told to whoever asked for that sync
    closeSync(this.#file);
  }

  /** Removes a file that did not even get its header. */
  discard(): void {
    closeSync(this.#file);
    rmSync(this.path, { force: true });
  }

  async #sync(): Promise<void> {
    if (this.dirty) {
      this.dirty = false;
      try {
        await syncData(this.#file);
      } catch (thrown) {
        this.dirty = true;
        throw thrown;
      }
    }
    if (this.#newEntries.length === 0) return;
    const directories = this.#newEntries;
    this.#newEntries = [];
    try {
      for (const directory of directories) await syncDirectory(directory);
    } catch (thrown) {
      // A stretch that was sealed meanwhile is gone, and its directory with it.
      if (this.#retired && errnoCode(thrown) === 'ENOENT') return;
      this.#newEntries.push(...directories);
      throw thrown;
    }
  }
}
