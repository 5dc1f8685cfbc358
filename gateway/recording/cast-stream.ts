import { isAscii, isUtf8 } from 'node:buffer';
import { createHash, type Hash } from 'node:crypto';
import type { StreamName } from '../../contract/frame-codec.ts';
import { continuationHead, incompleteTail, splitUtf8 } from './utf8-boundary.ts';

/** Binary content is kept exactly up to this many bytes per stream of a channel; then it is counted and hashed. */
export const RAW_LIMIT = 64 * 1024;

/** A run of binary bytes that is not kept in the cast. */
export interface BulkRun {
  stream: StreamName;
  offset: number;
  bytes: number;
  sha256: string;
}

/** Where a stream puts what it has made of its bytes, in order. */
export interface StreamOutput {
  /** `json` is the text as a JSON string literal. */
  text(stream: StreamName, at: number, json: string): void;
  /** The exact bytes of the text just before. */
  raw(at: number, base64: string): void;
  bulk(at: number, run: BulkRun): void;
  /** The bytes of a bulk run as they pass, for recordings that keep them whole. */
  bulkBytes(stream: StreamName, bytes: Uint8Array): void;
}

export type StreamMode =
  /** Everything is kept: a terminal. */
  | 'text'
  /** Text is kept, binary content beyond RAW_LIMIT is not. */
  | 'detect'
  /** Nothing is kept. */
  | 'digest';

/**
 * One stream of a channel on its way into the cast: text as text, bytes that are not UTF-8 as text with U+FFFD and
 * their exact form beside it, long binary content as a digest. Whatever it is, it is decided by the content, chunk by
 * chunk, so that a shell that follows a file transfer is recorded like any other.
 */
export class CastStream {
  readonly name: StreamName;
  /** Binary bytes kept so far on this stream of the channel, over all its stretches. */
  rawSpent: number;
  readonly #output: StreamOutput;
  readonly #offset: number;
  readonly #digest: Hash = createHash('sha256');
  #mode: StreamMode;
  /** Bytes taken, and bytes that are in the cast or in a bulk run. The difference is what `#carry` holds. */
  #taken = 0;
  #given = 0;
  /** The beginning of a UTF-8 sequence whose rest has not come yet. */
  #carry: Buffer | undefined;
  /** `hash` is undefined when the run began with the stretch: then the digest of the stream is that of the run. */
  #run: { offset: number; bytes: number; hash: Hash | undefined } | undefined;

  constructor(name: StreamName, mode: StreamMode, offset: number, rawSpent: number, output: StreamOutput) {
    this.name = name;
    this.#mode = mode;
    this.#offset = offset;
    this.rawSpent = rawSpent;
    this.#output = output;
  }

  /** A PTY was granted: from here on everything is text. */
  becomeText(at: number): void {
    if (this.#mode !== 'detect') return;
    this.#endRun(at);
    this.#mode = 'text';
  }

  /** What crosses from here on is described by events of its own (`digest`), or not any more (`detect`). */
  keep(at: number, mode: 'digest' | 'detect'): void {
    this.end(at);
    this.#mode = mode;
  }

  push(at: number, bytes: Uint8Array): void {
    if (this.#mode === 'digest') {
      this.#addToRun(bytes);
    } else {
      let chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (this.#carry !== undefined) {
        chunk = Buffer.concat([this.#carry, chunk]);
        this.#carry = undefined;
      }
      if (this.#mode === 'detect' && looksBinary(chunk)) this.#binary(at, chunk);
      else this.#text(at, chunk);
    }
    // After the bytes were dealt with: a run that ends just before them is hashed by the digest as it stood.
    this.#digest.update(bytes);
    this.#taken += bytes.length;
  }

  /** Everything that was held back is given out. */
  end(at: number): void {
    this.#endRun(at);
    if (this.#carry !== undefined) {
      const carry = this.#carry;
      this.#carry = undefined;
      this.#island(at, carry);
    }
  }

  /** What of this stream is in the segment: its place in the channel's stream, its length and its hash. */
  summary(): { offset: number; bytes: number; sha256: string } {
    return { offset: this.#offset, bytes: this.#taken, sha256: this.#digest.copy().digest('hex') };
  }

  #text(at: number, chunk: Buffer): void {
    this.#endRun(at);
    const tail = incompleteTail(chunk);
    const body = tail === 0 ? chunk : chunk.subarray(0, chunk.length - tail);
    if (tail > 0) this.#carry = Buffer.from(chunk.subarray(chunk.length - tail));
    if (body.length === 0) return;
    if (isAscii(body)) {
      this.#given += body.length;
      this.#output.text(this.name, at, JSON.stringify(body.toString('latin1')));
    } else if (isUtf8(body)) {
      this.#valid(at, body);
    } else {
      for (const span of splitUtf8(body)) {
        const part = body.subarray(span.start, span.end);
        if (span.valid) this.#valid(at, part);
        else this.#island(at, part);
      }
    }
  }

  #valid(at: number, bytes: Buffer): void {
    this.#given += bytes.length;
    this.#output.text(this.name, at, JSON.stringify(bytes.toString('utf8')));
  }

  #island(at: number, bytes: Buffer): void {
    this.#given += bytes.length;
    this.#output.text(this.name, at, JSON.stringify(bytes.toString('utf8')));
    this.#output.raw(at, bytes.toString('base64'));
  }

  #binary(at: number, chunk: Buffer): void {
    const room = Math.min(RAW_LIMIT - this.rawSpent, chunk.length);
    if (room > 0) {
      this.rawSpent += room;
      this.#island(at, chunk.subarray(0, room));
    }
    if (room < chunk.length) this.#addToRun(room > 0 ? chunk.subarray(room) : chunk);
  }

  #addToRun(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#run === undefined) this.#run = { offset: this.#given, bytes: 0, hash: this.#given === 0 ? undefined : createHash('sha256') };
    this.#run.bytes += bytes.length;
    this.#run.hash?.update(bytes);
    this.#given += bytes.length;
    this.#output.bulkBytes(this.name, bytes);
  }

  #endRun(at: number): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const hash = run.hash ?? this.#digest.copy();
    this.#output.bulk(at, { stream: this.name, offset: this.#offset + run.offset, bytes: run.bytes, sha256: hash.digest('hex') });
  }
}

/** Of a sample this long, this share may be control characters that no text has. */
const SAMPLE_BYTES = 512;
const MOST_CONTROLS = 0.3;
const LEAST_SAMPLE = 32;

/** Not text: a NUL, not UTF-8 (sequences cut at the ends are fine), or mostly control characters. */
function looksBinary(chunk: Buffer): boolean {
  if (chunk.includes(0)) return true;
  // The rest of a sequence whose beginning stands in the segment before, or among bytes that are not text, does not make text binary.
  const body = chunk.subarray(continuationHead(chunk), chunk.length - incompleteTail(chunk));
  if (!isUtf8(body)) return true;
  const sample = Math.min(body.length, SAMPLE_BYTES);
  if (sample < LEAST_SAMPLE) return false;
  let controls = 0;
  for (let at = 0; at < sample; at++) if (isOddControl(body[at] as number)) controls++;
  return controls > sample * MOST_CONTROLS;
}

/** A control character that neither text nor terminal output is full of. */
function isOddControl(byte: number): boolean {
  return byte === 0x7f || (byte < 0x20 && !(byte >= 0x07 && byte <= 0x0d) && byte !== 0x1b);
}
