import { crc32 } from 'node:zlib';

/**
 * A place in the cast of a channel: so many bytes of the text of that segment, and everything before that segment.
 * `check` is the CRC-32 of those bytes: a stretch that is shown while it is written becomes the same text when it is
 * sealed, and if ever it should not, that is found here and not told as a part of the recording.
 */
export interface CastPosition {
  readonly segment: number;
  readonly bytes: number;
  readonly check: number;
}

const WRITTEN = /^(\d{1,9}):(\d{1,12})(?::([0-9a-f]{8}))?$/;

/** `SEGMENT:BYTES:CHECK`. Undefined for what is none. Only at the beginning of a segment, and for nobody's sake, the check may be left out. */
export function parseCastPosition(text: string): CastPosition | undefined {
  const [, segment, bytes, check] = WRITTEN.exec(text) ?? [];
  if (segment === undefined || Number(segment) < 1 || (check === undefined && Number(bytes) > 0)) return undefined;
  return { segment: Number(segment), bytes: Number(bytes), check: Number.parseInt(check ?? '0', 16) };
}

export function writeCastPosition({ segment, bytes, check }: CastPosition): string {
  return `${segment}:${bytes}:${check.toString(16).padStart(8, '0')}`;
}

export function beginningOf(segment: number): CastPosition {
  return { segment, bytes: 0, check: 0 };
}

export function behind({ segment, bytes, check }: CastPosition, text: Uint8Array): CastPosition {
  return { segment, bytes: bytes + text.length, check: crc32(text, check) };
}
