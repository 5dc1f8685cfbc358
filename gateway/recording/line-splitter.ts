const LINE_FEED = 10;

/** No line of ours comes near this: a frame of the journal holds at most 1 MiB, and JSON makes at most six of one. */
const LONGEST_LINE = 16 * 1024 * 1024;

/** Cuts a stream of UTF-8 bytes into lines, each with its line feed. Memory: one line. */
export class LineSplitter {
  #parts: Buffer[] = [];
  #held = 0;

  *push(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const piece = chunk.subarray(start, end + 1);
      start = end + 1;
      yield this.#held === 0 ? piece.toString('utf8') : this.#take(piece);
    }
    if (start < chunk.length) {
      this.#parts.push(chunk.subarray(start));
      this.#held += chunk.length - start;
      if (this.#held > LONGEST_LINE) throw new RangeError(`a line is longer than ${LONGEST_LINE} bytes`);
    }
  }

  /** What stands after the last line feed. */
  *end(): Generator<string> {
    if (this.#held > 0) yield this.#take(Buffer.alloc(0));
  }

  #take(piece: Buffer): string {
    const line = Buffer.concat([...this.#parts, piece]).toString('utf8');
    this.#parts = [];
    this.#held = 0;
    return line;
  }
}
