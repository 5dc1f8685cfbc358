import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, crc32, createDeflateRaw, deflateRawSync, type ZlibOptions } from 'node:zlib';
import { centralHeader, dataDescriptor, endRecord, isBundleName, localHeader, type ZipEntry, zip64End } from './zip-format.ts';

/**
 * What a bundle may unpack to: a fixed allowance, and so many bytes for each of the file's own. Readers hold to it, so
 * that a small file cannot keep them busy for hours; the writer stores content that would go beyond it as it is.
 */
export const UNPACKED_ALLOWANCE = 256 * 1024 * 1024;
export const UNPACKED_PER_BYTE = 200;

/** How content is packed: text by its repetitions; base64 has none, and only its six bits in a byte are to be had; not at all. */
export type Packing = 'text' | 'base64' | 'stored';

/** Twice as fast as zlib's own choice, and some percent larger: a bundle is mostly recordings, of any length. */
const LEVEL = 3;
const deflateOptions = {
  text: { level: LEVEL },
  base64: { level: LEVEL, strategy: constants.Z_HUFFMAN_ONLY },
} as const;

const SMALL_BYTES = 64 * 1024;
const WRITE_BYTES = 256 * 1024;

export interface EntryOptions {
  /** The largest size that the content can have, where that may be large: too much of it is not packed. */
  atMost?: number;
  /** Text unless said. */
  packing?: Packing;
}

export interface WrittenEntry {
  name: string;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

/**
 * Writes a zip file from front to back, one entry after the other, into an open file. Memory: a few chunks, and some
 * 200 bytes for each entry. Not with a library: those at hand buffer, lose the errors of a source, or leave room for
 * bytes that nobody would miss when they change.
 */
export class ZipWriter {
  readonly #file: FileHandle;
  readonly #digest = createHash('sha256');
  readonly #entries: ZipEntry[] = [];
  readonly #names = new Set<string>();
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #offset = 0;
  #unpacked = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Bytes of the file so far. */
  get bytes(): number {
    return this.#offset;
  }

  /**
   * Adds an entry. The name has to be a bundle's, and may not stand in it already, in whatever case.
   */
  async add(name: string, content: AsyncIterable<Uint8Array>, options: EntryOptions = {}): Promise<WrittenEntry> {
    const key = name.toLowerCase();
    if (!isBundleName(name) || this.#names.has(key)) throw new RangeError(`${JSON.stringify(name)} cannot be the name of another entry`);
    this.#names.add(key);
    const allowance = UNPACKED_ALLOWANCE + UNPACKED_PER_BYTE * this.#offset;
    const packing = options.packing ?? 'text';
    const stored = packing === 'stored' || this.#unpacked + (options.atMost ?? 0) > allowance;
    const offset = this.#offset;
    await this.#write(localHeader({ name, stored }));
    const begin = this.#offset;
    const sha256 = createHash('sha256');
    let checksum = 0;
    let bytes = 0;
    const counted = async function* () {
      for await (const chunk of content) {
        sha256.update(chunk);
        checksum = crc32(chunk, checksum);
        bytes += chunk.length;
        yield chunk;
      }
    };
    if (stored) for await (const chunk of counted()) await this.#write(chunk);
    else await this.#deflate(counted(), deflateOptions[packing]);
    const entry: ZipEntry = { name, stored, crc32: checksum, bytes, packedBytes: this.#offset - begin, offset };
    await this.#write(dataDescriptor(entry));
    this.#entries.push(entry);
    this.#unpacked += bytes;
    return { name, bytes, sha256: sha256.digest('hex') };
  }

  /** Writes the list of entries and the seal. The file is then complete, and neither synced nor closed. */
  async finish(): Promise<void> {
    const offset = this.#offset;
    for (const entry of this.#entries) await this.#write(centralHeader(entry));
    const directory = { entries: this.#entries.length, bytes: this.#offset - offset, offset };
    await this.#write(zip64End(directory));
    await this.#write(endRecord(directory, this.#digest.copy().digest('hex')));
    await this.#flush();
  }

  /** A bundle has many small files: for these a stream costs far more than their few bytes. */
  async #deflate(content: AsyncGenerator<Uint8Array>, options: ZlibOptions): Promise<void> {
    const first: Uint8Array[] = [];
    let held = 0;
    let step = await content.next();
    for (; step.done !== true && held + step.value.length <= SMALL_BYTES; step = await content.next()) {
      first.push(step.value);
      held += step.value.length;
    }
    if (step.done === true) return this.#write(deflateRawSync(Buffer.concat(first), options));
    first.push(step.value);
    const whole = async function* () {
      yield* first;
      yield* content;
    };
    const source = Readable.from(whole(), { objectMode: true, highWaterMark: 1 });
    await pipeline(source, createDeflateRaw(options), async (packed: AsyncIterable<Buffer>) => {
      for await (const chunk of packed) await this.#write(chunk);
    });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#digest.update(bytes);
    this.#offset += bytes.length;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= WRITE_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, written);
      written += bytesWritten;
    }
  }
}
