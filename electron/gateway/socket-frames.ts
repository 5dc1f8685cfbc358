import { isUtf8 } from 'node:buffer';

/** RFC 6455, section 5.2: what a server sends. */
export interface WireFrame {
  readonly opcode: number;
  readonly last: boolean;
  readonly payload: Buffer;
}

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Takes frames out of pieces as they come, without copying what has come before each time. */
export class FrameReader {
  readonly #most: number;
  #pieces: Buffer[] = [];
  #length = 0;

  /** `most`: bytes that a frame may have. */
  constructor(most: number) {
    this.#most = most;
  }

  push(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** Undefined when the rest of the next one has yet to come. Throws a RangeError for what no server may send. */
  take(): WireFrame | undefined {
    const head = this.#peek(10);
    if (head.length < 2) return undefined;
    const [first = 0, second = 0] = head;
    // No extension was agreed on, and a server masks nothing.
    if ((first & 0x70) !== 0 || (second & 0x80) !== 0) throw new RangeError('a frame with bits that were not agreed on');
    const opcode = first & 0x0f;
    const short = second & 0x7f;
    if (opcode >= 8 && (short > 125 || (first & 0x80) === 0)) throw new RangeError('a control frame that is too long or in parts');
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (head.length < start) return undefined;
    const length = short === 126 ? head.readUInt16BE(2) : short === 127 ? Number(head.readBigUInt64BE(2)) : short;
    if (length > this.#most) throw new RangeError('a frame that is too large');
    if (this.#length < start + length) return undefined;
    this.#drop(start);
    return { opcode, last: (first & 0x80) !== 0, payload: this.#drop(length) };
  }

  #peek(most: number): Buffer {
    const [first] = this.#pieces;
    if (first === undefined || first.length >= most || this.#pieces.length === 1) return (first ?? Buffer.alloc(0)).subarray(0, most);
    const some: Buffer[] = [];
    for (let at = 0, length = 0; at < this.#pieces.length && length < most; at += 1) {
      const piece = this.#pieces[at] as Buffer;
      some.push(piece);
      length += piece.length;
    }
    return Buffer.concat(some).subarray(0, most);
  }

  #drop(count: number): Buffer {
    this.#length -= count;
    const taken: Buffer[] = [];
    let left = count;
    let used = 0;
    while (left > 0) {
      const piece = this.#pieces[used] as Buffer;
      if (piece.length > left) {
        taken.push(piece.subarray(0, left));
        this.#pieces[used] = piece.subarray(left);
        left = 0;
      } else {
        taken.push(piece);
        left -= piece.length;
        used += 1;
      }
    }
    this.#pieces = this.#pieces.slice(used);
    return taken.length === 1 ? (taken[0] as Buffer) : Buffer.concat(taken, count);
  }
}

/** Puts messages together out of frames. */
export class MessageReader {
  readonly #most: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  #binary = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** A whole message, when this frame ends one. Throws a RangeError for what no server may send. */
  take({ opcode, last, payload }: WireFrame): string | Buffer | undefined {
    const begins = opcode === OPCODES.text || opcode === OPCODES.binary;
    if (begins === this.#parts.length > 0 || (!begins && opcode !== OPCODES.continuation))
      throw new RangeError('a frame that does not continue the ones before');
    if (begins) this.#binary = opcode === OPCODES.binary;
    this.#parts.push(payload);
    this.#bytes += payload.length;
    if (this.#bytes > this.#most) throw new RangeError('a message that is too large');
    if (!last) return undefined;
    const whole = this.#parts.length === 1 ? payload : Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    if (this.#binary) return whole;
    if (!isUtf8(whole)) throw new RangeError('a text that is not UTF-8');
    return whole.toString('utf8');
  }
}
