import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { clockOf, intervalOf, wholeSteps } from './cast-time.ts';
import { LineSplitter } from './line-splitter.ts';
import { checkedFrameAt, nextFrameStart } from './zstd-frames.ts';

const decompress = promisify(zstdDecompress);

/** The sealer puts 256 KiB into a frame, and one line more. */
const MOST_FRAME_BYTES = 17 * 1024 * 1024;

/** Places that look like the beginning of a frame and are none. Bytes that are made of such places are given up. */
const MOST_ATTEMPTS = 256;

/** A stretch of the bytes of a damaged segment: a frame that is whole by its own checksum, or what lies between those. */
export type SalvagedPiece =
  | { kind: 'frame'; bytes: Buffer }
  /** `missingNanos`: how much of the recording is gone here, as far as what is around it tells. */
  | { kind: 'gap'; from: number; to: number; missingNanos: number };

interface Surveyed {
  kind: 'frame';
  bytes: Buffer;
  /** How long it plays, and where it begins when a clock event in it says so. */
  length: number;
  begins: number | undefined;
}
type Gap = Extract<SalvagedPiece, { kind: 'gap' }>;

/**
 * Finds what can still be read of a segment that is not as it was sealed. `content` is what is left of it, `sealedBytes`
 * its size when it was sealed; `begins` and `ends` are where it begins and ends in the recording, in nanoseconds.
 * A zstd frame is taken when its checksum holds, wherever it stands: that it is the one that was sealed is not proved.
 * Memory: the content, and one frame decompressed.
 */
export async function salvageSegment(content: Buffer, sealedBytes: number, begins: number, ends: number): Promise<SalvagedPiece[]> {
  const pieces = await survey(content, sealedBytes);
  placeInTime(pieces, wholeSteps(begins), wholeSteps(ends));
  return pieces;
}

/** The lines of one intact frame. The sealer cuts frames between lines. */
export async function* frameLines(bytes: Buffer): AsyncGenerator<string> {
  const splitter = new LineSplitter();
  yield* splitter.push(await decompress(bytes, { maxOutputLength: MOST_FRAME_BYTES }));
  yield* splitter.end();
}

async function survey(content: Buffer, sealedBytes: number): Promise<Array<Surveyed | Gap>> {
  const pieces: Array<Surveyed | Gap> = [];
  let attempts = 0;
  let unreadable = 0;
  const closeGap = (to: number) => {
    if (to > unreadable) pieces.push({ kind: 'gap', from: unreadable, to, missingNanos: 0 });
  };
  let at = nextFrameStart(content, 0);
  while (at < content.length && attempts < MOST_ATTEMPTS) {
    const bytes = checkedFrameAt(content, at);
    const read = bytes === undefined ? undefined : await timesOf(bytes);
    if (bytes === undefined || read === undefined) {
      attempts += 1;
      at = nextFrameStart(content, at + 1);
      continue;
    }
    closeGap(at);
    pieces.push({ kind: 'frame', bytes, ...read });
    unreadable = at + bytes.length;
    at = nextFrameStart(content, unreadable);
  }
  closeGap(Math.max(content.length, sealedBytes));
  return pieces;
}

async function timesOf(bytes: Buffer): Promise<{ length: number; begins: number | undefined } | undefined> {
  try {
    let length = 0;
    let begins: number | undefined;
    for await (const line of frameLines(bytes)) {
      length += intervalOf(line);
      const clock = begins === undefined ? clockOf(line) : undefined;
      if (clock !== undefined) begins = clock - length;
    }
    return { length, begins };
  } catch {
    return undefined; // Its checksum does not hold, or it is none of ours: told as a part that cannot be read.
  }
}

/**
 * Says how long each gap is. Between two places whose time is known the time that is missing is known as well; where
 * several gaps share it, each has as much of it as it has of the bytes.
 */
function placeInTime(pieces: ReadonlyArray<Surveyed | Gap>, begins: number, ends: number): void {
  let cursor = begins;
  let waiting: Gap[] = [];
  const settle = (at: number) => {
    const slack = Math.max(0, Math.min(at, ends) - cursor);
    const bytes = waiting.reduce((sum, gap) => sum + gap.to - gap.from, 0);
    let left = slack;
    for (const [index, gap] of waiting.entries()) {
      gap.missingNanos = index === waiting.length - 1 ? left : wholeSteps((slack * (gap.to - gap.from)) / bytes);
      left -= gap.missingNanos;
    }
    if (waiting.length > 0) cursor += slack;
    waiting = [];
  };
  for (const piece of pieces) {
    if (piece.kind === 'gap') {
      waiting.push(piece);
      continue;
    }
    if (piece.begins !== undefined) settle(piece.begins);
    cursor += piece.length;
  }
  settle(ends);
}
