import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { OpenedFile } from '../../contract/desktop-bridge.ts';
import { DesktopError, messageOf } from '../base/desktop-error.ts';

const MOST_FILES = 8;

/** Files that the person has chosen. The page has a handle of each, reads by it, and never learns where it lies. */
export class OpenedFiles {
  readonly #open = new Map<string, FileHandle>();

  /** Throws FILE_FAILED. */
  async open(path: string): Promise<OpenedFile> {
    if (this.#open.size >= MOST_FILES)
      throw new DesktopError('FILE_FAILED', `${MOST_FILES} files are open already`, { remedy: 'close one' });
    let file: FileHandle;
    try {
      // A named pipe would otherwise be waited for until somebody writes to it.
      file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    } catch (thrown) {
      throw failed(path, messageOf(thrown), thrown);
    }
    const stats = await file.stat();
    if (!stats.isFile()) {
      await file.close();
      throw failed(path, 'it is no file');
    }
    const id = randomUUID();
    this.#open.set(id, file);
    return { file: id, name: basename(path).slice(0, 255), size: stats.size };
  }

  /** Fewer bytes than asked for only at its end. Throws FILE_FAILED. */
  async read(id: string, at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.#open.get(id);
    if (file === undefined) throw new DesktopError('NOT_FOUND', 'this file is not open any more');
    const bytes = new Uint8Array(length);
    let done = 0;
    try {
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, at + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
    } catch (thrown) {
      throw failed('the file', messageOf(thrown), thrown);
    }
    return done === length ? bytes : bytes.slice(0, done);
  }

  async close(id: string): Promise<void> {
    const file = this.#open.get(id);
    this.#open.delete(id);
    await file?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.close(id)));
  }
}

function failed(path: string, why: string, cause?: unknown): DesktopError {
  return new DesktopError('FILE_FAILED', `${path} could not be read: ${why}`, cause === undefined ? {} : { cause });
}
