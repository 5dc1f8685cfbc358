/** Reads the length-prefixed fields of SSH's wire format (RFC 4251 section 5). Everything must be there, and nothing more. */
export class SshWire {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Undefined when the rest is shorter. */
  uint32(): number | undefined {
    if (this.#bytes.length - this.#at < 4) return undefined;
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  uint64(): bigint | undefined {
    if (this.#bytes.length - this.#at < 8) return undefined;
    this.#at += 8;
    return this.#bytes.readBigUInt64BE(this.#at - 8);
  }

  string(): Buffer | undefined {
    const length = this.uint32();
    return length === undefined ? undefined : this.raw(length);
  }

  raw(length: number): Buffer | undefined {
    if (this.#bytes.length - this.#at < length) return undefined;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A positive number in its shortest form, without the zero that keeps it positive; undefined for anything else. */
  positive(): Buffer | undefined {
    const bytes = this.string();
    const [first, second] = bytes ?? [];
    if (bytes === undefined || first === undefined || first >= 0x80) return undefined;
    if (first !== 0) return bytes;
    return second === undefined || second < 0x80 ? undefined : bytes.subarray(1);
  }

  /** Everything that was read so far. */
  get read(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }
}

export function sshString(bytes: Uint8Array | string): Buffer {
  const content = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
  return Buffer.concat([sshUint32(content.length), content]);
}

export function sshUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function sshUint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
