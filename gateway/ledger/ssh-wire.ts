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

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }
}

export function sshString(bytes: Uint8Array | string): Buffer {
  const content = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}
