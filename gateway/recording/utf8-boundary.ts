/**
 * How many bytes at the end begin a UTF-8 sequence without finishing it: 0 to 3. Looks at the last three bytes only
 * and judges by the lead byte; whether the sequence is valid shows when the rest of it arrives.
 */
export function incompleteTail(bytes: Uint8Array): number {
  const length = bytes.length;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back] as number;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? back : 0;
  }
  return 0;
}

/** How many bytes at the start only continue a sequence that began earlier: 0 to 3. */
export function continuationHead(bytes: Uint8Array): number {
  let count = 0;
  while (count < 3 && count < bytes.length && ((bytes[count] as number) & 0xc0) === 0x80) count++;
  return count;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf5 || lead < 0xc2) return 1; // never a lead byte of valid UTF-8 (RFC 3629)
  return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}

/** A part of a chunk: valid UTF-8, or an island of bytes that are not. */
export interface Span {
  start: number;
  end: number;
  valid: boolean;
}

/** Islands with less valid text than this between them become one: each costs two events in the cast. */
const MERGED_GAP = 64;

/** Splits a chunk into spans that alternate between valid UTF-8 and islands of anything else. */
export function splitUtf8(bytes: Uint8Array): Span[] {
  const spans: Span[] = [];
  let islandStart = -1;
  let islandEnd = -1;
  for (let position = 0; position < bytes.length; position = islandEnd) {
    const end = validEnd(bytes, position);
    const valid = end - position;
    if (valid > 0 && (islandStart === -1 || valid >= MERGED_GAP || end === bytes.length)) {
      if (islandStart !== -1) spans.push({ start: islandStart, end: islandEnd, valid: false });
      islandStart = -1;
      spans.push({ start: position, end, valid: true });
    }
    if (end === bytes.length) break;
    if (islandStart === -1) islandStart = end;
    islandEnd = end + 1;
  }
  if (islandStart !== -1) spans.push({ start: islandStart, end: islandEnd, valid: false });
  return spans;
}

/** Where the valid UTF-8 that begins at `start` ends (RFC 3629, section 4: the grammar, byte by byte). */
function validEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  const length = bytes.length;
  while (at < length) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      at++;
      continue;
    }
    const size = sequenceLength(lead);
    if (size === 1 || at + size > length) return at;
    const second = bytes[at + 1] as number;
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return at;
    for (let more = 2; more < size; more++) {
      if (((bytes[at + more] as number) & 0xc0) !== 0x80) return at;
    }
    at += size;
  }
  return at;
}
