import { statfs } from 'node:fs/promises';
import type { Log } from '../base/log.ts';
import { ReserveFile } from './reserve-file.ts';

export type Space = 'ample' | 'low' | 'critical';

const CHECK_MILLIS = 1000;
const LARGEST_RESERVE_FILE = 16 * 1024 * 1024;

/**
 * Watches the free space of the data directory's disk. `low` below the reserve: no new sessions. `critical` below half
 * of it, or when a write failed for lack of space: running sessions have to end, and a file that was kept for this is
 * released so that their closing records fit. `ample` again at 125 %.
 */
export class DiskSpace {
  readonly #directory: string;
  readonly #reserveBytes: number;
  readonly #log: Log;
  readonly #reserveFile: ReserveFile;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<(space: Space) => void>();
  #space: Space = 'ample';
  #checking: Promise<void> | undefined;

  private constructor(directory: string, reserveBytes: number, log: Log) {
    this.#directory = directory;
    this.#reserveBytes = reserveBytes;
    this.#log = log;
    this.#reserveFile = new ReserveFile(directory, Math.min(LARGEST_RESERVE_FILE, Math.floor(reserveBytes / 8)));
    this.#timer = setInterval(() => void this.check(), CHECK_MILLIS);
    this.#timer.unref();
  }

  static async watch(directory: string, reserveBytes: number, log: Log): Promise<DiskSpace> {
    const disk = new DiskSpace(directory, reserveBytes, log);
    await disk.check();
    return disk;
  }

  get space(): Space {
    return this.#space;
  }

  onChange(listener: (space: Space) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A write found no space: that is certain, whatever the file system says of itself. */
  exhausted(): void {
    this.#set('critical');
  }

  /** Never rejects: a file system that cannot be asked counts as one without space. */
  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#listeners.clear();
    await this.#checking;
  }

  async #check(): Promise<void> {
    let free: number;
    try {
      const { bavail, bsize } = await statfs(this.#directory);
      free = bavail * bsize;
    } catch (thrown) {
      this.#log.error({ err: thrown, directory: this.#directory }, 'the free space of the data directory cannot be read');
      this.#set('critical');
      return;
    }
    // The reserve file is space that recordings can't use; without it the measure would jump when it is released.
    this.#set(judge(this.#space, free - (this.#reserveFile.missingBytes ?? 0), this.#reserveBytes));
    if (this.#space === 'ample') await this.#keepReserve();
  }

  async #keepReserve(): Promise<void> {
    try {
      await this.#reserveFile.create();
    } catch (thrown) {
      this.#log.warn({ err: thrown }, 'the reserve file cannot be written');
      this.#set('low');
    }
  }

  #set(space: Space): void {
    if (space === 'critical') this.#reserveFile.release();
    if (space === this.#space) return;
    this.#log[space === 'ample' ? 'info' : 'warn']({ space, before: this.#space }, 'free disk space is now another class');
    this.#space = space;
    // In a turn of its own: this may be called from within an append, whose session a listener wants to end.
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(space);
    });
  }
}

/** With hysteresis: what went low comes back at 125 % of the reserve, so that service does not flutter at the edge. */
export function judge(before: Space, free: number, reserve: number): Space {
  if (free < reserve / 2) return 'critical';
  if (free >= reserve * 1.25) return 'ample';
  if (free < reserve) return before === 'critical' ? 'critical' : 'low';
  return before;
}
