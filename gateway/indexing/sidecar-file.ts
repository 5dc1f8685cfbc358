import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, zstdDecompress } from 'node:zlib';
import type { Keyframe } from '../../contract/replay/driver.ts';
import { type Blob, type Part, partSchema } from '../../contract/replay/part.ts';
import { ENGINE } from '../../contract/replay/screen/engine.ts';
import { errnoCode } from '../recording/errno-code.ts';
import { recordingDirectory, stretchNumber } from '../recording/journal-layout.ts';

/*
 * One file for each segment: what contract/replay/part.ts says of it, and the blobs that it names. Nothing in it is
 * evidence: whatever is missing, damaged or of another version counts as not there, and is made again.
 *
 *   8 bytes      "SLYPART" and the version
 *   u32 LE       length of the part as JSON, and its CRC-32 (u32 LE)
 *   …            the part as JSON, and then the blobs; their places count from here
 */

/** Everything below it can be made again from the recordings. */
export const REPLAY_DIRECTORY = 'replay';

const MAGIC = Buffer.from('SLYPART\x01', 'latin1');
const HEAD_BYTES = MAGIC.length + 8;
/** Far above what the indexer writes; what claims more is not read into memory. */
const MOST_PART_BYTES = 8 * 1024 * 1024;
const MOST_BLOB_BYTES = 8 * 1024 * 1024;
const MOST_KEYFRAME_BYTES = 16 * 1024 * 1024;

const decompress = promisify(zstdDecompress);

/** `replay/YYYY/MM/<session>/<channel>`, below the data directory as `recordings/…` is. */
export function replayDirectory(session: string, channel: number): string {
  return recordingDirectory(session, channel).replace(/^recordings\//, `${REPLAY_DIRECTORY}/`);
}

/** Below the data directory. */
export function sidecarPath(session: string, channel: number, segment: number): string {
  return `${replayDirectory(session, channel)}/${stretchNumber(segment)}.part`;
}

/** Everything that was made of a session. */
export async function removeParts(dataDirectory: string, session: string): Promise<void> {
  try {
    await rm(join(dataDirectory, dirname(replayDirectory(session, 0))), { recursive: true, force: true });
  } catch (thrown) {
    // Where there is no such directory, there is nothing in it.
    if (errnoCode(thrown) !== 'ENOTDIR') throw thrown;
  }
}

/** Undefined where there is none that can be used: none at all, damaged, of another emulation, or of another segment. */
export async function readPart(
  dataDirectory: string,
  session: string,
  channel: number,
  segment: number,
  sha256: string,
): Promise<Part | undefined> {
  return withFile(join(dataDirectory, sidecarPath(session, channel, segment)), async (file) => {
    const head = await readHead(file);
    if (head === undefined) return undefined;
    const json = await readExactly(file, HEAD_BYTES, head.bytes);
    if (json === undefined || crc32(json) !== head.crc) return undefined;
    const read = partSchema.safeParse(JSON.parse(json.toString('utf8')));
    if (!read.success) return undefined;
    const part = read.data;
    // What was written last is what a power failure cuts off.
    const end = HEAD_BYTES + head.bytes + blobBytes(part);
    if ((await file.stat()).size < end) return undefined;
    return part.engine === ENGINE && part.sha256 === sha256 && part.segment === segment ? part : undefined;
  });
}

/** So that it is made again: what it says holds, and what it names does not. */
export function discardSidecar(dataDirectory: string, session: string, channel: number, segment: number): Promise<void> {
  return rm(join(dataDirectory, sidecarPath(session, channel, segment)), { force: true });
}

function blobBytes({ keyframes, thumbnails }: Part): number {
  return Math.max(0, ...[...keyframes, ...thumbnails].map(({ at, bytes }) => at + bytes));
}

/** A blob as it is stored, or undefined where it is not what the part said: damaged, or a newer file took its place. */
export async function readBlob(
  dataDirectory: string,
  session: string,
  channel: number,
  segment: number,
  { at, bytes, crc }: Blob,
): Promise<Buffer | undefined> {
  if (bytes > MOST_BLOB_BYTES) return undefined;
  return withFile(join(dataDirectory, sidecarPath(session, channel, segment)), async (file) => {
    const head = await readHead(file);
    const blob = head === undefined ? undefined : await readExactly(file, HEAD_BYTES + head.bytes + at, bytes);
    return blob !== undefined && crc32(blob) === crc ? blob : undefined;
  });
}

/** The screen that a blob of keyframes holds: what is stored is compressed. */
export async function readKeyframe(
  dataDirectory: string,
  session: string,
  channel: number,
  segment: number,
  keyframe: Part['keyframes'][number],
): Promise<Keyframe | undefined> {
  const stored = await readBlob(dataDirectory, session, channel, segment, keyframe);
  if (stored === undefined) return undefined;
  try {
    const data = await decompress(stored, { maxOutputLength: MOST_KEYFRAME_BYTES });
    return { cols: keyframe.cols, rows: keyframe.rows, data: data.toString('utf8') };
  } catch {
    return undefined; // Its CRC held, so it was written so: the next keyframe before it does as well.
  }
}

/** `blobs` one after the other are what the part's places are in. The file is there whole, or not at all. */
export async function writeSidecar(
  dataDirectory: string,
  session: string,
  channel: number,
  part: Part,
  blobs: readonly Uint8Array[],
): Promise<void> {
  const path = join(dataDirectory, sidecarPath(session, channel, part.segment));
  const json = Buffer.from(JSON.stringify(part));
  if (json.length > MOST_PART_BYTES) throw new RangeError(`a part of ${json.length} bytes is more than any segment needs`);
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head.writeUInt32LE(json.length, MAGIC.length);
  head.writeUInt32LE(crc32(json), MAGIC.length + 4);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporaryPath = `${path}.tmp`;
  const file = await open(temporaryPath, 'w', 0o600);
  try {
    await file.writeFile(Buffer.concat([head, json, ...blobs]));
  } finally {
    await file.close();
  }
  // Not synced: after a power failure it may be cut off, and then it is made again.
  await rename(temporaryPath, path);
}

/** Says of a segment that nothing can be made of it by this version, so that it is not tried for ever. */
export async function writeFailure(
  dataDirectory: string,
  session: string,
  channel: number,
  segment: number,
  sha256: string,
): Promise<void> {
  const path = join(dataDirectory, failurePath(session, channel, segment));
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, failureText(sha256), { mode: 0o600 });
}

export async function hasFailed(
  dataDirectory: string,
  session: string,
  channel: number,
  segment: number,
  sha256: string,
): Promise<boolean> {
  const expected = Buffer.from(failureText(sha256));
  const found = await withFile(join(dataDirectory, failurePath(session, channel, segment)), (file) =>
    readExactly(file, 0, expected.length),
  );
  return found?.equals(expected) === true;
}

function failurePath(session: string, channel: number, segment: number): string {
  return `${replayDirectory(session, channel)}/${stretchNumber(segment)}.failed`;
}

function failureText(sha256: string): string {
  return `${ENGINE}\n${sha256}\n`;
}

async function readHead(file: FileHandle): Promise<{ bytes: number; crc: number } | undefined> {
  const head = await readExactly(file, 0, HEAD_BYTES);
  if (head === undefined || !head.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const bytes = head.readUInt32LE(MAGIC.length);
  return bytes > MOST_PART_BYTES ? undefined : { bytes, crc: head.readUInt32LE(MAGIC.length + 4) };
}

async function readExactly(file: FileHandle, at: number, bytes: number): Promise<Buffer | undefined> {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let filled = 0; filled < bytes; ) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, at + filled);
    if (bytesRead === 0) return undefined;
    filled += bytesRead;
  }
  return buffer;
}

/** Whatever the file is instead of a sidecar, and whatever keeps it from being read, it counts as not there. */
async function withFile<Result>(path: string, use: (file: FileHandle) => Promise<Result | undefined>): Promise<Result | undefined> {
  let file: FileHandle | undefined;
  try {
    // Not to be opened for longer than it takes: a pipe in its place would keep the caller waiting.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await use(file);
  } catch {
    return undefined;
  } finally {
    await file?.close().catch(() => undefined);
  }
}
