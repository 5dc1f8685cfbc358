import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { sallyport } from '../../test/support/gateway.ts';
import type { Corpus } from './corpus.ts';
import type { BenchGateway } from './gateway.ts';

/** Which stream of the channel carried the file: what the target put out, or what the client put in. */
export type CarriedBy = 'o' | 'i';

/**
 * Rejects unless the recording of the session's first channel holds exactly the bytes of `corpus` in one stream: text and
 * raw bytes byte by byte, stretches that are kept as a digest by their place, length and SHA-256. It reads the cast as
 * anybody would: docs/recording-format.md, "Rebuilding the bytes".
 */
export async function verifyRecording(gateway: BenchGateway, session: string, corpus: Corpus, carriedBy: CarriedBy): Promise<void> {
  const check = new RecordedStream(readFileSync(corpus.path), carriedBy);
  let fault: Error | undefined;
  const split = lineSplitter((line) => check.line(line));
  const onStdout = (chunk: Buffer) => {
    if (fault !== undefined) return;
    try {
      split(chunk);
    } catch (error) {
      // In a listener nobody would catch it: it is thrown when the command has ended.
      fault = error instanceof Error ? error : new Error(String(error));
    }
  };
  const done = await sallyport(gateway.reading(['cast', `${session}/0`]), { onStdout, timeoutMs: 600_000 });
  if (done.status !== 0) throw new Error(`sallyport cast exited ${done.status}: ${done.stderr}`);
  if (fault !== undefined) throw fault;
  check.end();
}

function lineSplitter(take: (line: string) => void): (chunk: Buffer) => void {
  let rest: Buffer[] = [];
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      take(Buffer.concat([...rest, chunk.subarray(start, end)]).toString());
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  };
}

class RecordedStream {
  readonly #expected: Buffer;
  readonly #carriedBy: CarriedBy;
  #headerSeen = false;
  #descriptor = 1;
  #offset = 0;
  /** The last text of the stream; a `raw` event right after it has its exact bytes. */
  #text: Buffer | undefined;

  constructor(expected: Buffer, carriedBy: CarriedBy) {
    this.#expected = expected;
    this.#carriedBy = carriedBy;
  }

  line(json: string): void {
    if (json === '') return;
    const parsed: unknown = JSON.parse(json);
    if (!this.#headerSeen) {
      this.#headerSeen = true;
      return;
    }
    if (!Array.isArray(parsed)) throw new Error(`not an event of a cast: ${json.slice(0, 200)}`);
    const [, code, data] = parsed as [number, string, string];
    if (code === '+') {
      this.#extension(JSON.parse(data) as Record<string, unknown>);
      return;
    }
    this.#giveText();
    const ours = this.#carriedBy === 'i' ? code === 'i' : code === 'o' && this.#descriptor === 1;
    if (ours) this.#text = Buffer.from(data);
  }

  end(): void {
    this.#giveText();
    if (this.#offset !== this.#expected.length) throw new Error(`the recording holds ${this.#offset} bytes of ${this.#expected.length}`);
  }

  #extension(event: Record<string, unknown>): void {
    switch (event.t) {
      case 'raw':
        if (this.#text !== undefined) this.#text = Buffer.from(String(event.b64), 'base64');
        break;
      case 'fd':
        this.#giveText();
        this.#descriptor = Number(event.fd);
        break;
      case 'bulk':
        this.#giveText();
        if (event.s === this.#carriedBy) this.#digest(Number(event.offset), Number(event.bytes), String(event.sha256));
        break;
      case 'lost':
        throw new Error(`the recording has lost something: ${JSON.stringify(event)}`);
    }
  }

  #digest(offset: number, bytes: number, sha256: string): void {
    if (offset !== this.#offset) throw new Error(`a digest of the recording is for offset ${offset}, but ${this.#offset} is next`);
    const sent = this.#expected.subarray(offset, offset + bytes);
    if (sent.length !== bytes || createHash('sha256').update(sent).digest('hex') !== sha256) {
      throw new Error(`the recording's digest of ${bytes} bytes at ${offset} is not that of what was sent`);
    }
    this.#offset += bytes;
  }

  #giveText(): void {
    const text = this.#text;
    if (text === undefined) return;
    this.#text = undefined;
    if (!this.#expected.subarray(this.#offset, this.#offset + text.length).equals(text)) {
      throw new Error(`the recording differs from what was sent within ${text.length} bytes at ${this.#offset}`);
    }
    this.#offset += text.length;
  }
}
