import { checkedLength } from './sftp-packets.ts';

/** Where packets of SFTP begin and end in a stream that passes. Keeps at most four bytes of it. */
export class SftpBoundary {
  /** Bytes of the packet that are still to come. */
  #left = 0;
  #head: number[] = [];

  get atBoundary(): boolean {
    return this.#left === 0 && this.#head.length === 0;
  }

  /** Passes bytes; the offset behind the last packet that ends in them, or 0. Throws UndecodableSftp. */
  pass(bytes: Buffer): number {
    let last = 0;
    for (let at = 0; at < bytes.length; ) {
      at += this.passFirst(at === 0 ? bytes : bytes.subarray(at));
      if (this.atBoundary) last = at;
    }
    return last;
  }

  /** Passes bytes as far as the first packet that ends in them, or all: how many. Throws UndecodableSftp. */
  passFirst(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left === 0) {
        this.#head.push(bytes[at] as number);
        at += 1;
        if (this.#head.length < 4) continue;
        this.#left = checkedLength(Buffer.from(this.#head).readUInt32BE(0));
        this.#head = [];
        continue;
      }
      const step = Math.min(this.#left, bytes.length - at);
      this.#left -= step;
      at += step;
      if (this.#left === 0) break;
    }
    return at;
  }
}
