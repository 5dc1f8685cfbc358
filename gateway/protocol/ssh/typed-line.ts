/** Characters of a line that a reviewer is shown; of a longer one its end. */
const MAX_LINE = 4096;

/** What was typed at a terminal since the last Enter that went through, as it was typed: editing keys and all. */
export class TypedLine {
  #text = '';
  #secret = false;

  add(bytes: Buffer, secret: boolean): void {
    this.#secret ||= secret;
    this.#text = secret ? '' : (this.#text + bytes.toString('utf8')).slice(-MAX_LINE);
  }

  /** A secret is not shown to anybody, not even its length. */
  get facts(): Readonly<Record<string, unknown>> {
    return this.#secret ? { secret: true } : { line: this.#text.toWellFormed() };
  }

  clear(): void {
    this.#text = '';
    this.#secret = false;
  }
}
