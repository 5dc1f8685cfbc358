import { type FileHandle, open } from 'node:fs/promises';
import { decodeFrame, type Frame } from '../../../contract/frame-codec.ts';
import { nodeCodecHost } from '../../recording/codec-host.ts';
import { isGone } from '../../recording/errno-code.ts';

const READ_BYTES = 256 * 1024;

/** Reads a stretch of journal while it is being written, and after: up to an exact place, and later on from there. */
export class JournalCursor {
  readonly #file: FileHandle;
  /** Bytes of the file that were read, and the end of them that is no whole frame. */
  #read = 0;
  #rest = Buffer.alloc(0);

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Undefined when it is not there: not any more, if it has been sealed. */
  static async open(path: string): Promise<JournalCursor | undefined> {
    try {
      return new JournalCursor(await open(path, 'r'));
    } catch (thrown) {
      if (isGone(thrown)) return undefined;
      throw thrown;
    }
  }

  /** Bytes of frames that were handed over. */
  get at(): number {
    return this.#read - this.#rest.length;
  }

  /** The frames from where it stands up to byte `limit`, or to the end of the file. Throws on what is no frame. */
  async *frames(limit = Number.POSITIVE_INFINITY): AsyncGenerator<Frame> {
    while (this.at < limit) {
      const wanted = Math.min(READ_BYTES, limit - this.#read);
      // Frames are views of what was read, and whoever gets them may wait: each read has a buffer of its own.
      const buffer = Buffer.allocUnsafe(this.#rest.length + wanted);
      this.#rest.copy(buffer);
      const { bytesRead } = await this.#file.read(buffer, this.#rest.length, wanted, this.#read);
      if (bytesRead === 0) return;
      this.#read += bytesRead;
      const bytes = buffer.subarray(0, this.#rest.length + bytesRead);
      this.#rest = bytes;
      for (let at = 0; at < bytes.length; ) {
        const decoded = decodeFrame(bytes, at, nodeCodecHost);
        if (decoded === 'corrupt') throw new Error(`byte ${this.at} of the journal is no frame`);
        if (decoded === 'incomplete') break;
        at = decoded.end;
        this.#rest = bytes.subarray(at);
        yield decoded.frame;
      }
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
