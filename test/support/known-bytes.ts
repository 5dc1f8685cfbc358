import { createCipheriv } from 'node:crypto';

/**
 * A long stream that looks random and that both ends can make without keeping it: AES-128-CTR over zeros. The target
 * makes it with openssl.
 */
export class KnownBytes {
  readonly length: number;
  #keystream = cipher();

  constructor(length: number) {
    this.length = length;
  }

  /** The command that prints the same bytes. */
  get command(): string {
    return `openssl enc -aes-128-ctr -K ${KEY} -iv ${IV} -in /dev/zero 2>/dev/null | head -c ${this.length}`;
  }

  /** The next so many bytes, in chunks. */
  *take(length: number): Iterable<Buffer> {
    for (let left = length; left > 0; left -= ZEROS.length) yield this.#keystream.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  }

  /** All of them, as standard input for a client. */
  async *stream(): AsyncIterable<Buffer> {
    yield* this.take(this.length);
  }
}

const KEY = '000102030405060708090a0b0c0d0e0f';
const IV = '00000000000000000000000000000000';
const ZEROS = Buffer.alloc(256 * 1024);

function cipher(): ReturnType<typeof createCipheriv> {
  return createCipheriv('aes-128-ctr', Buffer.from(KEY, 'hex'), Buffer.from(IV, 'hex'));
}
