/**
 * The structures of the zip files that bundles come in (APPNOTE.TXT 6.3.10, PKWARE), in the one form in which they are
 * written here: no times, no comments but the last, no extra fields but zip64's, and those only where a number needs
 * them. So every byte that is not content follows from the names, sizes and checksums, and a reader can demand it.
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

export const LOCAL_HEADER_BYTES = 30;
export const CENTRAL_HEADER_BYTES = 46;
export const END_BYTES = 22;
export const ZIP64_END_BYTES = 56;
export const ZIP64_LOCATOR_BYTES = 20;

export const CENTRAL_SIGNATURE = 0x02014b50;
export const END_SIGNATURE = 0x06054b50;
export const ZIP64_END_SIGNATURE = 0x06064b50;

/** The file's comment: `SHA-256 ` and the hexadecimal digest of every byte before the end record. */
const SEAL_PREFIX = 'SHA-256 ';
export const SEAL_BYTES = SEAL_PREFIX.length + 64;

export const MAX_NAME_BYTES = 200;

const DESCRIPTOR_BYTES = 16;
const WIDE_DESCRIPTOR_BYTES = 24;
const NOT_IN_32_BITS = 0xffffffff;
const NOT_IN_16_BITS = 0xffff;
/** Sizes and checksum follow the content (bit 3), the name is UTF-8 (bit 11). */
const FLAGS = 0x0808;
const DEFLATED = 8;
/** The first of January 1980, 0:00. */
const NO_DATE = 0x21;
const VERSION = 20;
const VERSION_ZIP64 = 45;
/** Made on Unix (3) by the standard of version 6.3; a file that everybody may read and its owner write. */
const MADE_BY = (3 << 8) | 63;
const ATTRIBUTES = 0o100644 * 0x10000;

/**
 * Names that every system unpacks to the same place: no way out, nothing hidden, nothing that a terminal or a shell
 * would act on. Bundles have no others.
 */
export function isBundleName(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/.test(name);
}

export function localHeader(entry: Pick<ZipEntry, 'name' | 'stored'>): Buffer {
  const header = Buffer.alloc(LOCAL_HEADER_BYTES);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt16LE(entry.stored ? 0 : DEFLATED, 8);
  header.writeUInt16LE(NO_DATE, 12);
  header.writeUInt16LE(entry.name.length, 26);
  return Buffer.concat([header, Buffer.from(entry.name, 'latin1')]);
}

/** What follows an entry's content. */
export function dataDescriptor(entry: ZipEntry): Buffer {
  const wide = hasLargeContent(entry);
  const descriptor = Buffer.alloc(wide ? WIDE_DESCRIPTOR_BYTES : DESCRIPTOR_BYTES);
  descriptor.writeUInt32LE(0x08074b50, 0);
  descriptor.writeUInt32LE(entry.crc32, 4);
  if (wide) {
    writeUInt64(descriptor, entry.packedBytes, 8);
    writeUInt64(descriptor, entry.bytes, 16);
  } else {
    descriptor.writeUInt32LE(entry.packedBytes, 8);
    descriptor.writeUInt32LE(entry.bytes, 12);
  }
  return descriptor;
}

/** From the beginning of the local header to the end of the descriptor. */
export function lengthInFile(entry: ZipEntry): number {
  const descriptorBytes = hasLargeContent(entry) ? WIDE_DESCRIPTOR_BYTES : DESCRIPTOR_BYTES;
  return LOCAL_HEADER_BYTES + entry.name.length + entry.packedBytes + descriptorBytes;
}

export function centralHeader(entry: ZipEntry): Buffer {
  const wide = needsZip64(entry);
  const header = Buffer.alloc(CENTRAL_HEADER_BYTES);
  header.writeUInt32LE(CENTRAL_SIGNATURE, 0);
  header.writeUInt16LE(MADE_BY, 4);
  header.writeUInt16LE(wide ? VERSION_ZIP64 : VERSION, 6);
  header.writeUInt16LE(FLAGS, 8);
  header.writeUInt16LE(entry.stored ? 0 : DEFLATED, 10);
  header.writeUInt16LE(NO_DATE, 14);
  header.writeUInt32LE(entry.crc32, 16);
  header.writeUInt32LE(wide ? NOT_IN_32_BITS : entry.packedBytes, 20);
  header.writeUInt32LE(wide ? NOT_IN_32_BITS : entry.bytes, 24);
  header.writeUInt16LE(entry.name.length, 28);
  header.writeUInt16LE(wide ? 28 : 0, 30);
  header.writeUInt32LE(ATTRIBUTES, 38);
  header.writeUInt32LE(wide ? NOT_IN_32_BITS : entry.offset, 42);
  const name = Buffer.from(entry.name, 'latin1');
  if (!wide) return Buffer.concat([header, name]);
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  writeUInt64(extra, entry.bytes, 4);
  writeUInt64(extra, entry.packedBytes, 12);
  writeUInt64(extra, entry.offset, 20);
  return Buffer.concat([header, name, extra]);
}

/** What a central header says, as far as it is needed to write the same again. `header` has its name and its extra field. */
export function readCentralHeader(header: Buffer): ZipEntry {
  const nameBytes = header.readUInt16LE(28);
  const name = header.toString('latin1', CENTRAL_HEADER_BYTES, CENTRAL_HEADER_BYTES + nameBytes);
  const common = { name, stored: header.readUInt16LE(10) === 0, crc32: header.readUInt32LE(16) };
  const wide = header.readUInt32LE(42) === NOT_IN_32_BITS && header.length === CENTRAL_HEADER_BYTES + nameBytes + 28;
  if (!wide) {
    return { ...common, packedBytes: header.readUInt32LE(20), bytes: header.readUInt32LE(24), offset: header.readUInt32LE(42) };
  }
  const extra = CENTRAL_HEADER_BYTES + nameBytes;
  return {
    ...common,
    bytes: readUInt64(header, extra + 4),
    packedBytes: readUInt64(header, extra + 12),
    offset: readUInt64(header, extra + 20),
  };
}

/** Where the list of entries stands, and how many there are. */
export interface ZipDirectory {
  entries: number;
  bytes: number;
  offset: number;
}

/** The zip64 records that stand before the end record where one of its numbers needs them; else nothing. */
export function zip64End(directory: ZipDirectory): Buffer {
  if (!needsZip64End(directory)) return Buffer.alloc(0);
  const end = Buffer.alloc(ZIP64_END_BYTES + ZIP64_LOCATOR_BYTES);
  end.writeUInt32LE(ZIP64_END_SIGNATURE, 0);
  writeUInt64(end, ZIP64_END_BYTES - 12, 4);
  end.writeUInt16LE(MADE_BY, 12);
  end.writeUInt16LE(VERSION_ZIP64, 14);
  writeUInt64(end, directory.entries, 24);
  writeUInt64(end, directory.entries, 32);
  writeUInt64(end, directory.bytes, 40);
  writeUInt64(end, directory.offset, 48);
  end.writeUInt32LE(0x07064b50, 56);
  writeUInt64(end, directory.offset + directory.bytes, 64);
  end.writeUInt32LE(1, 72);
  return end;
}

/** The last record of the file, with the comment that seals everything before it. `digest` is hexadecimal. */
export function endRecord(directory: ZipDirectory, digest: string): Buffer {
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END_SIGNATURE, 0);
  end.writeUInt16LE(Math.min(directory.entries, NOT_IN_16_BITS), 8);
  end.writeUInt16LE(Math.min(directory.entries, NOT_IN_16_BITS), 10);
  end.writeUInt32LE(Math.min(directory.bytes, NOT_IN_32_BITS), 12);
  end.writeUInt32LE(Math.min(directory.offset, NOT_IN_32_BITS), 16);
  end.writeUInt16LE(SEAL_BYTES, 20);
  return Buffer.concat([end, Buffer.from(`${SEAL_PREFIX}${digest}`, 'latin1')]);
}

/** The digest in the comment of an end record; undefined when there is another comment, or none. */
export function digestOfSeal(end: Buffer): string | undefined {
  return new RegExp(`^${SEAL_PREFIX}([0-9a-f]{64})$`).exec(end.toString('latin1', END_BYTES))?.[1];
}

export function needsZip64End({ entries, bytes, offset }: ZipDirectory): boolean {
  return entries >= NOT_IN_16_BITS || bytes >= NOT_IN_32_BITS || offset >= NOT_IN_32_BITS;
}

/** In the list of entries all three numbers are given as 64 bits as soon as one of them needs it. */
function needsZip64(entry: ZipEntry): boolean {
  return hasLargeContent(entry) || entry.offset >= NOT_IN_32_BITS;
}

function hasLargeContent({ bytes, packedBytes }: ZipEntry): boolean {
  return bytes >= NOT_IN_32_BITS || packedBytes >= NOT_IN_32_BITS;
}

export function readUInt64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function writeUInt64(bytes: Buffer, value: number, at: number): void {
  bytes.writeBigUInt64LE(BigInt(value), at);
}
