import { Activity } from './activity.ts';
import type { CastEvent, CastHeader, Stream } from './cast-event.ts';
import { describeNote, type MarkKind } from './describe-note.ts';
import { IdleSpans } from './idle-spans.ts';
import type { IdleSpan } from './play-time.ts';
import type { SegmentSource } from './segment-source.ts';
import { type HappeningListener, tellHappening } from './tell-happening.ts';
import { TextLines } from './text-lines.ts';
import type { Damage, TimelineMark } from './timeline.ts';

export interface TranscriptItem {
  at: number;
  /** `entered`: a line of a terminal at whose end Enter was pressed. */
  kind: 'text' | 'entered' | 'error' | 'input' | 'note' | 'command' | 'damage';
  text: string;
}

/** A stretch of events of a segment, to be played at once. */
export interface IndexedPiece {
  /** Place of the segment in its source. */
  segment: number;
  firstEvent: number;
  events: number;
  from: number;
  to: number;
  /** Characters. */
  length: number;
  /** There was no terminal before it. */
  plain: boolean;
}

/** What one pass over a recording tells about it; everything but the screen itself. Times in microseconds. */
export interface RecordingIndex {
  header: CastHeader | undefined;
  duration: number;
  pieces: readonly IndexedPiece[];
  transcript: readonly TranscriptItem[];
  marks: readonly TimelineMark[];
  idle: readonly IdleSpan[];
  damage: readonly Damage[];
  activity: Activity;
  /** Whether there was a terminal at any time. */
  terminal: boolean;
  input: boolean;
}

/** A transcript of more lines than this says so and ends; the replay itself has no such end. */
export const MOST_ITEMS = 100_000;
const MOST_MARKS = 5_000;
const LONGEST_TEXT = 2_000;

/** Text of a piece, and events: going to the middle of it takes as long as this takes to show. */
const PIECE_LENGTH = 256 * 1024;
const PIECE_EVENTS = 8192;

/** `progress` is told the share that is done, and may throw to break it off. */
export async function indexRecording(source: SegmentSource, progress: (done: number) => void = () => undefined): Promise<RecordingIndex> {
  const indexer = new Indexer();
  for (let at = 0; at < source.segments.length; at += 1) {
    const segment = await source.load(at);
    if (segment.header !== undefined) indexer.begin(segment.header);
    indexer.beginSegment(at);
    for (const event of segment.events) indexer.take(event);
    progress((at + 1) / source.segments.length);
  }
  return indexer.end(source.duration);
}

class Indexer implements HappeningListener {
  readonly #pieces: IndexedPiece[] = [];
  #piece: IndexedPiece = { segment: 0, firstEvent: 0, events: 0, from: 0, to: 0, length: 0, plain: true };
  readonly #transcript: TranscriptItem[] = [];
  readonly #marks: TimelineMark[] = [];
  readonly #idle = new IdleSpans();
  readonly #damage: Damage[] = [];
  readonly #activity = new Activity();
  readonly #lines = {
    o: new TextLines((line, from, to) => this.#say(to, this.#entered >= from ? 'entered' : 'text', line)),
    e: new TextLines((line, _from, to) => this.#say(to, 'error', line)),
    i: new TextLines((line, _from, to) => this.#say(to, 'input', line)),
  };
  /** The last line, when it counts bytes that are no text. */
  #binary: { stream: Stream; bytes: number; item: TranscriptItem } | undefined;
  #header: CastHeader | undefined;
  #terminal = false;
  #input = false;
  #until = 0;
  /** When Enter was last pressed. */
  #entered = -1;

  begin(header: CastHeader): void {
    this.#header ??= header;
    this.#terminal ||= header.pty;
  }

  beginSegment(segment: number): void {
    this.#piece = { segment, firstEvent: 0, events: 0, from: this.#until, to: this.#until, length: 0, plain: !this.#terminal };
    this.#pieces.push(this.#piece);
  }

  take(event: CastEvent): void {
    this.#takeIntoPiece(event);
    tellHappening(event, this);
    switch (event.kind) {
      case 'data':
        return this.#takeData(event);
      case 'marker':
        return this.#say(event.at, 'note', event.title);
      case 'exit':
        this.#endLines(event.at);
        return this.#say(event.at, 'note', `Exit status ${event.status}`);
      case 'note':
        return this.#takeNote(event);
      case 'resize':
        return;
      case 'damage':
        this.#endLines(event.at);
        this.#idle.missing(event.at, event.until);
        this.#idle.busyUntil(event.until);
        this.#until = Math.max(this.#until, event.until);
        this.#damage.push({ from: event.at, to: event.until, words: event.words });
        this.#say(event.at, 'damage', event.words);
    }
  }

  happened(at: number, amount: number): void {
    this.#idle.happened(at);
    this.#until = Math.max(this.#until, at);
    if (amount > 0) this.#activity.add(at, amount);
  }

  mark(at: number, kind: MarkKind, title: string): void {
    if (this.#marks.length < MOST_MARKS) this.#marks.push({ at, kind, title: title.slice(0, 200) });
  }

  end(duration: number): RecordingIndex {
    const last = Math.max(duration, this.#until);
    this.#endLines(last);
    return {
      header: this.#header,
      duration: last,
      pieces: this.#pieces,
      transcript: this.#transcript,
      marks: this.#marks,
      idle: this.#idle.until(last),
      damage: this.#damage,
      activity: this.#activity,
      terminal: this.#terminal,
      input: this.#input,
    };
  }

  #takeIntoPiece(event: CastEvent): void {
    if (this.#piece.length >= PIECE_LENGTH || this.#piece.events >= PIECE_EVENTS) {
      const { segment, firstEvent, events, to } = this.#piece;
      this.#piece = { segment, firstEvent: firstEvent + events, events: 0, from: to, to, length: 0, plain: !this.#terminal };
      this.#pieces.push(this.#piece);
    }
    this.#piece.events += 1;
    this.#piece.to = Math.max(this.#piece.to, event.kind === 'damage' ? event.until : event.at);
    if (event.kind === 'data') this.#piece.length += event.text.length;
  }

  #takeData(event: Extract<CastEvent, { kind: 'data' }>): void {
    if (event.stream === 'i') this.#input = true;
    if (event.binary !== undefined && !this.#terminal) {
      this.#lines[event.stream].end(event.at);
      this.#sayBinary(event.at, event.stream, event.binary);
    } else if (event.stream !== 'i') {
      this.#lines[this.#terminal ? 'o' : event.stream].push(event.text, event.at);
    } else if (!this.#terminal) {
      this.#lines.i.push(event.text, event.at);
    } else if (/[\r\n]/.test(event.text)) {
      this.#entered = event.at;
    }
  }

  #takeNote(event: Extract<CastEvent, { kind: 'note' }>): void {
    const { note, at } = event;
    if (note.t === 'terminal') this.#terminal = true;
    const { words } = describeNote(note);
    if (note.t === 'lost') this.#damage.push({ from: at, to: at, words: `${words ?? ''}.` });
    if (words !== undefined) {
      // A secret's place is within the line that asked for it.
      if (note.t !== 'redact') this.#endLines(at);
      this.#say(at, note.t === 'lost' ? 'damage' : note.request === 'exec' ? 'command' : 'note', words);
    }
  }

  #endLines(at: number): void {
    for (const lines of [this.#lines.i, this.#lines.o, this.#lines.e]) lines.end(at);
  }

  #say(at: number, kind: TranscriptItem['kind'], text: string): void {
    if (this.#transcript.length > MOST_ITEMS || (text === '' && kind !== 'entered')) return;
    if (this.#transcript.length === MOST_ITEMS) {
      this.#transcript.push({
        at,
        kind: 'note',
        text: `The transcript ends here, after ${MOST_ITEMS.toLocaleString('en')} lines. The replay goes on.`,
      });
      return;
    }
    this.#transcript.push({ at, kind, text: text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text });
  }

  /** Chunks that follow each other are counted in one line. */
  #sayBinary(at: number, stream: Stream, bytes: number): void {
    const run = this.#binary;
    const goesOn = run !== undefined && run.stream === stream && run.item === this.#transcript.at(-1);
    const total = bytes + (goesOn ? run.bytes : 0);
    const text = `${total.toLocaleString('en')} bytes of ${{ i: 'input', o: 'output', e: 'error output' }[stream]} that are not text`;
    if (goesOn) run.item.text = text;
    else this.#say(at, 'note', text);
    const item = this.#transcript.at(-1);
    this.#binary = item === undefined ? undefined : { stream, bytes: total, item };
  }
}
