import type { FileHandle } from 'node:fs/promises';
import { SallyportError } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';
import {
  CENTRAL_HEADER_BYTES,
  CENTRAL_SIGNATURE,
  centralHeader,
  digestOfSeal,
  END_BYTES,
  END_SIGNATURE,
  endRecord,
  isBundleName,
  lengthInFile,
  MAX_NAME_BYTES,
  needsZip64End,
  readCentralHeader,
  readUInt64,
  SEAL_BYTES,
  ZIP64_END_BYTES,
  ZIP64_END_SIGNATURE,
  ZIP64_LOCATOR_BYTES,
  type ZipDirectory,
  type ZipEntry,
  zip64End,
} from './zip-format.ts';
import { UNPACKED_ALLOWANCE, UNPACKED_PER_BYTE } from './zip-writer.ts';

/** More than the bundle of a hundred thousand sessions has. */
const MAX_ENTRIES = 1_000_000;

const CHUNK_BYTES = 256 * 1024;
const EXTRA_BYTES = 28;

export function invalidBundle(path: string, what: string, cause?: unknown): SallyportError {
  return new SallyportError('BUNDLE_INVALID', `${printable(path)} is not an intact bundle: ${printable(what)}`, {
    remedy: 'get it once more from where it came from, exactly as sallyport export wrote it',
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * The entries of a bundle in the order of the file, and its end record. Each structure is read, and then has to be byte
 * for byte the one that would be written for what it says; together they have to fill the file without gap or overlap.
 */
export async function readDirectory(
  file: FileHandle,
  size: number,
  path: string,
): Promise<{ entries: Map<string, ZipEntry>; end: Buffer }> {
  const { directory, end } = await readEnd(file, size, path);
  const entries = new Map<string, ZipEntry>();
  const lowerCase = new Set<string>();
  let expectedOffset = 0;
  let unpacked = 0;
  for await (const header of centralHeaders(file, directory, path)) {
    const entry = readCentralHeader(header);
    if (!isBundleName(entry.name)) throw invalidBundle(path, `${JSON.stringify(entry.name)} is not a name that a bundle has`);
    if (!centralHeader(entry).equals(header)) throw invalidBundle(path, `the entry ${entry.name} was not written by sallyport export`);
    if (lowerCase.has(entry.name.toLowerCase())) throw invalidBundle(path, `it has ${entry.name} twice`);
    if (entry.offset !== expectedOffset) throw invalidBundle(path, `${entry.name} does not follow the entry before it`);
    if (entry.stored && entry.bytes !== entry.packedBytes) throw invalidBundle(path, `${entry.name} has two sizes`);
    expectedOffset += lengthInFile(entry);
    unpacked += entry.bytes;
    if (!(expectedOffset <= directory.offset)) throw invalidBundle(path, `${entry.name} is longer than the file`);
    lowerCase.add(entry.name.toLowerCase());
    entries.set(entry.name, entry);
  }
  if (expectedOffset !== directory.offset) throw invalidBundle(path, 'there is something between its entries and the list of them');
  if (entries.size !== directory.entries) throw invalidBundle(path, `it has ${entries.size} entries and claims ${directory.entries}`);
  if (!(unpacked <= UNPACKED_ALLOWANCE + UNPACKED_PER_BYTE * size)) {
    throw invalidBundle(path, `its ${size} bytes would unpack to ${unpacked}, which no bundle does`);
  }
  return { entries, end };
}

async function readEnd(file: FileHandle, size: number, path: string): Promise<{ directory: ZipDirectory; end: Buffer }> {
  const endAt = size - END_BYTES - SEAL_BYTES;
  if (endAt < 0) throw invalidBundle(path, `it has only ${size} bytes`);
  const end = await readExactly(file, endAt, END_BYTES + SEAL_BYTES, path);
  const digest = digestOfSeal(end);
  if (end.readUInt32LE(0) !== END_SIGNATURE || digest === undefined) {
    throw invalidBundle(path, 'it does not end as a bundle does: it is cut off, something was added, or it is another kind of file');
  }
  const inEnd: ZipDirectory = { entries: end.readUInt16LE(10), bytes: end.readUInt32LE(12), offset: end.readUInt32LE(16) };
  const zip64Bytes = ZIP64_END_BYTES + ZIP64_LOCATOR_BYTES;
  const wide = needsZip64End(inEnd);
  let directory = inEnd;
  if (wide) {
    if (endAt < zip64Bytes) throw invalidBundle(path, 'its end is incomplete');
    const record = await readExactly(file, endAt - zip64Bytes, zip64Bytes, path);
    if (record.readUInt32LE(0) !== ZIP64_END_SIGNATURE) throw invalidBundle(path, 'its end is incomplete');
    directory = { entries: readUInt64(record, 32), bytes: readUInt64(record, 40), offset: readUInt64(record, 48) };
    if (!isSafe(directory) || !zip64End(directory).equals(record)) throw invalidBundle(path, 'its end contradicts itself');
  }
  if (!endRecord(directory, digest).equals(end)) throw invalidBundle(path, 'its end contradicts itself');
  if (directory.offset + directory.bytes !== endAt - (wide ? zip64Bytes : 0))
    throw invalidBundle(path, 'its list of entries does not reach to its end');
  if (directory.entries > MAX_ENTRIES)
    throw invalidBundle(path, `it claims ${directory.entries} entries, more than the ${MAX_ENTRIES} it may have`);
  // Before anything is read or allocated for so many.
  if (
    directory.entries * CENTRAL_HEADER_BYTES > directory.bytes ||
    directory.bytes > directory.entries * (CENTRAL_HEADER_BYTES + MAX_NAME_BYTES + EXTRA_BYTES)
  ) {
    throw invalidBundle(path, `a list of ${directory.bytes} bytes cannot name ${directory.entries} entries`);
  }
  return { directory, end };
}

/** The headers one after the other, each whole. */
async function* centralHeaders(file: FileHandle, directory: ZipDirectory, path: string): AsyncGenerator<Buffer> {
  const stop = directory.offset + directory.bytes;
  let held = Buffer.alloc(0);
  let at = directory.offset;
  while (at < stop || held.length > 0) {
    const length = headerLength(held);
    if (length !== undefined && length <= held.length) {
      yield held.subarray(0, length);
      held = held.subarray(length);
      continue;
    }
    if (at >= stop) throw invalidBundle(path, 'its list of entries is cut off');
    if (held.length >= 4 && held.readUInt32LE(0) !== CENTRAL_SIGNATURE)
      throw invalidBundle(path, 'its list of entries has something else in it');
    const chunk = await readExactly(file, at, Math.min(CHUNK_BYTES, stop - at), path);
    at += chunk.length;
    held = Buffer.concat([held, chunk]);
  }
}

function headerLength(held: Buffer): number | undefined {
  if (held.length < CENTRAL_HEADER_BYTES || held.readUInt32LE(0) !== CENTRAL_SIGNATURE) return undefined;
  return CENTRAL_HEADER_BYTES + held.readUInt16LE(28) + held.readUInt16LE(30) + held.readUInt16LE(32);
}

async function readExactly(file: FileHandle, at: number, length: number, path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) throw invalidBundle(path, 'it has become shorter while it was read');
    filled += bytesRead;
  }
  return bytes;
}

function isSafe(directory: ZipDirectory): boolean {
  return Number.isSafeInteger(directory.entries) && Number.isSafeInteger(directory.bytes) && Number.isSafeInteger(directory.offset);
}
