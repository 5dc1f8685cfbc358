import { concatenated } from '../encodings.ts';

/**
 * The structures of a bundle's zip file as `sallyport export` writes them (gateway/query/bundle/zip-format.ts): no times,
 * one comment, no extra fields but zip64's, and those only where a number needs them. So every byte that is not content
 * follows from names, sizes and checksums, and is demanded.
 */
export interface ZipEntry {
  /** ASCII, relative, with `/` between folders. */
  readonly name: string;
  readonly stored: boolean;
  readonly crc32: number;
  /** Of the content, and of what stands in the file for it. */
  readonly bytes: number;
  readonly packedBytes: number;
  /** Where its local header begins. */
  readonly offset: number;
}

/** Where the list of entries stands, and how many there are. */
export interface ZipDirectory {
  readonly entries: number;
  readonly bytes: number;
  readonly offset: number;
}

export type Bytes = Uint8Array<ArrayBuffer>;

export const CENTRAL_HEADER_BYTES = 46;
export const EXTRA_BYTES = 28;
export const END_BYTES = 22;
export const ZIP64_END_BYTES = 56;
export const ZIP64_LOCATOR_BYTES = 20;
export const MAX_NAME_BYTES = 200;

export const LOCAL_SIGNATURE = 0x04034b50;
export const CENTRAL_SIGNATURE = 0x02014b50;
export const END_SIGNATURE = 0x06054b50;
export const ZIP64_END_SIGNATURE = 0x06064b50;

/** The file's comment: this and the hexadecimal digest of every byte before the end record. */
const SEAL_PREFIX = 'SHA-256 ';
export const SEAL_BYTES = SEAL_PREFIX.length + 64;

const LOCAL_HEADER_BYTES = 30;
const DESCRIPTOR_BYTES = 16;
const WIDE_DESCRIPTOR_BYTES = 24;
const NOT_IN_32_BITS = 0xffffffff;
const NOT_IN_16_BITS = 0xffff;
/** Sizes and checksum follow the content (bit 3), the name is UTF-8 (bit 11). */
const FLAGS = 0x0808;
const DEFLATED = 8;
const NO_DATE = 0x21;
const VERSION = 20;
const VERSION_ZIP64 = 45;
const MADE_BY = (3 << 8) | 63;
const ATTRIBUTES = 0o100644 * 0x10000;

/** No way out, nothing hidden, nothing that a file system would take for something else. */
export function isBundleName(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/.test(name);
}

export function localHeader({ name, stored }: Pick<ZipEntry, 'name' | 'stored'>): Bytes {
  const header = new Fields(LOCAL_HEADER_BYTES).u32(0, LOCAL_SIGNATURE).u16(4, VERSION).u16(6, FLAGS);
  header
    .u16(8, stored ? 0 : DEFLATED)
    .u16(12, NO_DATE)
    .u16(26, name.length);
  return concatenated(header.bytes, ascii(name));
}

/** What follows an entry's content. */
export function dataDescriptor(entry: ZipEntry): Bytes {
  const wide = hasLargeContent(entry);
  const fields = new Fields(wide ? WIDE_DESCRIPTOR_BYTES : DESCRIPTOR_BYTES).u32(0, 0x08074b50).u32(4, entry.crc32);
  if (wide) return fields.u64(8, entry.packedBytes).u64(16, entry.bytes).bytes;
  return fields.u32(8, entry.packedBytes).u32(12, entry.bytes).bytes;
}

/** From the beginning of the local header to the end of the descriptor. */
export function lengthInFile(entry: ZipEntry): number {
  const descriptor = hasLargeContent(entry) ? WIDE_DESCRIPTOR_BYTES : DESCRIPTOR_BYTES;
  return LOCAL_HEADER_BYTES + entry.name.length + entry.packedBytes + descriptor;
}

export function centralHeader(entry: ZipEntry): Bytes {
  const { name, stored, crc32, bytes, packedBytes, offset } = entry;
  const wide = hasLargeContent(entry) || offset >= NOT_IN_32_BITS;
  const header = new Fields(CENTRAL_HEADER_BYTES)
    .u32(0, CENTRAL_SIGNATURE)
    .u16(4, MADE_BY)
    .u16(6, wide ? VERSION_ZIP64 : VERSION)
    .u16(8, FLAGS)
    .u16(10, stored ? 0 : DEFLATED)
    .u16(14, NO_DATE)
    .u32(16, crc32)
    .u32(20, wide ? NOT_IN_32_BITS : packedBytes)
    .u32(24, wide ? NOT_IN_32_BITS : bytes)
    .u16(28, name.length)
    .u16(30, wide ? EXTRA_BYTES : 0)
    .u32(38, ATTRIBUTES)
    .u32(42, wide ? NOT_IN_32_BITS : offset);
  if (!wide) return concatenated(header.bytes, ascii(name));
  const extra = new Fields(EXTRA_BYTES).u16(0, 1).u16(2, 24).u64(4, bytes).u64(12, packedBytes).u64(20, offset);
  return concatenated(header.bytes, ascii(name), extra.bytes);
}

/** What a central header says, as far as it takes to write the same again. `header` has its name and its extra field. */
export function readCentralHeader(header: Uint8Array): ZipEntry {
  const at = viewOf(header);
  const nameBytes = at.getUint16(28, true);
  const name = text(header.subarray(CENTRAL_HEADER_BYTES, CENTRAL_HEADER_BYTES + nameBytes));
  const common = { name, stored: at.getUint16(10, true) === 0, crc32: at.getUint32(16, true) };
  const extra = CENTRAL_HEADER_BYTES + nameBytes;
  if (at.getUint32(42, true) === NOT_IN_32_BITS && header.length === extra + EXTRA_BYTES)
    return { ...common, bytes: readU64(at, extra + 4), packedBytes: readU64(at, extra + 12), offset: readU64(at, extra + 20) };
  return { ...common, packedBytes: at.getUint32(20, true), bytes: at.getUint32(24, true), offset: at.getUint32(42, true) };
}

/** The zip64 records that stand before the end record where one of its numbers needs them; else nothing. */
export function zip64End(directory: ZipDirectory): Bytes {
  if (!needsZip64End(directory)) return new Uint8Array(0);
  return new Fields(ZIP64_END_BYTES + ZIP64_LOCATOR_BYTES)
    .u32(0, ZIP64_END_SIGNATURE)
    .u64(4, ZIP64_END_BYTES - 12)
    .u16(12, MADE_BY)
    .u16(14, VERSION_ZIP64)
    .u64(24, directory.entries)
    .u64(32, directory.entries)
    .u64(40, directory.bytes)
    .u64(48, directory.offset)
    .u32(56, 0x07064b50)
    .u64(64, directory.offset + directory.bytes)
    .u32(72, 1).bytes;
}

/** The last record of the file, with the comment that seals everything before it. `digest` is hexadecimal. */
export function endRecord(directory: ZipDirectory, digest: string): Bytes {
  const end = new Fields(END_BYTES)
    .u32(0, END_SIGNATURE)
    .u16(8, Math.min(directory.entries, NOT_IN_16_BITS))
    .u16(10, Math.min(directory.entries, NOT_IN_16_BITS))
    .u32(12, Math.min(directory.bytes, NOT_IN_32_BITS))
    .u32(16, Math.min(directory.offset, NOT_IN_32_BITS))
    .u16(20, SEAL_BYTES);
  return concatenated(end.bytes, ascii(`${SEAL_PREFIX}${digest}`));
}

/** The digest in the comment of an end record; undefined when there is another comment, or none. */
export function digestOfSeal(end: Uint8Array): string | undefined {
  return new RegExp(`^${SEAL_PREFIX}([0-9a-f]{64})$`).exec(text(end.subarray(END_BYTES)))?.[1];
}

export function needsZip64End({ entries, bytes, offset }: ZipDirectory): boolean {
  return entries >= NOT_IN_16_BITS || bytes >= NOT_IN_32_BITS || offset >= NOT_IN_32_BITS;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Not exact beyond 2^53, where nothing that is read here is right anyway. */
export function readU64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function hasLargeContent({ bytes, packedBytes }: Pick<ZipEntry, 'bytes' | 'packedBytes'>): boolean {
  return bytes >= NOT_IN_32_BITS || packedBytes >= NOT_IN_32_BITS;
}

/** Bytes as the characters of their numbers, as names and comments are compared. */
function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function ascii(characters: string): Bytes {
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

/** Numbers of a structure, little-endian, at their places. */
class Fields {
  readonly bytes: Bytes;
  readonly #view: DataView;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(at: number, value: number): this {
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(at: number, value: number): this {
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** Numbers that are none, which a hostile file can name, become another one: what is made of them then differs from the file. */
  u64(at: number, value: number): this {
    this.#view.setBigUint64(at, Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : 0n, true);
    return this;
  }
}
