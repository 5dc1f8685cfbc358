import { SallyportError } from '../base/errors.ts';
import type { ScreenLine } from '../indexing/screen-text.ts';
import { unpackLines } from '../indexing/text-block.ts';
import type { ScreenTextReader } from '../store/screen-text-reader.ts';

/** Which lines of a channel's screen text somebody asks for. Times are microseconds since the channel opened. */
export interface ChannelTextQuestion {
  readonly session: string;
  readonly channel: number;
  /** When the channel opened, in ISO 8601 with microseconds. */
  readonly opened: string;
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** What a page before ended with. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** Blocks that are read at a time: some milliseconds go by until they are looked through. */
const BLOCKS = 8;
/** Characters of a page, about, and how long it looks for more: an answer is made in one go, which others wait for. */
const MOST_TEXT = 256 * 1024;
const PAGE_MILLIS = 100;

/** Behind so many blocks of a segment that answer the question, and so many lines of the next. */
interface Cursor {
  readonly segment: number;
  readonly blocks: number;
  readonly lines: number;
}

/**
 * The lines in the order in which they were first seen. `cursor` continues behind the last; without one there is no more.
 * A page may end before it is full, and even be empty, because it has told much or has taken its time.
 */
export async function readChannelText(
  reader: ScreenTextReader,
  question: ChannelTextQuestion,
): Promise<{ lines: ScreenLine[]; cursor?: string }> {
  const { session, channel, from = 0, to = Number.MAX_SAFE_INTEGER, limit } = question;
  const opened = microsOf(question.opened);
  const until = Math.min(opened + to, Number.MAX_SAFE_INTEGER);
  const givenUp = performance.now() + PAGE_MILLIS;
  const lines: ScreenLine[] = [];
  let told = 0;
  for (let at = readCursor(question.after); ; ) {
    const range = { from: opened + from, to: until, segment: at.segment };
    // The first of them are those that were passed already.
    const places = await reader.placesOfChannel(session, channel, range, { after: at.blocks, most: BLOCKS });
    if (places.length === 0) return { lines };
    const packed = await reader.packed(places);
    for (const place of places) {
      if (place.segment !== at.segment) at = { segment: place.segment, blocks: 0, lines: 0 };
      const block = linesOf(packed.get(place.id), reader);
      for (let index = at.lines; index < block.length; index += 1) {
        const line = block[index];
        if (line === undefined || line.last < from || line.first >= to) continue;
        if (lines.length === limit || told >= MOST_TEXT) return { lines, cursor: writeCursor({ ...at, lines: index }) };
        lines.push(line);
        told += line.text.length;
      }
      at = { segment: at.segment, blocks: at.blocks + 1, lines: 0 };
    }
    if (performance.now() > givenUp) return { lines, cursor: writeCursor(at) };
  }
}

function linesOf(packed: Uint8Array | undefined, reader: ScreenTextReader): ScreenLine[] {
  if (packed === undefined) return [];
  try {
    return unpackLines(packed);
  } catch {
    reader.reportDamage(); // Then all of it is made again.
    return [];
  }
}

function readCursor(after: string | undefined): Cursor {
  if (after === undefined) return { segment: 1, blocks: 0, lines: 0 };
  const [, segment, blocks, lines] = /^(\d{1,9})\.(\d{1,6})\.(\d{1,6})$/.exec(after) ?? [];
  if (segment === undefined) throw new SallyportError('REQUEST_INVALID', 'cursor: it is not one that a page before ended with');
  return { segment: Number(segment), blocks: Number(blocks), lines: Number(lines) };
}

function writeCursor({ segment, blocks, lines }: Cursor): string {
  return `${segment}.${blocks}.${lines}`;
}

function microsOf(time: string): number {
  return Date.parse(`${time.slice(0, 23)}Z`) * 1000 + Number(time.slice(23, 26));
}
