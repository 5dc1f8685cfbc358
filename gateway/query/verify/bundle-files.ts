import { createHash } from 'node:crypto';
import { asSallyportError } from '../../base/errors.ts';
import type { BundleReader } from '../bundle/bundle-reader.ts';
import { fault, type Report } from './finding.ts';

/** A line of ours comes nowhere near this: a frame of the journal holds at most 1 MiB, and JSON makes at most six of one. */
const LONGEST_LINE = 16 * 1024 * 1024;
const MOST_SMALL = 4 * 1024 * 1024;

/** The files of a bundle, each fault of one told once however often it is read. */
export class BundleFiles {
  readonly #reader: BundleReader;
  readonly #report: Report;
  readonly #told = new Set<string>();

  constructor(reader: BundleReader, report: Report) {
    this.#reader = reader;
    this.#report = report;
  }

  has(name: string): boolean {
    return this.#reader.has(name);
  }

  *names(prefix = ''): Generator<string> {
    for (const { name } of this.#reader.entries()) if (name.startsWith(prefix)) yield name;
  }

  /** Undefined when it is missing or cannot be read, which is told. */
  async read(name: string, atMost = MOST_SMALL): Promise<Buffer | undefined> {
    if (!this.has(name)) {
      this.#tell(name, () => this.#report(fault('missing', { file: name }, 'The bundle does not have this file')));
      return undefined;
    }
    try {
      return await this.#reader.read(name, atMost);
    } catch (thrown) {
      this.#broken(name, thrown);
      return undefined;
    }
  }

  /** The digest and the size, or undefined when it cannot be read to its end. */
  async hash(name: string): Promise<{ sha256: string; bytes: number } | undefined> {
    const digest = createHash('sha256');
    let bytes = 0;
    try {
      for await (const chunk of this.#reader.open(name)) {
        digest.update(chunk);
        bytes += chunk.length;
      }
      return { sha256: digest.digest('hex'), bytes };
    } catch (thrown) {
      this.#broken(name, thrown);
      return undefined;
    }
  }

  /** The content as far as it can be read; where it cannot, that is told and the content ends. */
  async *open(name: string): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.#reader.open(name)) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    } catch (thrown) {
      this.#broken(name, thrown);
    }
  }

  /** Lines without their line feeds. A last line without one, and one that is absurdly long, are told. */
  async *lines(name: string): AsyncGenerator<Buffer> {
    if (!this.has(name)) {
      await this.read(name);
      return;
    }
    let parts: Buffer[] = [];
    let held = 0;
    for await (const chunk of this.open(name)) {
      let start = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        const piece = chunk.subarray(start, end);
        yield held === 0 ? piece : Buffer.concat([...parts, piece]);
        parts = [];
        held = 0;
        start = end + 1;
      }
      if (start === chunk.length) continue;
      parts.push(chunk.subarray(start));
      held += chunk.length - start;
      if (held <= LONGEST_LINE) continue;
      this.#tell(name, () => this.#report(fault('malformed', { file: name }, `A line in the file is longer than ${LONGEST_LINE} bytes`)));
      return;
    }
    if (held > 0) this.#tell(name, () => this.#report(fault('malformed', { file: name }, 'The last line of the file has no end')));
  }

  /** A fault of a file that cannot be used any further. */
  malformed(name: string, words: string): void {
    this.#tell(name, () => this.#report(fault('malformed', { file: name }, words)));
  }

  #broken(name: string, thrown: unknown): void {
    this.#tell(name, () => this.#report(fault('altered', { file: name }, asSallyportError(thrown).message)));
  }

  #tell(name: string, tell: () => void): void {
    if (this.#told.has(name)) return;
    this.#told.add(name);
    tell();
  }
}
