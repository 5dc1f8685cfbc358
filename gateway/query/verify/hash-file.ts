import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { zstdFrames } from '../../recording/zstd-frames.ts';

const decompress = promisify(zstdDecompress);

const CHUNK_BYTES = 1024 * 1024;
/** The sealer puts 256 KiB of text into a frame, and one line more. */
const MOST_FRAME_BYTES = 64 * 1024 * 1024;

export interface Digest {
  bytes: number;
  sha256: string;
}

export interface TextDigest extends Digest {
  lines: number;
}

/** Not a file that can be read as evidence: a link, a pipe, a directory. */
export class NoRegularFile extends Error {}

/** Opens a file of the evidence. Links are not followed: they would lead out of the evidence. */
export async function openEvidence(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new NoRegularFile('it is not a regular file');
}

/**
 * The digest of a file, and, when `withText`, that of the text in its zstd frames. `text` is undefined when the content
 * is no zstd, or is more than `atMost` bytes of text. Memory: a chunk, or a frame.
 */
export async function hashFile(
  path: string,
  text: { atMost: number } | undefined,
): Promise<{ file: Digest; text: TextDigest | undefined }> {
  const handle = await openEvidence(path);
  const hash = createHash('sha256');
  const unpacked = text === undefined ? undefined : new TextHash(text.atMost);
  let bytes = 0;
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, bytes);
      if (bytesRead === 0) break;
      bytes += bytesRead;
      const read = chunk.subarray(0, bytesRead);
      hash.update(read);
      await unpacked?.push(read);
    }
    return { file: { bytes, sha256: hash.digest('hex') }, text: unpacked?.end() };
  } finally {
    await handle.close();
  }
}

export class TextHash {
  readonly #hash = createHash('sha256');
  readonly #atMost: number;
  #bytes = 0;
  #lines = 0;
  #rest: Buffer = Buffer.alloc(0);
  #broken = false;

  constructor(atMost: number) {
    this.#atMost = atMost;
  }

  async push(chunk: Buffer): Promise<void> {
    if (this.#broken) return;
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let used = 0;
    try {
      for (const frame of zstdFrames(this.#rest)) {
        used = frame.byteOffset - this.#rest.byteOffset + frame.length;
        await this.#take(frame);
      }
    } catch (thrown) {
      // A frame that is not all there yet. One that is broken stays that way, and is told at the end.
      if (!(thrown instanceof RangeError) || this.#rest.length - used > MOST_FRAME_BYTES) this.#broken = true;
    }
    this.#rest = this.#rest.subarray(used);
  }

  end(): TextDigest | undefined {
    if (this.#broken || this.#rest.length > 0) return undefined;
    return { bytes: this.#bytes, lines: this.#lines, sha256: this.#hash.digest('hex') };
  }

  async #take(frame: Buffer): Promise<void> {
    const content = await decompress(frame, { maxOutputLength: Math.min(MOST_FRAME_BYTES, this.#atMost - this.#bytes + 1) });
    this.#bytes += content.length;
    if (this.#bytes > this.#atMost) throw new TypeError('more text than was sealed');
    this.#hash.update(content);
    for (let at = content.indexOf(10); at !== -1; at = content.indexOf(10, at + 1)) this.#lines += 1;
  }
}
