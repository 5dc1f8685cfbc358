/** Which byte stream a frame belongs to: input (client to target), output, error output. */
export type StreamName = 'i' | 'o' | 'e';

/**
 * One entry of a journal. `at` is monotonic nanoseconds since the channel opened. Layout on disk: see
 * docs/recording-format.md, "Journal".
 */
export type Frame =
  | { kind: 'header'; at: number; header: Readonly<Record<string, unknown>> }
  | { kind: 'data'; at: number; stream: StreamName; bytes: Uint8Array }
  | { kind: 'resize'; at: number; cols: number; rows: number }
  | { kind: 'event'; at: number; event: RecordedEvent; marker?: string }
  | { kind: 'exit'; at: number; status: number }
  | { kind: 'clock'; at: number; wallMicros: number };

/** The object of a `+` event in a cast; `t` says which (recording-format.md lists them). JSON values only. */
export type RecordedEvent = { readonly t: string; readonly [member: string]: unknown };

/** What the codec needs of the runtime it is used in; it imports nothing, so that a browser can use it too. */
export interface CodecHost {
  /** CRC-32 as in zlib and gzip, continued from `previous`. */
  crc32(bytes: Uint8Array, previous: number): number;
  encodeText(text: string): Uint8Array;
  decodeText(bytes: Uint8Array): string;
}

/** A frame is this header, little-endian, and then its payload. The checksum covers the first 16 bytes and the payload. */
export const FRAME_HEADER_BYTES = 20;
/** The bound of one payload, which also bounds a reader's memory. Longer data is written as several frames. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

const MAGIC = 0xa5;
const CHECKSUM_OFFSET = 16;
const TWO_32 = 2 ** 32;

const kindNumbers = { header: 1, data: 2, resize: 3, event: 4, exit: 5, clock: 6 } as const;
const streamNumbers = { i: 1, o: 2, e: 3 } as const;
const streamNames: readonly (StreamName | undefined)[] = [undefined, 'i', 'o', 'e'];

/** Payloads up to this size are copied behind their header; larger ones are handed to `writev` by reference. */
const COPIED_PAYLOAD_BYTES = 4096;

/**
 * Turns frames into the buffers of one `writev`. Buffers are valid until the next `encode`: headers and small payloads
 * share one scratch buffer that is used again.
 */
export class FrameEncoder {
  readonly #host: CodecHost;
  readonly #scratch: Uint8Array;
  #buffers: Uint8Array[] = [];
  #block: Uint8Array;
  #blockStart = 0;
  #blockEnd = 0;

  constructor(host: CodecHost, scratchBytes = 128 * 1024) {
    this.#host = host;
    this.#scratch = new Uint8Array(scratchBytes);
    this.#block = this.#scratch;
  }

  /** Throws a RangeError when an event, or a number of a frame, is larger than the format can carry. */
  encode(frames: readonly Frame[]): Uint8Array[] {
    this.#buffers = [];
    this.#block = this.#scratch;
    this.#blockStart = 0;
    this.#blockEnd = 0;
    for (const frame of frames) this.#add(frame);
    this.#closeRun();
    return this.#buffers;
  }

  #add(frame: Frame): void {
    switch (frame.kind) {
      case 'data':
        for (let offset = 0; ; ) {
          const end = Math.min(offset + MAX_PAYLOAD_BYTES, frame.bytes.length);
          this.#put(
            kindNumbers.data,
            streamNumbers[frame.stream],
            frame.at,
            offset === 0 && end === frame.bytes.length ? frame.bytes : frame.bytes.subarray(offset, end),
          );
          offset = end;
          if (offset >= frame.bytes.length) return;
        }
      case 'event':
        return this.#put(
          kindNumbers.event,
          0,
          frame.at,
          this.#json(frame.marker === undefined ? { event: frame.event } : { event: frame.event, marker: frame.marker }),
        );
      case 'header':
        return this.#put(kindNumbers.header, 0, frame.at, this.#json(frame.header));
      case 'resize':
        return this.#put(kindNumbers.resize, 0, frame.at, twoWords(frame.cols, frame.rows));
      case 'exit':
        return this.#put(kindNumbers.exit, 0, frame.at, oneWord(frame.status));
      case 'clock':
        return this.#put(kindNumbers.clock, 0, frame.at, twoWords(frame.wallMicros % TWO_32, Math.floor(frame.wallMicros / TWO_32)));
    }
  }

  #json(value: unknown): Uint8Array {
    return this.#host.encodeText(JSON.stringify(value));
  }

  #put(kind: number, stream: number, at: number, payload: Uint8Array): void {
    if (payload.length > MAX_PAYLOAD_BYTES)
      throw new RangeError(`a frame of ${payload.length} bytes is over the limit of ${MAX_PAYLOAD_BYTES}`);
    if (!Number.isSafeInteger(at) || at < 0) throw new RangeError(`${at} is not a time in nanoseconds`);
    const copied = payload.length <= COPIED_PAYLOAD_BYTES;
    this.#reserve(FRAME_HEADER_BYTES + (copied ? payload.length : 0));
    const block = this.#block;
    const start = this.#blockEnd;
    block[start] = MAGIC;
    block[start + 1] = kind;
    block[start + 2] = stream;
    block[start + 3] = 0;
    writeWord(block, start + 4, payload.length);
    writeWord(block, start + 8, at % TWO_32);
    writeWord(block, start + 12, Math.floor(at / TWO_32));
    this.#blockEnd = start + FRAME_HEADER_BYTES;
    if (copied) {
      block.set(payload, this.#blockEnd);
      this.#blockEnd += payload.length;
    }
    const headChecksum = this.#host.crc32(block.subarray(start, start + CHECKSUM_OFFSET), 0);
    writeWord(block, start + CHECKSUM_OFFSET, payload.length === 0 ? headChecksum : this.#host.crc32(payload, headChecksum));
    if (!copied) {
      this.#closeRun();
      this.#buffers.push(payload);
    }
  }

  /** Makes room for `bytes` in one piece, in a fresh block when this one is full. */
  #reserve(bytes: number): void {
    if (this.#blockEnd + bytes <= this.#block.length) return;
    this.#closeRun();
    this.#block = new Uint8Array(Math.max(this.#scratch.length, bytes));
    this.#blockStart = 0;
    this.#blockEnd = 0;
  }

  #closeRun(): void {
    if (this.#blockEnd > this.#blockStart) this.#buffers.push(this.#block.subarray(this.#blockStart, this.#blockEnd));
    this.#blockStart = this.#blockEnd;
  }
}

/** `incomplete`: the bytes end within the frame. `corrupt`: they cannot be the beginning of a frame that was written. */
export type Decoded = { readonly frame: Frame; readonly end: number } | 'incomplete' | 'corrupt';

/** Reads the frame at `offset`. Payloads of data frames are views of `bytes`, not copies. */
export function decodeFrame(bytes: Uint8Array, offset: number, host: CodecHost): Decoded {
  if (bytes.length - offset < FRAME_HEADER_BYTES) return offset < bytes.length && bytes[offset] !== MAGIC ? 'corrupt' : 'incomplete';
  const length = readWord(bytes, offset + 4);
  if (bytes[offset] !== MAGIC || bytes[offset + 3] !== 0 || length > MAX_PAYLOAD_BYTES) return 'corrupt';
  const start = offset + FRAME_HEADER_BYTES;
  const end = start + length;
  if (end > bytes.length) return 'incomplete';
  const payload = bytes.subarray(start, end);
  const headChecksum = host.crc32(bytes.subarray(offset, offset + CHECKSUM_OFFSET), 0);
  const checksum = length === 0 ? headChecksum : host.crc32(payload, headChecksum);
  if (checksum !== readWord(bytes, offset + CHECKSUM_OFFSET)) return 'corrupt';
  const at = readWord(bytes, offset + 8) + readWord(bytes, offset + 12) * TWO_32;
  const frame = parseFrame(bytes[offset + 1] as number, bytes[offset + 2] as number, at, payload, host);
  return frame === undefined ? 'corrupt' : { frame, end };
}

function parseFrame(kind: number, streamNumber: number, at: number, payload: Uint8Array, host: CodecHost): Frame | undefined {
  if (kind === kindNumbers.data) {
    const stream = streamNames[streamNumber];
    return stream === undefined ? undefined : { kind: 'data', at, stream, bytes: payload };
  }
  if (streamNumber !== 0) return undefined;
  switch (kind) {
    case kindNumbers.event:
      return parseEvent(at, parseObject(payload, host));
    case kindNumbers.header: {
      const header = parseObject(payload, host);
      return header === undefined ? undefined : { kind: 'header', at, header };
    }
    case kindNumbers.resize:
      return payload.length === 8 ? { kind: 'resize', at, cols: readWord(payload, 0), rows: readWord(payload, 4) } : undefined;
    case kindNumbers.exit:
      return payload.length === 4 ? { kind: 'exit', at, status: readWord(payload, 0) } : undefined;
    case kindNumbers.clock:
      return payload.length === 8 ? { kind: 'clock', at, wallMicros: readWord(payload, 0) + readWord(payload, 4) * TWO_32 } : undefined;
    default:
      return undefined;
  }
}

function parseEvent(at: number, content: Record<string, unknown> | undefined): Frame | undefined {
  const event = content?.event;
  if (!isObject(event) || typeof event.t !== 'string') return undefined;
  const marker = content?.marker;
  const recorded: RecordedEvent = { ...event, t: event.t };
  if (marker === undefined) return { kind: 'event', at, event: recorded };
  return typeof marker === 'string' ? { kind: 'event', at, event: recorded, marker } : undefined;
}

function parseObject(payload: Uint8Array, host: CodecHost): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(host.decodeText(payload));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // not JSON: told to the caller as a corrupt frame
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function oneWord(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeWord(bytes, 0, checkedWord(value));
  return bytes;
}

function twoWords(first: number, second: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeWord(bytes, 0, checkedWord(first));
  writeWord(bytes, 4, checkedWord(second));
  return bytes;
}

function checkedWord(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= TWO_32) throw new RangeError(`${value} is not an unsigned 32-bit number`);
  return value;
}

function writeWord(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value & 0xff;
  bytes[offset + 1] = (value >>> 8) & 0xff;
  bytes[offset + 2] = (value >>> 16) & 0xff;
  bytes[offset + 3] = (value >>> 24) & 0xff;
}

function readWord(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset + 3] as number) << 24) |
      ((bytes[offset + 2] as number) << 16) |
      ((bytes[offset + 1] as number) << 8) |
      (bytes[offset] as number)) >>>
    0
  );
}
