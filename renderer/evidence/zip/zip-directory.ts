import { concatenated, sameBytes } from '../encodings.ts';
import {
  type Bytes,
  CENTRAL_HEADER_BYTES,
  CENTRAL_SIGNATURE,
  centralHeader,
  digestOfSeal,
  END_BYTES,
  END_SIGNATURE,
  EXTRA_BYTES,
  endRecord,
  isBundleName,
  LOCAL_SIGNATURE,
  lengthInFile,
  MAX_NAME_BYTES,
  needsZip64End,
  readCentralHeader,
  readU64,
  SEAL_BYTES,
  viewOf,
  ZIP64_END_BYTES,
  ZIP64_END_SIGNATURE,
  ZIP64_LOCATOR_BYTES,
  type ZipDirectory,
  type ZipEntry,
  zip64End,
} from './zip-format.ts';

/** A file that is read piece by piece: it may be larger than memory. */
export interface ByteSource {
  readonly size: number;
  read(at: number, length: number): Promise<Bytes>;
}

/** Why a file is no bundle that can be read, in words to follow "This is not an intact bundle:". */
export class NotABundle extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'NotABundle';
  }
}

/** As in gateway/query/bundle: what the writer keeps to, so that a small file cannot keep a reader busy for hours. */
const UNPACKED_ALLOWANCE = 256 * 1024 * 1024;
const UNPACKED_PER_BYTE = 200;
/** More than the bundle of a hundred thousand sessions has. */
const MAX_ENTRIES = 1_000_000;
const CHUNK_BYTES = 256 * 1024;

export interface ReadDirectory {
  /** In the order of the file. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** SHA-256 of all bytes before `sealedBytes`, as the end of the file says. */
  readonly digest: string;
  readonly sealedBytes: number;
}

/**
 * The entries of a bundle. Each structure is read, and then has to be byte for byte the one that would be written for
 * what it says; together they have to fill the file without gap or overlap. Throws NotABundle.
 */
export async function readDirectory(source: ByteSource): Promise<ReadDirectory> {
  const { directory, digest, endAt } = await readEnd(source);
  const entries = new Map<string, ZipEntry>();
  const lowerCase = new Set<string>();
  let expected = 0;
  let unpacked = 0;
  for await (const header of centralHeaders(source, directory)) {
    const entry = readCentralHeader(header);
    const { name } = entry;
    if (!isBundleName(name)) throw new NotABundle(`${JSON.stringify(name)} is not a name that a bundle has`);
    if (!sameBytes(centralHeader(entry), header)) throw new NotABundle(`the entry ${name} was not written by sallyport export`);
    if (lowerCase.has(name.toLowerCase())) throw new NotABundle(`it has ${name} twice`);
    if (entry.offset !== expected) throw new NotABundle(`${name} does not follow the entry before it`);
    if (entry.stored && entry.bytes !== entry.packedBytes) throw new NotABundle(`${name} has two sizes`);
    expected += lengthInFile(entry);
    unpacked += entry.bytes;
    if (!(expected <= directory.offset)) throw new NotABundle(`${name} is longer than the file`);
    lowerCase.add(name.toLowerCase());
    entries.set(name, entry);
  }
  if (expected !== directory.offset) throw new NotABundle('there is something between its entries and the list of them');
  if (entries.size !== directory.entries) throw new NotABundle(`it has ${entries.size} entries and claims ${directory.entries}`);
  if (!(unpacked <= UNPACKED_ALLOWANCE + UNPACKED_PER_BYTE * source.size))
    throw new NotABundle(`its ${source.size} bytes would unpack to ${unpacked}, which no bundle does`);
  return { entries, digest, sealedBytes: endAt };
}

async function readEnd(source: ByteSource): Promise<{ directory: ZipDirectory; digest: string; endAt: number }> {
  const endAt = source.size - END_BYTES - SEAL_BYTES;
  if (endAt < 0) throw new NotABundle(`it has only ${source.size} bytes`);
  const end = await readExactly(source, endAt, END_BYTES + SEAL_BYTES);
  const view = viewOf(end);
  const digest = digestOfSeal(end);
  if (view.getUint32(0, true) !== END_SIGNATURE || digest === undefined) throw await otherEnd(source, end);
  const inEnd = { entries: view.getUint16(10, true), bytes: view.getUint32(12, true), offset: view.getUint32(16, true) };
  const wide = needsZip64End(inEnd);
  const zip64Bytes = wide ? ZIP64_END_BYTES + ZIP64_LOCATOR_BYTES : 0;
  const directory = wide ? await readZip64(source, endAt, zip64Bytes) : inEnd;
  if (!sameBytes(endRecord(directory, digest), end)) throw new NotABundle('its end contradicts itself');
  if (directory.offset + directory.bytes !== endAt - zip64Bytes) throw new NotABundle('its list of entries does not reach to its end');
  requirePossible(directory);
  return { directory, digest, endAt };
}

async function readZip64(source: ByteSource, endAt: number, zip64Bytes: number): Promise<ZipDirectory> {
  if (endAt < zip64Bytes) throw new NotABundle('its end is incomplete');
  const record = await readExactly(source, endAt - zip64Bytes, zip64Bytes);
  const view = viewOf(record);
  if (view.getUint32(0, true) !== ZIP64_END_SIGNATURE) throw new NotABundle('its end is incomplete');
  const directory = { entries: readU64(view, 32), bytes: readU64(view, 40), offset: readU64(view, 48) };
  if (!Object.values(directory).every(Number.isSafeInteger) || !sameBytes(zip64End(directory), record))
    throw new NotABundle('its end contradicts itself');
  return directory;
}

/** Before anything is read or allocated for so many. */
function requirePossible({ entries, bytes }: ZipDirectory): void {
  if (entries > MAX_ENTRIES) throw new NotABundle(`it claims ${entries} entries, more than the ${MAX_ENTRIES} it may have`);
  if (entries * CENTRAL_HEADER_BYTES > bytes || bytes > entries * (CENTRAL_HEADER_BYTES + MAX_NAME_BYTES + EXTRA_BYTES))
    throw new NotABundle(`a list of ${bytes} bytes cannot name ${entries} entries`);
}

/** People drop the wrong file, and half of the right one. They should not have to guess which. */
async function otherEnd(source: ByteSource, end: Uint8Array): Promise<NotABundle> {
  const first = viewOf(await readExactly(source, 0, 4)).getUint32(0, true);
  if (first !== LOCAL_SIGNATURE) {
    return digestOfSeal(end) === undefined
      ? new NotABundle('it is another kind of file')
      : new NotABundle('something stands in front of it, or its beginning was changed');
  }
  const ends = Array.from({ length: end.length - 3 }, (_, at) => viewOf(end).getUint32(at, true));
  return ends.includes(END_SIGNATURE)
    ? new NotABundle('it is a zip file, and not one that sallyport export has written: it was packed anew, or is something else')
    : new NotABundle('it does not end as a bundle does: it is cut off, or something was added to it');
}

/** The headers one after the other, each whole. */
async function* centralHeaders(source: ByteSource, directory: ZipDirectory): AsyncGenerator<Uint8Array> {
  const stop = directory.offset + directory.bytes;
  let held: Uint8Array = new Uint8Array(0);
  let at = directory.offset;
  while (at < stop || held.length > 0) {
    const length = headerLength(held);
    if (length !== undefined && length <= held.length) {
      yield held.subarray(0, length);
      held = held.subarray(length);
      continue;
    }
    if (at >= stop) throw new NotABundle('its list of entries is cut off');
    if (held.length >= 4 && viewOf(held).getUint32(0, true) !== CENTRAL_SIGNATURE)
      throw new NotABundle('its list of entries has something else in it');
    const chunk = await readExactly(source, at, Math.min(CHUNK_BYTES, stop - at));
    at += chunk.length;
    held = concatenated(held, chunk);
  }
}

function headerLength(held: Uint8Array): number | undefined {
  if (held.length < CENTRAL_HEADER_BYTES) return undefined;
  const view = viewOf(held);
  if (view.getUint32(0, true) !== CENTRAL_SIGNATURE) return undefined;
  return CENTRAL_HEADER_BYTES + view.getUint16(28, true) + view.getUint16(30, true) + view.getUint16(32, true);
}

/** Throws NotABundle when the file ends before. */
export async function readExactly(source: ByteSource, at: number, length: number): Promise<Bytes> {
  const bytes = await source.read(at, length);
  if (bytes.length !== length) throw new NotABundle('it has become shorter while it was read');
  return bytes;
}
