import { concatenated, sameBytes } from '../encodings.ts';
import { Sha256Stream } from '../sha256.ts';
import { crc32 } from './crc32.ts';
import { type ByteSource, NotABundle, type ReadDirectory, readDirectory, readExactly } from './zip-directory.ts';
import { type Bytes, dataDescriptor, lengthInFile, localHeader, type ZipEntry } from './zip-format.ts';

/** What a bundle has under one name is not what its list of entries says. */
export class EntryFault extends Error {}

const CHUNK_BYTES = 1024 * 1024;
/** What is at most this long is unpacked in memory as a whole, where a stream would cost more than its content. */
const SMALL_BYTES = 256 * 1024;

/**
 * A bundle as it came, read without unpacking it. Everything about it is from outside: opening it refuses whatever
 * `sallyport export` does not write, and content is checked while it is read. Memory: some 200 bytes for each entry, and
 * a few chunks.
 */
export class BundleZip {
  readonly #source: ByteSource;
  readonly #directory: ReadDirectory;

  private constructor(source: ByteSource, directory: ReadDirectory) {
    this.#source = source;
    this.#directory = directory;
  }

  /** Throws NotABundle, and what reading the file throws. */
  static async open(source: ByteSource): Promise<BundleZip> {
    return new BundleZip(source, await readDirectory(source));
  }

  get size(): number {
    return this.#source.size;
  }

  /** In the order of the file. */
  get entries(): ReadonlyMap<string, ZipEntry> {
    return this.#directory.entries;
  }

  has(name: string): boolean {
    return this.#directory.entries.has(name);
  }

  /** Of all contents. */
  get unpackedBytes(): number {
    let sum = 0;
    for (const { bytes } of this.#directory.entries.values()) sum += bytes;
    return sum;
  }

  /** The content of an entry, from its beginning. Throws EntryFault: what was given out before that stands. */
  async *open(name: string): AsyncGenerator<Uint8Array> {
    const entry = this.#directory.entries.get(name);
    if (entry === undefined) throw new EntryFault('it is missing');
    const header = localHeader(entry);
    await this.#require(header, entry.offset, 'what stands in front of it is not what belongs there');
    const from = entry.offset + header.length;
    let bytes = 0;
    let checksum = 0;
    for await (const chunk of entry.stored ? this.#range(from, entry.packedBytes) : this.#inflated(entry, from)) {
      bytes += chunk.length;
      if (bytes > entry.bytes) throw new EntryFault(`it is longer than its ${entry.bytes} bytes`);
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
    if (bytes !== entry.bytes) throw new EntryFault(`it has ${bytes} bytes instead of ${entry.bytes}`);
    if (checksum !== entry.crc32) throw new EntryFault('its checksum is another');
    const descriptor = dataDescriptor(entry);
    const behind = entry.offset + lengthInFile(entry) - descriptor.length;
    await this.#require(descriptor, behind, 'what follows it is not what belongs there');
  }

  /** The whole of an entry. Throws EntryFault, also when it is larger than `atMost` bytes. */
  async read(name: string, atMost: number): Promise<Bytes> {
    const entry = this.#directory.entries.get(name);
    if (entry !== undefined && entry.bytes > atMost)
      throw new EntryFault(`it has ${entry.bytes} bytes, more than the ${atMost} it may have`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.open(name)) chunks.push(chunk);
    return concatenated(...chunks);
  }

  /**
   * Whether every byte of the file is the one that was written: the digest at its end against all that stands before it.
   * It shows accidents and careless hands; whoever can edit a bundle can write a new digest, and is found by the
   * manifest's signature and the ledger. `progress` is told the bytes that are read.
   */
  async isUnchanged(progress: (bytes: number) => void): Promise<boolean> {
    const digest = new Sha256Stream();
    let read = 0;
    for await (const chunk of this.#range(0, this.#directory.sealedBytes)) {
      digest.push(chunk);
      read += chunk.length;
      progress(read);
    }
    return digest.hex() === this.#directory.digest;
  }

  async *#range(offset: number, bytes: number): AsyncGenerator<Bytes> {
    for (let at = offset; at < offset + bytes; ) {
      const chunk = await readExactly(this.#source, at, Math.min(CHUNK_BYTES, offset + bytes - at));
      yield chunk;
      at += chunk.length;
    }
  }

  async #require(expected: Uint8Array, offset: number, otherwise: string): Promise<void> {
    if (!sameBytes(await readExactly(this.#source, offset, expected.length), expected)) throw new EntryFault(otherwise);
  }

  async *#inflated(entry: ZipEntry, from: number): AsyncGenerator<Uint8Array> {
    const packed = this.#range(from, entry.packedBytes);
    const source = new ReadableStream<Bytes>(
      {
        pull: async (controller) => {
          const next = await packed.next();
          if (next.done === true) controller.close();
          else controller.enqueue(next.value);
        },
      },
      { highWaterMark: entry.packedBytes > SMALL_BYTES ? 1 : 0 },
    );
    const reader = source.pipeThrough(new DecompressionStream('deflate-raw')).getReader();
    try {
      for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value;
    } catch (thrown) {
      if (thrown instanceof NotABundle) throw thrown;
      // Also for bytes behind the end of what was packed: the decoder takes nothing after it.
      throw new EntryFault('it does not unpack', { cause: thrown });
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }
}
