import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { constants, zstdCompressSync } from 'node:zlib';

/** Content of one zstd frame. A reader that seeks decompresses one of these. */
export const PIECE_BYTES = 256 * 1024;

export interface FinishedFile {
  /** Descriptor, still open. */
  file: number;
  bytes: number;
  sha256: string;
  /** Of the content before compression. */
  text: { bytes: number; lines: number; sha256: string };
}

/**
 * A compressed file in the making, under a temporary name: pieces of content, each a zstd frame of its own, so that
 * `zstd -dc` gives the whole and a reader can begin at any of them.
 */
export class SegmentFile {
  readonly path: string;
  readonly temporaryPath: string;
  readonly #file: number;
  readonly #level: number;
  readonly #hash = createHash('sha256');
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #text = '';
  #bytes = 0;
  readonly #contentHash = createHash('sha256');
  #contentBytes = 0;
  #lines = 0;

  constructor(path: string, level: number) {
    this.path = path;
    this.temporaryPath = `${path}.tmp`;
    this.#level = level;
    this.#file = openSync(this.temporaryPath, 'w', 0o600);
  }

  /** `line` ends with its line feed. */
  writeLine(line: string): void {
    this.#lines += 1;
    this.#text += line;
    if (this.#text.length >= PIECE_BYTES) this.#flush();
  }

  /** The bytes are copied: they may be a view of a buffer that is used again. */
  writeBytes(bytes: Uint8Array): void {
    this.#pending.push(bytes.slice());
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= PIECE_BYTES) this.#flush();
  }

  /** Everything is handed to the operating system; the descriptor stays open for the caller to sync and close. */
  finish(): FinishedFile {
    // A stretch that has only its header becomes an empty piece: a file of no bytes is not valid zstd.
    if (this.#bytes === 0 || this.#text !== '' || this.#pendingBytes > 0) this.#flush();
    return {
      file: this.#file,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      text: { bytes: this.#contentBytes, lines: this.#lines, sha256: this.#contentHash.digest('hex') },
    };
  }

  abandon(): void {
    closeSync(this.#file);
  }

  #flush(): void {
    const content = this.#pendingBytes > 0 ? Buffer.concat(this.#pending) : Buffer.from(this.#text, 'utf8');
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#text = '';
    this.#contentHash.update(content);
    this.#contentBytes += content.length;
    const piece = zstdCompressSync(content, {
      params: { [constants.ZSTD_c_compressionLevel]: this.#level, [constants.ZSTD_c_checksumFlag]: 1 },
    });
    for (let written = 0; written < piece.length; ) written += writeSync(this.#file, piece, written);
    this.#hash.update(piece);
    this.#bytes += piece.length;
  }
}
