/**
 * Cuts zstd content into its frames (RFC 8878, section 3.1) by walking the sizes in their headers, without
 * decompressing anything. Segments consist of many frames, and Node's decoders, stream and function alike, stop after
 * the first frame without an error when it fills their buffer (seen with Node 24.21): each frame is decoded by itself.
 * Throws RangeError where the content is not a whole number of frames.
 */
export function* zstdFrames(content: Buffer): Generator<Buffer> {
  let at = 0;
  while (at < content.length) {
    const end = endOfFrame(content, at);
    if (!isSkippable(content, at)) yield content.subarray(at, end);
    at = end;
  }
}

export interface ZstdFramePlace {
  /** In the file. */
  readonly at: number;
  readonly bytes: number;
  /** Decompressed, as its header says it; undefined where it does not say. */
  readonly contentBytes: number | undefined;
}

/** Where each frame stands, and how long its content is, without decompressing anything. Throws as `zstdFrames` does. */
export function zstdFramePlaces(content: Buffer): ZstdFramePlace[] {
  const places: ZstdFramePlace[] = [];
  for (let at = 0; at < content.length; ) {
    const end = endOfFrame(content, at);
    if (!isSkippable(content, at)) places.push({ at, bytes: end - at, contentBytes: contentSize(content, at) });
    at = end;
  }
  return places;
}

/** The frame that begins at `at`, when one with a checksum (RFC 8878, section 3.1.1.1.1.5) does and it is whole by its sizes. */
export function checkedFrameAt(content: Buffer, at: number): Buffer | undefined {
  try {
    const end = endOfFrame(content, at);
    const checked = !isSkippable(content, at) && (read(content, at + 4, 1) & 4) !== 0;
    return checked ? content.subarray(at, end) : undefined;
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

/** Where the next frame may begin, from `at` on: the end of the content when none does. */
export function nextFrameStart(content: Buffer, at: number): number {
  const found = content.indexOf(MAGIC_BYTES, at);
  return found === -1 ? content.length : found;
}

const MAGIC = 0xfd2fb528;
const MAGIC_BYTES = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const SKIPPABLE_MAGIC = 0x184d2a50;

function isSkippable(content: Buffer, at: number): boolean {
  return (read(content, at, 4) & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
}

function endOfFrame(content: Buffer, start: number): number {
  if (isSkippable(content, start)) return within(content, start + 8 + read(content, start + 4, 4));
  if (read(content, start, 4) !== MAGIC) throw new RangeError(`no zstd frame begins at byte ${start}`);
  const descriptor = read(content, start + 4, 1);
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  let at = start + 5 + (singleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
  for (let last = false; !last; ) {
    const header = read(content, at, 3);
    const type = (header >> 1) & 3;
    if (type === 3) throw new RangeError(`the zstd block at byte ${at} has a reserved type`);
    last = (header & 1) === 1;
    at += 3 + (type === 1 ? 1 : header >> 3); // A repeated byte (type 1) is stored once.
  }
  const hasChecksum = (descriptor & 4) !== 0;
  return within(content, at + (hasChecksum ? 4 : 0));
}

/** RFC 8878, section 3.1.1.1.4. */
function contentSize(content: Buffer, start: number): number | undefined {
  const descriptor = read(content, start + 4, 1);
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const at = start + 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  const flag = descriptor >> 6;
  if (flag === 0) return singleSegment ? read(content, at, 1) : undefined;
  if (flag === 1) return read(content, at, 2) + 256;
  if (flag === 2) return read(content, at, 4);
  within(content, at + 8);
  return Number(content.readBigUInt64LE(at));
}

function read(content: Buffer, at: number, bytes: number): number {
  within(content, at + bytes);
  return content.readUIntLE(at, bytes);
}

function within(content: Buffer, end: number): number {
  if (end > content.length) throw new RangeError(`the content is cut off within a zstd frame, at byte ${content.length}`);
  return end;
}
