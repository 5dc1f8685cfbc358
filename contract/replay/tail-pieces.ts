import type { CastEvent, CastHeader } from './cast-event.ts';
import type { MarkKind } from './describe-note.ts';
import type { PlayedPiece } from './driver.ts';
import { IdleSpans } from './idle-spans.ts';
import { CastParser } from './parse-segment.ts';
import type { IdleSpan } from './play-time.ts';
import { type HappeningListener, tellHappening } from './tell-happening.ts';
import type { TimelineMark } from './timeline.ts';

/** Text of a piece, and events: as much as is shown in a moment. */
const PIECE_BYTES = 256 * 1024;
const PIECE_EVENTS = 8192;
/** Of the pieces that are complete, the last ones with so much text are kept as events; the others are read again. */
const KEPT_BYTES = 16 * 1024 * 1024;
const MOST_MARKS = 5000;

/** A piece of what is not sealed yet, or was not when it came. */
interface TailPiece {
  readonly segment: number;
  /** Where it stands in the text of its segment. */
  readonly at: number;
  bytes: number;
  /** Time of the last event before it, and whether output at its beginning is error output. */
  readonly from: number;
  readonly error: boolean;
  readonly plain: boolean;
  parser: CastParser | undefined;
  to: number;
}

/** Where the text of a piece is to be had that is not kept. */
export type TailPlace = Pick<TailPiece, 'segment' | 'at' | 'bytes' | 'from' | 'error'>;

/** What comes of a recording while it runs, cut into pieces as it comes. */
export class TailPieces implements HappeningListener {
  header: CastHeader | undefined;
  terminal: boolean;
  input = false;
  readonly marks: TimelineMark[] = [];
  readonly #pieces: TailPiece[] = [];
  readonly #idle = new IdleSpans();
  readonly #happened: (at: number, amount: number) => void;
  /** Where a piece begins that is cut. */
  #to: number;
  #error = false;
  #keptFrom = 0;
  #kept = 0;

  /** `from`: where it begins, in microseconds. `happened` is told what belongs into the curve of the activity. */
  constructor(from: number, terminal: boolean, happened: (at: number, amount: number) => void) {
    this.#to = from;
    this.terminal = terminal;
    this.#happened = happened;
    this.#idle.busyUntil(from);
  }

  /** Microseconds, of the last event. */
  get to(): number {
    return this.#to;
  }

  get count(): number {
    return this.#pieces.length;
  }

  /** The segment that it is in; those before it are complete. 0 before there is one. */
  get segment(): number {
    return this.#pieces.at(-1)?.segment ?? 0;
  }

  /** The same without its segments up to this one, which end where it begins then, and are to be had elsewhere. */
  behind(segment: number, from: number, terminal: boolean, happened: (at: number, amount: number) => void): TailPieces {
    const rest = new TailPieces(from, terminal, happened);
    rest.header = this.header;
    rest.#error = this.#error;
    for (const piece of this.#pieces) {
      if (piece.segment <= segment) continue;
      rest.#pieces.push(piece);
      rest.#to = piece.to;
      if (piece.parser === undefined) rest.#keptFrom = rest.#pieces.length;
      else if (rest.#pieces.length > 1) rest.#keep(rest.#pieces.at(-2)?.bytes ?? 0);
      for (const event of piece.parser?.events ?? []) rest.#see(event);
    }
    return rest;
  }

  /** `bytes`: how long the segment is with it. */
  take(segment: number, text: string, bytes: number): void {
    const piece = this.#pieceFor(segment, text);
    const parser = piece.parser;
    if (parser === undefined) return; // Cannot be: the last piece is kept.
    const known = parser.events.length;
    parser.push(text);
    piece.bytes = bytes - piece.at;
    this.header ??= parser.header;
    this.terminal ||= parser.header?.pty === true;
    for (const event of parser.events.slice(known)) this.#see(event);
    piece.to = parser.at;
    this.#to = parser.at;
    this.#error = parser.errorOutput;
  }

  idle(): IdleSpan[] {
    return this.#idle.until(this.#to);
  }

  pieces(): PlayedPiece[] {
    return this.#pieces.map(({ from, to, bytes, plain }) => ({ from, to, bytes, keyframe: false, plain }));
  }

  /** The events of a piece, or where to read them. */
  load(index: number): { events: readonly CastEvent[] } | { place: TailPlace } | undefined {
    const piece = this.#pieces[index];
    if (piece === undefined) return undefined;
    return piece.parser === undefined ? { place: piece } : { events: piece.parser.events.slice() };
  }

  #pieceFor(segment: number, text: string): TailPiece {
    const last = this.#pieces.at(-1);
    const full = last !== undefined && (last.bytes >= PIECE_BYTES || (last.parser?.events.length ?? 0) >= PIECE_EVENTS);
    // A note belongs to what stands directly before it.
    if (last?.segment === segment && (!full || /^\[[^,]*,"\+"/.test(text))) return last;
    if (last !== undefined) this.#keep(last.bytes);
    const begins = last?.segment !== segment;
    const [from, error] = [this.#to, begins ? false : this.#error];
    const at = begins ? 0 : (last?.at ?? 0) + (last?.bytes ?? 0);
    const piece: TailPiece = { segment, at, bytes: 0, from, error, plain: !this.terminal, parser: new CastParser(from, error), to: from };
    this.#pieces.push(piece);
    return piece;
  }

  #keep(bytes: number): void {
    this.#kept += bytes;
    for (; this.#kept > KEPT_BYTES && this.#keptFrom < this.#pieces.length - 1; this.#keptFrom += 1) {
      const oldest = this.#pieces[this.#keptFrom];
      if (oldest === undefined) return;
      this.#kept -= oldest.bytes;
      oldest.parser = undefined;
    }
  }

  happened(at: number, amount: number): void {
    this.#idle.happened(at);
    if (amount > 0) this.#happened(at, amount);
  }

  mark(at: number, kind: MarkKind, title: string): void {
    if (this.marks.length < MOST_MARKS) this.marks.push({ at, kind, title: title.slice(0, 200) });
  }

  #see(event: CastEvent): void {
    if (event.kind === 'data' && event.stream === 'i') this.input = true;
    if (event.kind === 'note' && event.note.t === 'terminal') this.terminal = true;
    tellHappening(event, this);
  }
}
