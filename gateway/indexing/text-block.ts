import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { foldText } from './fold-text.ts';
import type { ScreenLine, TextBlock } from './screen-text.ts';
import { tokensOf } from './text-tokens.ts';

/** Characters of text in a block, about: enough to pack well, and few enough to look through in no time. */
const BLOCK_LENGTH = 16_384;
/** Nothing that is found or shown is longer: a longer line is more than one. */
export const LONGEST_LINE = 16_384;
/** More than any block that is packed here is, unpacked. */
const MOST_BYTES = 1 << 20;
const MOST_LINES = 4096;
/** Blocks are put together in it before they are packed. */
const scratch = Buffer.allocUnsafe(1 << 17);
/** A block is unpacked into one piece, nearly always. */
const CHUNK = 32_768;
/** Bytes of 2^53 in the form of `writeNumber`. */
const LONGEST_NUMBER = 8;

// Level 1 packs text in blocks of this size as well as level 3 does, in half the time.
const PACKING = { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } };

/** Packs lines, in the order of the time when they were first seen, into blocks that can be stored and found. */
export function packLines(lines: readonly ScreenLine[]): TextBlock[] {
  const blocks: TextBlock[] = [];
  let block: ScreenLine[] = [];
  let length = 0;
  for (const line of inOrder(lines.some(isOdd) ? lines.flatMap(cutLine) : lines)) {
    if (block.length > 0 && (length + line.text.length > BLOCK_LENGTH || block.length === MOST_LINES)) {
      blocks.push(packBlock(block));
      block = [];
      length = 0;
    }
    block.push(line);
    length += line.text.length + 1;
  }
  if (block.length > 0) blocks.push(packBlock(block));
  return blocks;
}

/** What a block holds, in pieces: most of the blocks that are looked through are never made into lines. */
export interface UnpackedBlock {
  /** The lines, each ended by a line feed. */
  readonly text: string;
  /** Whether all of it is ASCII. */
  readonly ascii: boolean;
  /** Microseconds since the channel opened, two for each line: first and last. */
  readonly times: Float64Array;
}

export function unpackBlock(packed: Uint8Array): UnpackedBlock {
  const bytes = zstdDecompressSync(packed, { maxOutputLength: MOST_BYTES, chunkSize: CHUNK });
  const numbers = new NumberReader(bytes);
  const count = numbers.next();
  if (count > MOST_LINES) throw new Error(`A block of screen text claims ${count} lines`);
  const times = new Float64Array(count * 2);
  let before = 0;
  for (let line = 0; line < count; line += 1) {
    before += numbers.next();
    times[line * 2] = before;
    times[line * 2 + 1] = before + numbers.next();
  }
  const text = bytes.toString('utf8', numbers.at);
  return { text, ascii: text.length === bytes.length - numbers.at, times };
}

export function unpackLines(packed: Uint8Array): ScreenLine[] {
  const { text, times } = unpackBlock(packed);
  const lines: ScreenLine[] = [];
  for (let at = 0, line = 0; at < text.length; line += 1) {
    const end = text.indexOf('\n', at);
    if (end < 0) break;
    lines.push({ first: times[line * 2] ?? 0, last: times[line * 2 + 1] ?? 0, text: text.slice(at, end) });
    at = end + 1;
  }
  return lines;
}

function packBlock(lines: readonly ScreenLine[]): TextBlock {
  let text = '';
  for (const line of lines) text += `${line.text}\n`;
  const most = (lines.length * 2 + 1) * LONGEST_NUMBER + text.length * 3;
  const bytes = most <= scratch.length ? scratch : Buffer.allocUnsafe(most);
  let at = writeNumber(bytes, 0, lines.length);
  let before = 0;
  let last = 0;
  for (const line of lines) {
    at = writeNumber(bytes, at, line.first - before);
    at = writeNumber(bytes, at, line.last - line.first);
    before = line.first;
    last = Math.max(last, line.last);
  }
  const written = bytes.write(text, at, 'utf8');
  const packed = zstdCompressSync(bytes.subarray(0, at + written), PACKING);
  // As many bytes as units: all of it is ASCII.
  const folded = written === text.length ? text.toLowerCase() : foldText(text);
  return { first: lines[0]?.first ?? 0, last, lines: lines.length, packed, searchable: tokensOf(folded) };
}

function inOrder(lines: readonly ScreenLine[]): readonly ScreenLine[] {
  return lines.every((line, index) => index === 0 || (lines[index - 1]?.first ?? 0) <= line.first)
    ? lines
    : lines.toSorted((one, other) => one.first - other.first);
}

function isOdd({ text, first, last }: ScreenLine): boolean {
  return text.length > LONGEST_LINE || last < first || text.includes('\n');
}

function cutLine(line: ScreenLine): ScreenLine | ScreenLine[] {
  if (!isOdd(line)) return line;
  const text = line.text.replaceAll('\n', ' ');
  const { first } = line;
  const last = Math.max(first, line.last);
  const pieces: ScreenLine[] = [];
  for (let at = 0; at < text.length || at === 0; ) {
    let end = Math.min(text.length, at + LONGEST_LINE);
    // Not between the two halves of a character.
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
    pieces.push({ first, last, text: text.slice(at, end) });
    at = Math.max(end, at + 1);
  }
  return pieces;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

/** As LEB128: seven bits at a time, the lowest first. Whole numbers, also beyond 32 bits. Gives where it ends. */
function writeNumber(bytes: Buffer, at: number, number: number): number {
  let left = Math.max(0, Math.trunc(number));
  let end = at;
  while (left >= 0x80) {
    bytes[end] = (left % 0x80) | 0x80;
    left = Math.floor(left / 0x80);
    end += 1;
  }
  bytes[end] = left;
  return end + 1;
}

class NumberReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): number {
    let number = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#bytes[this.at];
      if (byte === undefined || factor > 2 ** 49) throw new Error('A block of screen text is damaged');
      this.at += 1;
      number += (byte & 0x7f) * factor;
      if (byte < 0x80) return number;
    }
  }
}
