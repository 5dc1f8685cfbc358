import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { asSallyportError, SallyportError } from '../../base/errors.ts';
import { invalidBundle, readDirectory } from './zip-directory.ts';
import { dataDescriptor, digestOfSeal, END_BYTES, lengthInFile, localHeader, SEAL_BYTES, type ZipEntry } from './zip-format.ts';

/** What a bundle has under one name. */
export interface BundleEntry {
  readonly name: string;
  readonly bytes: number;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * Reads a bundle without unpacking it. Everything about it is from outside. Opening it reads the list of its entries and
 * refuses whatever `sallyport export` does not write (BUNDLE_INVALID): names that lead elsewhere or stand there twice,
 * entries that overlap or leave gaps, sizes that cannot be, encryption, links, foreign fields. Content is checked while
 * it is read. Memory: some 200 bytes for each entry, and a few chunks.
 */
export class BundleReader {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #entries: ReadonlyMap<string, ZipEntry>;
  readonly #sealed: { digest: string; bytes: number };

  private constructor(path: string, file: FileHandle, entries: ReadonlyMap<string, ZipEntry>, sealed: { digest: string; bytes: number }) {
    this.path = path;
    this.#file = file;
    this.#entries = entries;
    this.#sealed = sealed;
  }

  /** Throws BUNDLE_INVALID when the file cannot be read or is no bundle. */
  static async openFile(path: string): Promise<BundleReader> {
    let file: FileHandle | undefined;
    try {
      // Without O_NONBLOCK, opening a named pipe that nobody writes to would never end.
      file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const stat = await file.stat();
      if (!stat.isFile()) throw invalidBundle(path, 'it is not a regular file');
      const { entries, end } = await readDirectory(file, stat.size, path);
      const digest = digestOfSeal(end);
      if (digest === undefined) throw invalidBundle(path, 'it does not end with its digest');
      return new BundleReader(path, file, entries, { digest, bytes: stat.size - END_BYTES - SEAL_BYTES });
    } catch (thrown) {
      await file?.close();
      if (thrown instanceof SallyportError) throw thrown;
      throw invalidBundle(path, thrown instanceof Error ? thrown.message : String(thrown), thrown);
    }
  }

  /** In the order of the file. */
  *entries(): Generator<BundleEntry> {
    for (const { name, bytes } of this.#entries.values()) yield { name, bytes };
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * The content of an entry, from its beginning, any number of times. Throws BUNDLE_INVALID when there is none of that
   * name, and where it is not what the list of entries says: what was given out before that stands.
   */
  async *open(name: string): AsyncGenerator<Uint8Array> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw invalidBundle(this.path, `it has no ${name}`);
    const header = localHeader(entry);
    await this.#require(header, entry.offset, `the header before ${name} is not the one that belongs there`);
    const packed = this.#range(entry.offset + header.length, entry.packedBytes);
    let bytes = 0;
    let checksum = 0;
    for await (const chunk of entry.stored ? packed : inflated(packed, entry, this.path)) {
      bytes += chunk.length;
      if (bytes > entry.bytes) throw altered(this.path, name, `it is longer than its ${entry.bytes} bytes`);
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
    if (bytes !== entry.bytes) throw altered(this.path, name, `it has ${bytes} bytes instead of ${entry.bytes}`);
    if (checksum !== entry.crc32) throw altered(this.path, name, 'its checksum is another');
    const descriptor = dataDescriptor(entry);
    const at = entry.offset + lengthInFile(entry) - descriptor.length;
    await this.#require(descriptor, at, `what follows ${name} is not what belongs there`);
  }

  /** The whole of a small entry. Throws BUNDLE_INVALID also when it is larger than `atMost` bytes. */
  async read(name: string, atMost: number): Promise<Buffer> {
    const entry = this.#entries.get(name);
    if (entry !== undefined && entry.bytes > atMost)
      throw invalidBundle(this.path, `${name} has ${entry.bytes} bytes, more than the ${atMost} it may have`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.open(name)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /**
   * Whether every byte of the file is the one that was written: the digest at the end of the file against all that stands
   * before it. Reads the whole file. It shows accidents and careless hands; whoever can edit a bundle can also write a
   * new digest, and is found by the manifest's signature and the ledger.
   */
  async isUnchanged(): Promise<boolean> {
    const digest = createHash('sha256');
    for await (const chunk of this.#range(0, this.#sealed.bytes)) digest.update(chunk);
    return digest.digest('hex') === this.#sealed.digest;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async *#range(offset: number, bytes: number): AsyncGenerator<Buffer> {
    for (let at = offset; at < offset + bytes; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, offset + bytes - at));
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) throw invalidBundle(this.path, 'it has become shorter while it was read');
      yield chunk.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  async #require(expected: Buffer, offset: number, otherwise: string): Promise<void> {
    const found: Buffer[] = [];
    for await (const chunk of this.#range(offset, expected.length)) found.push(chunk);
    if (!Buffer.concat(found).equals(expected)) throw invalidBundle(this.path, otherwise);
  }
}

async function* inflated(packed: AsyncIterable<Buffer>, entry: ZipEntry, path: string): AsyncGenerator<Buffer> {
  const source = Readable.from(packed, { objectMode: true, highWaterMark: 1 });
  const inflate = createInflateRaw();
  source.on('error', (error) => inflate.destroy(error));
  source.pipe(inflate);
  try {
    yield* inflate as AsyncIterable<Buffer>;
  } catch (thrown) {
    if (thrown instanceof SallyportError) throw thrown;
    throw altered(path, entry.name, asSallyportError(thrown).message);
  } finally {
    source.destroy();
    inflate.destroy();
  }
  // The decoder stops at the end of the deflate stream and passes over what stands behind it.
  if (inflate.bytesWritten !== entry.packedBytes) throw altered(path, entry.name, 'other bytes follow its content');
}

function altered(path: string, name: string, what: string): SallyportError {
  return invalidBundle(path, `${name} was changed: ${what}`);
}
