import { createHash } from 'node:crypto';
import { SshWire } from '../base/ssh-wire.ts';

/*
 * Key revocation lists as `ssh-keygen -k` writes them (OpenSSH, PROTOCOL.krl). The list stays as the bytes that it is and
 * is walked at each question: a few milliseconds for the longest one that is taken, and no copy of it in memory.
 */

/** A quarter of a million serial numbers, or 58,000 fingerprints. Walking it takes two or three milliseconds. */
export const MAX_LIST_BYTES = 2 * 1024 * 1024;
const MAX_SECTIONS = 10_000;

const MAGIC = Buffer.from('SSHKRL\n\0', 'latin1');

/** What is asked about: keys in wire format, the certified one and that of the authority. */
export interface CertificateInQuestion {
  readonly key: Buffer;
  readonly ca: Buffer;
  readonly serial: bigint;
  readonly keyId: string;
}

export interface RevocationList {
  /** Why the certificate is not good any more, in words; undefined when the list does not have it. */
  reasonAgainst(certificate: CertificateInQuestion): string | undefined;
  /** Entries of all kinds, with ranges and bitmaps as one each; for the log. */
  readonly sections: number;
}

type Check = (certificate: Asked) => string | undefined;

interface Asked extends CertificateInQuestion {
  readonly id: Buffer;
  readonly digests: readonly { readonly of: string; readonly blob: Buffer; readonly sha1: Buffer; readonly sha256: Buffer }[];
}

/** Reads a list whole, or says in words why it can't be relied on: then nothing is known of who is on it. */
export function parseRevocationList(bytes: Buffer): { readonly list: RevocationList } | { readonly fault: string } {
  if (bytes.length > MAX_LIST_BYTES) return { fault: `it has more than ${MAX_LIST_BYTES} bytes` };
  const wire = new SshWire(bytes);
  if (wire.raw(MAGIC.length)?.equals(MAGIC) !== true) return { fault: 'it is not a revocation list of ssh-keygen -k' };
  const version = wire.uint32();
  if (version !== 1) return { fault: `it has the format version ${version ?? '?'}, and only 1 is known` };
  const header = [wire.uint64(), wire.uint64(), wire.uint64(), wire.string(), wire.string()];
  if (header.includes(undefined)) return cutOff;
  const checks: Check[] = [];
  while (!wire.ended) {
    const type = wire.raw(1)?.[0];
    const data = wire.string();
    if (type === undefined || data === undefined) return cutOff;
    if (checks.length > MAX_SECTIONS) return { fault: 'it has too many sections' };
    const read = readSection(type, data);
    if ('fault' in read) return read;
    checks.push(...read.checks);
  }
  return {
    list: {
      sections: checks.length,
      reasonAgainst: (certificate) => {
        const asked = inQuestion(certificate);
        for (const check of checks) {
          const reason = check(asked);
          if (reason !== undefined) return reason;
        }
        return undefined;
      },
    },
  };
}

const cutOff = { fault: 'it is cut off or damaged' };

function readSection(type: number, data: Buffer): { readonly checks: readonly Check[] } | { readonly fault: string } {
  switch (type) {
    case 1:
      return readCertificates(data);
    case 2:
      return keyCheck(data, ({ digests }) => digests.map(({ blob }) => blob));
    case 3:
      return keyCheck(data, ({ digests }) => digests.map(({ sha1 }) => sha1));
    case 5:
      return keyCheck(data, ({ digests }) => digests.map(({ sha256 }) => sha256));
    case 255:
      return readExtension(data);
    case 4:
      return { fault: 'it is signed, and signed lists are not known here' };
    default:
      return { fault: `it has a section of type ${type}, which is not known here` };
  }
}

function keyCheck(data: Buffer, forms: (asked: Asked) => readonly Buffer[]): ReturnType<typeof readSection> {
  if (!isListOfStrings(data)) return cutOff;
  return {
    checks: [
      (asked) => {
        const whose = asked.digests[findString(data, forms(asked))]?.of;
        return whose === undefined ? undefined : `${whose} is revoked`;
      },
    ],
  };
}

/** Of one authority, or of any where none is named. */
function readCertificates(data: Buffer): { readonly checks: readonly Check[] } | { readonly fault: string } {
  const wire = new SshWire(data);
  const ca = wire.string();
  const reserved = wire.string();
  if (ca === undefined || reserved === undefined) return cutOff;
  const checks: Check[] = [];
  while (!wire.ended) {
    const type = wire.raw(1)?.[0];
    const part = wire.string();
    if (type === undefined || part === undefined) return cutOff;
    if (checks.length > MAX_SECTIONS) return { fault: 'it has too many sections' };
    const read = readCertificateSection(type, part);
    if ('fault' in read) return read;
    if (read.has === undefined) continue;
    const { has, what } = read;
    checks.push((asked) => ((ca.length === 0 || ca.equals(asked.ca)) && has(asked) ? `its ${what} is revoked` : undefined));
  }
  return { checks };
}

type CertificateSection =
  | { readonly has: (asked: Asked) => boolean; readonly what: string }
  | { readonly has: undefined }
  | { readonly fault: string };

function readCertificateSection(type: number, data: Buffer): CertificateSection {
  const what = 'serial number';
  switch (type) {
    case 0x20:
      return data.length % 8 === 0 ? { has: ({ serial }) => hasSerial(data, serial), what } : cutOff;
    case 0x21: {
      if (data.length !== 16) return cutOff;
      const [from, to] = [data.readBigUInt64BE(0), data.readBigUInt64BE(8)];
      return from > to ? cutOff : { has: ({ serial }) => from <= serial && serial <= to, what };
    }
    case 0x22:
      return readBitmap(data);
    case 0x23:
      return isListOfStrings(data) ? { has: ({ id }) => findString(data, [id]) !== -1, what: 'key id' } : cutOff;
    case 0x39: {
      const read = readExtension(data);
      return 'fault' in read ? read : { has: undefined };
    }
    default:
      return { fault: `it has a section of type ${type} about certificates, which is not known here` };
  }
}

/** Bit n of the number stands for the serial `offset + n`. */
function readBitmap(data: Buffer): CertificateSection {
  const wire = new SshWire(data);
  const offset = wire.uint64();
  const bits = wire.string();
  if (offset === undefined || bits === undefined || !wire.ended || (bits[0] ?? 0) >= 0x80) return cutOff;
  const length = BigInt(bits.length) * 8n;
  return {
    what: 'serial number',
    has: ({ serial }) => {
      const place = serial - offset;
      if (place < 0n || place >= length) return false;
      const bit = Number(place);
      return (((bits[bits.length - 1 - (bit >> 3)] ?? 0) >> (bit & 7)) & 1) === 1;
    },
  };
}

/** One that is critical and not known keeps the list from being relied on. */
function readExtension(data: Buffer): { readonly checks: readonly Check[] } | { readonly fault: string } {
  const wire = new SshWire(data);
  const name = wire.string();
  const critical = wire.raw(1)?.[0];
  const contents = wire.string();
  if (name === undefined || critical === undefined || contents === undefined || !wire.ended) return cutOff;
  return critical === 0 ? { checks: [] } : { fault: 'it has a critical extension, which is not known here' };
}

function isListOfStrings(data: Buffer): boolean {
  let at = 0;
  while (data.length - at >= 4) at += 4 + data.readUInt32BE(at);
  return at === data.length;
}

/** Which of these stands in the list of strings; -1 for none. Looks at the first four bytes before it compares whole ones. */
function findString(data: Buffer, wanted: readonly Buffer[]): number {
  const heads = wanted.map((bytes) => (bytes.length < 4 ? undefined : bytes.readUInt32BE(0)));
  for (let at = 0; at < data.length; ) {
    const length = data.readUInt32BE(at);
    const start = at + 4;
    at = start + length;
    const head = length < 4 ? undefined : data.readUInt32BE(start);
    for (let index = 0; index < wanted.length; index += 1)
      if (head === heads[index] && wanted[index]?.compare(data, start, at) === 0) return index;
  }
  return -1;
}

/** In halves: numbers of 32 bits are compared a hundred times faster than those of 64. */
function hasSerial(data: Buffer, serial: bigint): boolean {
  const high = Number(serial >> 32n);
  const low = Number(serial & 0xffff_ffffn);
  for (let at = 0; at < data.length; at += 8) if (data.readUInt32BE(at + 4) === low && data.readUInt32BE(at) === high) return true;
  return false;
}

function inQuestion(certificate: CertificateInQuestion): Asked {
  const digests = [
    { of: 'the certified key', blob: certificate.key },
    { of: "the authority's key", blob: certificate.ca },
  ].map(({ of, blob }) => ({
    of,
    blob,
    sha1: createHash('sha1').update(blob).digest(),
    sha256: createHash('sha256').update(blob).digest(),
  }));
  return { ...certificate, id: Buffer.from(certificate.keyId), digests };
}
