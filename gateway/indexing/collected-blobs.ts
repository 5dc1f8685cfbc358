import { crc32 } from 'node:zlib';
import type { Blob } from '../../contract/replay/part.ts';

/** What goes behind a part in its file, one after the other. */
export class CollectedBlobs {
  readonly all: Buffer[] = [];
  #bytes = 0;

  put(content: Buffer): Blob {
    const blob = { at: this.#bytes, bytes: content.length, crc: crc32(content) };
    this.all.push(content);
    this.#bytes += content.length;
    return blob;
  }
}
