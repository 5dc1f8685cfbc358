import type { SegmentRow } from '../../../contract/session.ts';
import { journalFile } from '../../recording/journal-layout.ts';
import type { RecordingPosition } from '../../recording/recorder.ts';
import { readSegmentFile } from '../../recording/segment-on-disk.ts';
import { sealedLines } from '../read-segment.ts';
import { JournalCursor } from './journal-cursor.ts';

/** What a recording says of a terminal. */
export type ScreenInput =
  | { kind: 'terminal'; cols: number; rows: number }
  | { kind: 'resize'; cols: number; rows: number }
  | { kind: 'bytes'; stream: 'o' | 'e'; bytes: Uint8Array }
  | { kind: 'text'; text: string }
  /** Something before this could not be read, or was left out because it is too much. */
  | { kind: 'gap' };

/** Of recordings that are longer, only so much of their end is read. Bytes of journals and of segments' text. */
export const MOST_HISTORY = 64 * 1024 * 1024;

/** Segments that have been sealed, newest state. */
export type AskSegments = () => Promise<readonly SegmentRow[]>;

/**
 * Reads the recording of a running channel in order, up to an exact position and later on from there: stretches that
 * are sealed from their segments, the others from the journal. Nothing has to be held in memory for it, however fast
 * the channel is: what was not read yet stands in the files.
 */
export class ScreenSource {
  readonly #where: { readonly dataDirectory: string; readonly session: string; readonly channel: number };
  readonly #askSegments: AskSegments;
  readonly #mostHistory: number;
  #rows: readonly SegmentRow[] = [];
  /** The stretch that is read, and how, once it is open. */
  #stretch = 0;
  #cursor: JournalCursor | undefined;

  constructor(where: { dataDirectory: string; session: string; channel: number }, askSegments: AskSegments, mostHistory = MOST_HISTORY) {
    this.#where = where;
    this.#askSegments = askSegments;
    this.#mostHistory = mostHistory;
  }

  /** Yields until the position is reached, and returns whether it could be. */
  async *read(to: RecordingPosition): AsyncGenerator<ScreenInput, 'reached' | 'too-late'> {
    if (this.#stretch === 0) {
      this.#stretch = await this.#first(to.stretch);
      if (this.#stretch > 1) yield { kind: 'gap' };
    }
    while (this.#stretch < to.stretch) {
      yield* this.#readStretch();
      await this.close();
      this.#stretch += 1;
    }
    this.#cursor ??= await JournalCursor.open(this.#path(to.stretch));
    if (this.#cursor === undefined) return 'too-late';
    yield* journalInputs(this.#cursor, to.bytes);
    return this.#cursor.at >= to.bytes ? 'reached' : 'too-late';
  }

  async close(): Promise<void> {
    const cursor = this.#cursor;
    this.#cursor = undefined;
    await cursor?.close();
  }

  /** A whole stretch, or the rest of one that was begun. */
  async *#readStretch(): AsyncGenerator<ScreenInput> {
    this.#cursor ??= await JournalCursor.open(this.#path(this.#stretch));
    if (this.#cursor !== undefined) {
      yield* journalInputs(this.#cursor);
      return;
    }
    const row = await this.#row(this.#stretch);
    const read = row === undefined ? undefined : await readSegmentFile(this.#where.dataDirectory, row);
    if (row === undefined || read?.bytes === undefined || read.fault !== undefined) {
      yield { kind: 'gap' };
      return;
    }
    for await (const line of sealedLines(read.bytes, row)) yield* lineInputs(line);
  }

  /** Where to begin so that no more than so much has to be read. */
  async #first(last: number): Promise<number> {
    let sum = 0;
    for (let stretch = last - 1; stretch >= 1; stretch -= 1) {
      sum += await this.#size(stretch);
      if (sum > this.#mostHistory) return Math.min(last, stretch + 1);
    }
    return 1;
  }

  async #size(stretch: number): Promise<number> {
    const row = await this.#row(stretch);
    if (row === undefined) return 0;
    const { bytes } = await readSegmentFile(this.#where.dataDirectory, row);
    if (bytes === undefined) return 0;
    let size = 0;
    for await (const line of sealedLines(bytes, row)) size += line.length;
    return size;
  }

  async #row(stretch: number): Promise<SegmentRow | undefined> {
    const known = this.#rows.find(({ segment }) => segment === stretch);
    if (known !== undefined) return known;
    this.#rows = await this.#askSegments();
    return this.#rows.find(({ segment }) => segment === stretch);
  }

  #path(stretch: number): string {
    return journalFile(this.#where.dataDirectory, this.#where.session, this.#where.channel, stretch);
  }
}

async function* journalInputs(cursor: JournalCursor, limit?: number): AsyncGenerator<ScreenInput> {
  for await (const frame of cursor.frames(limit)) {
    if (frame.kind === 'data' && frame.stream !== 'i') yield { kind: 'bytes', stream: frame.stream, bytes: frame.bytes };
    else if (frame.kind === 'resize') yield { kind: 'resize', cols: frame.cols, rows: frame.rows };
    else if (frame.kind === 'event') yield* terminalOf(frame.event);
  }
}

function* lineInputs(line: string): Generator<ScreenInput> {
  const event: unknown = JSON.parse(line);
  if (!Array.isArray(event)) return; // the header, which says of the terminal what an event after it says again
  const [, code, data] = event as unknown[];
  if (typeof data !== 'string') return;
  if (code === 'o') yield { kind: 'text', text: data };
  else if (code === 'r') {
    const [cols, rows] = data.split('x').map(Number);
    yield { kind: 'resize', cols: cols ?? 0, rows: rows ?? 0 };
  } else if (code === '+') yield* terminalOf(JSON.parse(data) as Record<string, unknown>);
}

function* terminalOf({ t, cols, rows }: Readonly<Record<string, unknown>>): Generator<ScreenInput> {
  if (typeof cols !== 'number' || typeof rows !== 'number') return;
  if (t === 'terminal') yield { kind: 'terminal', cols, rows };
  // In a cast, a size beyond what other players can show.
  else if (t === 'resize') yield { kind: 'resize', cols, rows };
}
