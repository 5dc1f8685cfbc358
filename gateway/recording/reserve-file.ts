import { randomFillSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { RESERVE_FILE } from './journal-layout.ts';

const PIECE_BYTES = 1024 * 1024;

/** What opening the database and writing the first records takes, several times over. */
const ROOM_TO_BEGIN = 2 * PIECE_BYTES;

/**
 * For a command that works on a data directory by itself, on a disk that may be full: gives the reserve back when there
 * is too little to begin with. The next gateway keeps one again.
 */
export async function makeRoomToBegin(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < ROOM_TO_BEGIN) await rm(join(directory, RESERVE_FILE), { force: true });
}

/** Disk space that is kept so that it can be given back when there is no other: then closing records still fit. */
export class ReserveFile {
  readonly #path: string;
  readonly #bytes: number;
  #held: boolean | undefined;

  constructor(directory: string, bytes: number) {
    this.#path = join(directory, RESERVE_FILE);
    this.#bytes = bytes;
  }

  /** What it would take again, once released. */
  get missingBytes(): number {
    return this.#held === false ? this.#bytes : 0;
  }

  /** Written with random bytes, because a file system may keep zeros without room for them. */
  async create(): Promise<void> {
    if (this.#held === true) return;
    if (await this.#present()) {
      this.#held = true;
      return;
    }
    const temporary = `${this.#path}.tmp`;
    const file = await open(temporary, 'w', 0o600);
    try {
      for (let written = 0; written < this.#bytes; written += PIECE_BYTES) {
        await file.writeFile(randomFillSync(Buffer.allocUnsafe(Math.min(PIECE_BYTES, this.#bytes - written))));
      }
      await file.datasync();
    } catch (thrown) {
      await rm(temporary, { force: true });
      throw thrown;
    } finally {
      await file.close();
    }
    await rename(temporary, this.#path);
    this.#held = true;
  }

  /** At once: the space is needed by what is written next. */
  release(): void {
    if (this.#held === false) return;
    this.#held = false;
    rmSync(this.#path, { force: true });
  }

  async #present(): Promise<boolean> {
    try {
      return (await stat(this.#path)).size === this.#bytes;
    } catch {
      return false; // not there, or not readable: it is written anew
    }
  }
}
