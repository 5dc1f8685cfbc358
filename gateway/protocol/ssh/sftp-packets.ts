import { FieldReader } from './connection-messages.ts';

/**
 * SFTP version 3 (draft-ietf-secsh-filexfer-02): the byte stream of one direction into packets. Pure.
 */

export const SftpType = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  SETSTAT: 9,
  FSETSTAT: 10,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  READLINK: 19,
  SYMLINK: 20,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 200,
  EXTENDED_REPLY: 201,
} as const;

export interface SftpPacket {
  type: number;
  /** After the type; the request's number comes first in all but INIT and VERSION. */
  fields: FieldReader;
}

/** OpenSSH sends and takes packets of up to 256 KiB and a header; nobody needs more. */
const MAX_PACKET = 256 * 1024 + 1024;

/** Thrown for a length that no peer means. */
export class UndecodableSftp extends Error {}

/** Cuts a stream into packets; keeps at most one that is not complete. */
export class SftpPackets {
  #rest: Buffer[] = [];
  #restBytes = 0;

  *push(bytes: Buffer): Generator<SftpPacket> {
    let chunk = bytes;
    if (this.#restBytes > 0) {
      this.#rest.push(bytes);
      this.#restBytes += bytes.length;
      if (this.#restBytes < 4 || this.#restBytes < this.#needed()) return;
      chunk = Buffer.concat(this.#rest);
      this.#rest = [];
      this.#restBytes = 0;
    }
    let at = 0;
    while (chunk.length - at >= 4) {
      const length = checkedLength(chunk.readUInt32BE(at));
      if (chunk.length - at < 4 + length) break;
      const packet = chunk.subarray(at + 4, at + 4 + length);
      at += 4 + length;
      yield { type: packet[0] as number, fields: new FieldReader(packet) };
    }
    if (at < chunk.length) {
      this.#rest = [chunk.subarray(at)];
      this.#restBytes = chunk.length - at;
    }
  }

  /** Bytes of the incomplete packet with its length field; 4 while even that is not there. */
  #needed(): number {
    let [first] = this.#rest;
    if (first === undefined) return 4;
    if (first.length < 4) {
      first = Buffer.concat(this.#rest);
      this.#rest = [first];
      if (first.length < 4) return 4;
    }
    return 4 + checkedLength(first.readUInt32BE(0));
  }
}

/** Throws UndecodableSftp for a length that no peer means. */
export function checkedLength(length: number): number {
  if (length < 1 || length > MAX_PACKET) throw new UndecodableSftp(`a packet of ${length} bytes`);
  return length;
}

/** Section 6.3 of the draft. */
export function openFlags(flags: number): string[] {
  return ['read', 'write', 'append', 'create', 'truncate', 'exclusive'].filter((_, bit) => (flags & (1 << bit)) !== 0);
}

/** Section 7 of the draft. */
export function statusName(code: number): string {
  return (
    [
      'ok',
      'eof',
      'no such file',
      'permission denied',
      'failure',
      'bad message',
      'no connection',
      'connection lost',
      'operation unsupported',
    ][code] ?? `status ${code}`
  );
}

export interface SftpAttributes {
  readonly [name: string]: number;
}

/** Section 5 of the draft. A size beyond 2^53 loses its last bits, which no file system reaches. */
export function readAttributes(fields: FieldReader): SftpAttributes {
  const flags = fields.uint32();
  const attributes: Record<string, number> = {};
  if (flags & 0x1) attributes.size = Number(fields.uint64());
  if (flags & 0x2) {
    attributes.uid = fields.uint32();
    attributes.gid = fields.uint32();
  }
  if (flags & 0x4) attributes.mode = fields.uint32();
  if (flags & 0x8) {
    attributes.accessed = fields.uint32();
    attributes.modified = fields.uint32();
  }
  return attributes;
}
