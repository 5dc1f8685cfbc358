/** Bytes of a line that a reviewer is shown; of a longer one its end. */
const MAX_LINE = 4096;
const NOTHING = Buffer.alloc(0);

/** What was typed since the last Enter that went through, as it was typed: editing keys and all. Bounded, whatever is typed. */
export class TypedLine {
  #bytes = NOTHING;
  #length = 0;
  #cut = false;
  #secret = false;

  get empty(): boolean {
    return this.#length === 0 && !this.#secret;
  }

  add(bytes: Buffer, secret: boolean): void {
    this.#secret ||= secret;
    if (secret) this.#length = 0;
    if (secret || bytes.length === 0) return;
    // Twice the room, so that what is kept moves once in so many bytes and not with each key.
    if (this.#bytes.length === 0) this.#bytes = Buffer.alloc(2 * MAX_LINE);
    if (this.#length + Math.min(bytes.length, MAX_LINE) > this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#length - MAX_LINE, this.#length);
      this.#length = MAX_LINE;
      this.#cut = true;
    }
    if (bytes.length > MAX_LINE) this.#cut = true;
    this.#length += bytes.copy(this.#bytes, this.#length, Math.max(0, bytes.length - MAX_LINE));
  }

  /** With `more`, which the target has not been sent. A secret is not shown to anybody, not even its length. */
  facts(more: Buffer = NOTHING): Readonly<Record<string, unknown>> {
    if (this.#secret) return { secret: true };
    const line = Buffer.concat([this.#bytes.subarray(0, this.#length), more]);
    let start = Math.max(0, line.length - MAX_LINE);
    const truncated = this.#cut || start > 0;
    // Not from the middle of a character.
    while (truncated && ((line[start] ?? 0) & 0xc0) === 0x80) start += 1;
    return { line: line.toString('utf8', start), ...(truncated ? { truncated } : {}) };
  }

  clear(): void {
    this.#length = 0;
    this.#cut = false;
    this.#secret = false;
  }
}
