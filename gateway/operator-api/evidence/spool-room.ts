import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asSallyportError, SallyportError } from '../../base/errors.ts';

/** Bytes that stay free above what recording keeps for itself. */
const KEPT_FREE = 128 * 1024 * 1024;
const LOOK_MILLIS = 200;

/** A file in the making, and what guards the disk while it is written. */
export interface SpoolFile {
  readonly path: string;
  /** Does the work that writes it, and ends that when the disk gets short: sessions go before files for operators. */
  guard<Result>(signal: AbortSignal, work: (guarded: AbortSignal) => Promise<Result>): Promise<Result>;
  remove(): Promise<void>;
}

/**
 * Where files stand that are made for operators: `exports/` in the data directory, which is made anew at each start and
 * empty when the gateway has stopped.
 */
export class SpoolRoom {
  readonly #directory: string;
  readonly #room: () => Promise<number>;
  #next = 1;

  /** `room`: bytes that are free on the disk above what recording needs. */
  private constructor(directory: string, room: () => Promise<number>) {
    this.#directory = directory;
    this.#room = room;
  }

  static async open(dataDirectory: string, room: () => Promise<number>): Promise<SpoolRoom> {
    const directory = join(dataDirectory, 'exports');
    try {
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { mode: 0o700 });
    } catch (thrown) {
      throw new SallyportError('DATA_DIRECTORY_INVALID', `The folder ${directory} cannot be emptied: ${asSallyportError(thrown).message}`, {
        remedy: 'what stands in it is bundles of an earlier life of the gateway: delete it as its owner',
        cause: thrown,
      });
    }
    return new SpoolRoom(directory, room);
  }

  /** Throws DISK_LOW. */
  async take(extension: string): Promise<SpoolFile> {
    await this.#requireRoom();
    const path = join(this.#directory, `${process.pid}-${this.#next++}.${extension}`);
    return {
      path,
      guard: (signal, work) => this.#guard(signal, work),
      remove: () => rm(path, { force: true }),
    };
  }

  close(): Promise<void> {
    return rm(this.#directory, { recursive: true, force: true });
  }

  async #guard<Result>(signal: AbortSignal, work: (guarded: AbortSignal) => Promise<Result>): Promise<Result> {
    const short = new AbortController();
    const looking = setInterval(() => void this.#requireRoom().catch((thrown: unknown) => short.abort(thrown)), LOOK_MILLIS);
    try {
      return await work(AbortSignal.any([signal, short.signal]));
    } finally {
      clearInterval(looking);
    }
  }

  async #requireRoom(): Promise<void> {
    if ((await this.#room()) >= KEPT_FREE) return;
    throw new SallyportError('DISK_LOW', 'the disk of the gateway has too little space left for this: what is left is for recordings', {
      remedy: 'free space on the disk of the data directory, or ask for less',
    });
  }
}
