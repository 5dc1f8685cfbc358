/** Fields of SSH's wire format (RFC 4251, section 5). Each is undefined where the bytes end before it. */
export class WireReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;
  #failed = false;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** Nothing is left, and nothing was missing. */
  get ended(): boolean {
    return !this.#failed && this.#at === this.#bytes.length;
  }

  raw(length: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#failed || length > this.#bytes.length - this.#at) {
      this.#failed = true;
      return undefined;
    }
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  uint32(): number | undefined {
    const bytes = this.raw(4);
    return bytes && new DataView(bytes.buffer).getUint32(0);
  }

  string(): Uint8Array<ArrayBuffer> | undefined {
    const length = this.uint32();
    return length === undefined ? undefined : this.raw(length);
  }

  /** Undefined also for what is not UTF-8. */
  text(): string | undefined {
    const bytes = this.string();
    if (bytes === undefined) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return undefined;
    }
  }

  /** A number above zero without the zero in front that keeps it from looking negative. */
  positive(): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.string();
    if (bytes === undefined || bytes.length === 0 || (bytes[0] ?? 0) >= 0x80) return undefined;
    if (bytes[0] !== 0) return bytes;
    return bytes.length > 1 && (bytes[1] ?? 0) >= 0x80 ? bytes.slice(1) : undefined;
  }
}
