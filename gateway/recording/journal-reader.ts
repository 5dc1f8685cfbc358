import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { decodeFrame, FRAME_HEADER_BYTES, type Frame, MAX_PAYLOAD_BYTES } from '../../contract/frame-codec.ts';
import { nodeCodecHost } from './codec-host.ts';
import { parseStretchHeader, type StretchHeader } from './stretch-header.ts';

/** How a stretch ended, once it has been read. */
export interface JournalEnd {
  frames: number;
  /** Bytes of whole, good frames. */
  goodBytes: number;
  /** Bytes after the last good frame. */
  tornBytes: number;
  /** `torn`: the file ends within a frame, as after a crash. `damaged`: something else than a frame follows. */
  state: 'whole' | 'torn' | 'damaged';
  /** Nanoseconds of the last good frame; 0 when there is none. */
  lastFrameAt: number;
}

const READ_BYTES = 1024 * 1024;
const LARGEST_FRAME = FRAME_HEADER_BYTES + MAX_PAYLOAD_BYTES;

/**
 * Decodes frames from the pieces of a file as they are read. The one place that knows when to stop: at the first
 * frame that is not whole and good, because nothing after it can be trusted to begin where a frame begins.
 */
class FrameScanner {
  readonly end: JournalEnd = { frames: 0, goodBytes: 0, tornBytes: 0, state: 'whole', lastFrameAt: 0 };

  /** Hands over the whole frames in `bytes` and returns how many bytes they took. */
  *scan(bytes: Uint8Array): Generator<Frame, number> {
    let offset = 0;
    while (offset < bytes.length) {
      const decoded = decodeFrame(bytes, offset, nodeCodecHost);
      if (decoded === 'incomplete') break;
      if (decoded === 'corrupt') {
        this.end.state = 'damaged';
        break;
      }
      this.end.frames++;
      this.end.goodBytes += decoded.end - offset;
      this.end.lastFrameAt = decoded.frame.at;
      offset = decoded.end;
      yield decoded.frame;
    }
    return offset;
  }

  finish(fileBytes: number): JournalEnd {
    this.end.tornBytes = fileBytes - this.end.goodBytes;
    if (this.end.tornBytes > 0 && this.end.state === 'whole') this.end.state = 'torn';
    return this.end;
  }
}

/**
 * The good frames of a journal file, in order; returns how it ended. Holds one frame and one read (at most 2 MiB). A
 * file that is being written reads as far as it has come, with what is being written as its torn tail.
 */
export async function* readJournal(path: string): AsyncGenerator<Frame, JournalEnd> {
  const scanner = new FrameScanner();
  const file = await open(path, 'r');
  try {
    let rest = new Uint8Array(0);
    let fileBytes = 0;
    for (;;) {
      // Frames are views of the buffer and may outlive this turn: each read has a buffer of its own.
      const buffer = new Uint8Array(rest.length + READ_BYTES);
      buffer.set(rest);
      const { bytesRead } = await file.read(buffer, rest.length, READ_BYTES, null);
      fileBytes += bytesRead;
      if (bytesRead === 0) break;
      const bytes = buffer.subarray(0, rest.length + bytesRead);
      const used = yield* scanner.scan(bytes);
      if (scanner.end.state === 'damaged') {
        fileBytes = (await file.stat()).size;
        break;
      }
      rest = bytes.subarray(used);
    }
    return scanner.finish(fileBytes);
  } finally {
    await file.close();
  }
}

let scanBuffer: Uint8Array | undefined;

/**
 * The same, synchronously and with one buffer for all files, for the sealing thread. A frame's bytes are valid only
 * until `take` returns.
 */
export function scanJournal(path: string, take: (frame: Frame) => void): JournalEnd {
  const scanner = new FrameScanner();
  const file = openSync(path, 'r');
  try {
    scanBuffer ??= new Uint8Array(READ_BYTES + LARGEST_FRAME);
    const buffer = scanBuffer;
    let held = 0;
    let fileBytes = 0;
    for (;;) {
      const bytesRead = readSync(file, buffer, held, buffer.length - held, null);
      fileBytes += bytesRead;
      if (bytesRead === 0) break;
      const bytes = buffer.subarray(0, held + bytesRead);
      const frames = scanner.scan(bytes);
      let step = frames.next();
      for (; step.done !== true; step = frames.next()) take(step.value);
      const used = step.value;
      if (scanner.end.state === 'damaged') {
        fileBytes = fstatSync(file).size;
        break;
      }
      buffer.copyWithin(0, used, bytes.length);
      held = bytes.length - used;
    }
    return scanner.finish(fileBytes);
  } finally {
    closeSync(file);
  }
}

/** The header of a stretch, or undefined when its first frame is not one (torn while it was written, or damaged). */
export async function readStretchHeader(path: string): Promise<StretchHeader | undefined> {
  const frames = readJournal(path);
  const first = await frames.next();
  await frames.return({ frames: 0, goodBytes: 0, tornBytes: 0, state: 'whole', lastFrameAt: 0 });
  return first.done === true || first.value.kind !== 'header' ? undefined : parseStretchHeader(first.value.header);
}
