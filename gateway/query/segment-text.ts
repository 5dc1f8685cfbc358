import { webcrypto } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import type { SegmentRow } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';
import { timeWords } from '../recording/cast-time.ts';
import { salvageSegment } from '../recording/salvage-segment.ts';
import { segmentDamaged } from '../recording/segment-damaged.ts';
import { zstdFramePlaces } from '../recording/zstd-frames.ts';

const decompress = promisify(zstdDecompress);

/** Far above what the sealer writes; what claims more is not read into memory. */
const MOST_BYTES = 256 * 1024 * 1024;
/** The sealer puts 256 KiB into a frame, and one line more. */
const MOST_FRAME_BYTES = 64 * 1024 * 1024;
/** Segments of which it is remembered that they are as they were sealed, or how not. */
const MOST_KNOWN = 512;

/** Frames of a segment: where each stands in the file, and where its content in the text. */
interface FrameTable {
  readonly frames: readonly { readonly at: number; readonly bytes: number; readonly from: number; readonly to: number }[];
  readonly textBytes: number;
}

interface Known {
  /** Of the file that was looked at: another one, or a change to it, is looked at again. */
  readonly identity: string;
  readonly found: Promise<FrameTable | SallyportError>;
}

/** The text of one sealed segment, which was found to be as it was sealed. */
export interface SegmentText {
  readonly bytes: number;
  /**
   * The text from byte `from` to before `to`, frame by frame: only what covers it is read and decompressed. Throws
   * RECORDING_DAMAGED. Whoever stops early leaves no file open.
   */
  read(from: number, to: number): AsyncGenerator<Buffer>;
}

/**
 * Any part of the text of sealed segments. A file is compared with its seal before the first byte of it is given out,
 * once: as long as it stays the same file, it is not read whole again. Reading, hashing and decompressing are done by
 * the threads of the system's pool. Memory: one segment while it is compared, one frame while it is read.
 */
export class SegmentTexts {
  readonly #dataDirectory: string;
  readonly #known = new Map<string, Known>();

  constructor(dataDirectory: string) {
    this.#dataDirectory = dataDirectory;
  }

  /** Throws RECORDING_DAMAGED, which says what of it can still be read. */
  async open(segment: SegmentRow): Promise<SegmentText> {
    const table = await this.#use(segment, (_file, found) => Promise.resolve(found));
    return { bytes: table.textBytes, read: (from, to) => this.#read(segment, from, to) };
  }

  async *#read(segment: SegmentRow, from: number, to: number): AsyncGenerator<Buffer> {
    for (let at = from; at < to; ) {
      // The file is opened for each frame: a reader that is slow to take what it gets keeps none open.
      const piece = await this.#use(segment, async (file, { frames }) => {
        const frame = frames.find((each) => each.to > at);
        if (frame === undefined) return undefined;
        const stored = await readAt(file, frame.at, frame.bytes);
        const content = await decompress(stored, { maxOutputLength: MOST_FRAME_BYTES });
        if (content.length !== frame.to - frame.from) throw new RangeError(`the frame at byte ${frame.at} is not as long as it says`);
        return content.subarray(at - frame.from, Math.min(content.length, to - frame.from));
      });
      if (piece === undefined || piece.length === 0) return;
      at += piece.length;
      yield piece;
    }
  }

  async #use<Result>(segment: SegmentRow, work: (file: FileHandle, table: FrameTable) => Promise<Result>): Promise<Result> {
    const path = normalize(segment.file);
    if (path.startsWith('..') || path.startsWith('/')) throw segmentDamaged(segment, 'its path leads out of the data directory');
    let file: FileHandle | undefined;
    try {
      // Not to be opened for longer than it takes: a pipe in its place would keep everybody waiting.
      file = await open(join(this.#dataDirectory, path), constants.O_RDONLY | constants.O_NONBLOCK);
      const found = await this.#compared(file, segment);
      if (found instanceof SallyportError) throw found;
      return await work(file, found);
    } catch (thrown) {
      throw asDamage(thrown, segment);
    } finally {
      await file?.close();
    }
  }

  async #compared(file: FileHandle, segment: SegmentRow): Promise<FrameTable | SallyportError> {
    const stat = await file.stat({ bigint: true });
    const identity = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs, segment.sha256].join(' ');
    const before = this.#known.get(segment.file);
    this.#known.delete(segment.file);
    const known = before?.identity === identity ? before : { identity, found: compare(file, Number(stat.size), segment) };
    this.#known.set(segment.file, known);
    if (this.#known.size > MOST_KNOWN) for (const oldest of [...this.#known.keys()].slice(0, 1)) this.#known.delete(oldest);
    // What kept it from being read may be over the next time.
    known.found.catch(() => {
      if (this.#known.get(segment.file) === known) this.#known.delete(segment.file);
    });
    return known.found;
  }
}

/** Resolves with what is wrong with it, which stays so; rejects when it could not be read. */
async function compare(file: FileHandle, size: number, segment: SegmentRow): Promise<FrameTable | SallyportError> {
  if (size > MOST_BYTES) return segmentDamaged(segment, `it has ${size} bytes and was sealed with ${segment.bytes}`);
  const content = await readAt(file, 0, size);
  if (size !== segment.bytes) return salvageable(segment, content, `it has ${size} bytes and was sealed with ${segment.bytes}`);
  const digest = Buffer.from(await webcrypto.subtle.digest('SHA-256', content)).toString('hex');
  if (digest !== segment.sha256) return salvageable(segment, content, 'its SHA-256 is not the one it was sealed with');
  return frameTable(content);
}

async function frameTable(content: Buffer): Promise<FrameTable> {
  const frames: { at: number; bytes: number; from: number; to: number }[] = [];
  let textBytes = 0;
  for (const { at, bytes, contentBytes } of zstdFramePlaces(content)) {
    const length = contentBytes ?? (await decompress(content.subarray(at, at + bytes), { maxOutputLength: MOST_FRAME_BYTES })).length;
    frames.push({ at, bytes, from: textBytes, to: textBytes + length });
    textBytes += length;
  }
  return { frames, textBytes };
}

/** Says how much of it is whole by its own checksums. */
async function salvageable(segment: SegmentRow, content: Buffer, fault: string): Promise<SallyportError> {
  const pieces = await salvageSegment(content, segment.bytes, segment.from, segment.to);
  const whole = pieces.filter(({ kind }) => kind === 'frame').length;
  if (whole === 0) return segmentDamaged(segment, `${fault}; nothing of it can be read`);
  const missing = pieces.reduce((sum, piece) => sum + (piece.kind === 'gap' ? piece.missingNanos : 0), 0);
  const gone = missing === 0 ? '' : `, and ${timeWords(missing)} of the recording are missing`;
  return segmentDamaged(
    segment,
    `${fault}. ${whole} of its pieces are whole by their own checksums${gone}: sallyport play and sallyport cast show them, unverified`,
  );
}

function asDamage(thrown: unknown, segment: SegmentRow): unknown {
  if (thrown instanceof SallyportError || !(thrown instanceof Error)) return thrown;
  const code = 'code' in thrown ? thrown.code : undefined;
  // Too many open files say nothing of this one; and what has no code and is about no number is a defect of ours.
  if (code === 'EMFILE' || code === 'ENFILE' || (code === undefined && !(thrown instanceof RangeError))) return thrown;
  return segmentDamaged(segment, code === 'ENOENT' ? 'it is missing' : thrown.message, thrown);
}

async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let filled = 0; filled < bytes; ) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, at + filled);
    if (bytesRead === 0) throw new RangeError(`it ends at byte ${at + filled}`);
    filled += bytesRead;
  }
  return buffer;
}
