import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DesktopError, messageOf } from '../base/desktop-error.ts';

/** None of the files of this app comes near it. */
const MOST_BYTES = 4 * 1024 * 1024;

/** A small file of this app: read whole, written whole or not at all, for nobody but the person whose it is. */
export class KeptFile {
  readonly path: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /** Undefined when there is none. Throws FILE_FAILED. */
  async read(): Promise<Buffer | undefined> {
    try {
      const { size } = await stat(this.path);
      if (size > MOST_BYTES) throw new RangeError(`it has ${size} bytes`);
      return await readFile(this.path);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw failed('read', this.path, thrown);
    }
  }

  /** One after the other, so that the last one that was asked for is the one that stays. Throws FILE_FAILED. */
  write(content: string | Buffer): Promise<void> {
    return this.#next(async () => {
      const temporary = `${this.path}.${randomBytes(6).toString('hex')}.tmp`;
      try {
        await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
        const file = await open(temporary, 'wx', 0o600);
        try {
          await file.writeFile(content);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, this.path);
      } catch (thrown) {
        // It may not even be there; why it could not be written is what matters.
        await rm(temporary, { force: true }).catch(() => undefined);
        throw failed('written', this.path, thrown);
      }
    });
  }

  remove(): Promise<void> {
    return this.#next(() => rm(this.path, { force: true }));
  }

  /** Keeps what cannot be used beside, for a person to look at, where it is in nobody's way. */
  setAside(): Promise<string> {
    return this.#next(async () => {
      const aside = `${this.path}.damaged`;
      await rename(this.path, aside);
      await chmod(aside, 0o600);
      return aside;
    });
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function failed(what: 'read' | 'written', path: string, cause: unknown): DesktopError {
  return new DesktopError('FILE_FAILED', `${path} could not be ${what}: ${messageOf(cause)}`, {
    remedy: 'see that the folder is yours and that the disk has room',
    cause,
  });
}
