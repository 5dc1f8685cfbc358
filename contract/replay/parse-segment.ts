import type { CastEvent, CastHeader, Note } from './cast-event.ts';
import { clampSize } from './screen/screen-size.ts';

export interface ParsedSegment {
  header: CastHeader | undefined;
  events: CastEvent[];
  /** Time of its last line, and whether output that follows is error output: what the piece after it begins with. */
  to: number;
  error: boolean;
}

/** A text of more than this is not parsed. A segment is made of about 4 MiB of journal. */
export const MOST_SEGMENT_LENGTH = 128 * 1024 * 1024;

/** Intervals are written in steps of 10 microseconds. */
const STEP_MICROS = 10;
const STEPS_PER_SECOND = 100_000;

/**
 * The text of one segment as events. Each segment can be read without those before it: its times begin at `fromNanos`,
 * and it says itself which descriptor its first output belongs to. A line that is not an event becomes damage in its
 * place, and the lines after it are read as if it had not been there.
 */
export function parseSegment(text: string, fromNanos: number): ParsedSegment {
  return parsePiece(text, Math.floor(fromNanos / 1000), false);
}

/** A piece of a segment in the same way. `from` is the time of the last event before it, `error` whether it begins within error output. */
export function parsePiece(text: string, from: number, error: boolean): ParsedSegment {
  const parser = new CastParser(from, error);
  parser.push(text);
  return { header: parser.header, events: parser.events, to: parser.at, error: parser.errorOutput };
}

/** Reads a segment, or what follows a moment of it, as its lines come. */
export class CastParser {
  /** Of the first line, when it is one. */
  header: CastHeader | undefined;
  /** All that came. The last may yet be replaced: a marker by the note that it is the title of. */
  readonly events: CastEvent[] = [];
  #steps: number;
  #errorOutput: boolean;
  #marker: Extract<CastEvent, { kind: 'marker' }> | undefined;
  #lineNumber = 0;

  constructor(from: number, error: boolean) {
    this.#steps = Math.floor(from / STEP_MICROS);
    this.#errorOutput = error;
  }

  /** Time of the last line. */
  get at(): number {
    return this.#steps * STEP_MICROS;
  }

  /** Whether output that comes next is error output, unless it says otherwise. */
  get errorOutput(): boolean {
    return this.#errorOutput;
  }

  /** Whole lines. */
  push(text: string): void {
    for (let start = 0; start < text.length; ) {
      const newline = text.indexOf('\n', start);
      const end = newline < 0 ? text.length : newline;
      this.#take(parseLine(text.slice(start, end)));
      start = end + 1;
    }
  }

  #take(line: Line | undefined): void {
    const { events } = this;
    this.#lineNumber += 1;
    if (line === undefined || (line.kind === 'header' && this.#lineNumber > 1)) {
      events.push(this.#unreadable());
      return;
    }
    if (line.kind === 'header') {
      this.header = line.header;
      return;
    }
    this.#steps += line.steps;
    const { at } = this;
    const before = this.#marker;
    this.#marker = undefined;
    switch (line.code) {
      case 'o':
        events.push({ kind: 'data', at, stream: this.#errorOutput ? 'e' : 'o', text: line.data });
        break;
      case 'i':
        events.push({ kind: 'data', at, stream: 'i', text: line.data });
        break;
      case 'm':
        this.#marker = { kind: 'marker', at, title: line.data };
        events.push(this.#marker);
        break;
      case 'r': {
        const size = parseSize(line.data);
        if (size !== undefined) events.push({ kind: 'resize', at, ...size });
        break;
      }
      case 'x':
        events.push({ kind: 'exit', at, status: line.data });
        break;
      case '+': {
        const note = parseNote(line.data);
        if (note === undefined) events.push(this.#unreadable());
        else if (note.t === 'fd') this.#errorOutput = note.fd === 2;
        else if (note.t === 'raw') markBinary(events.at(-1), note);
        else if (note.t === 'resize' && Number(note.cols) > 0 && Number(note.rows) > 0)
          // A size that other players could not show, and that whoever watched saw as large as a screen may be.
          events.push({ kind: 'resize', at, ...clampSize(Number(note.cols), Number(note.rows)) });
        else {
          if (before !== undefined) events.pop(); // It is the title of this note, and shown with it.
          events.push({ kind: 'note', at, note, ...(before === undefined ? {} : { title: before.title }) });
        }
        break;
      }
      default:
        break; // Codes of a later version of the format are legal, and passed over.
    }
  }

  #unreadable(): CastEvent {
    const { at } = this;
    return { kind: 'damage', at, until: at, words: `Line ${this.#lineNumber} of this part cannot be read.` };
  }
}

/** More of a text than this replaced by U+FFFD or NUL: the beginning of a file, not a slip in a text. */
const MOST_REPLACED = 0.05;

function markBinary(event: CastEvent | undefined, note: Note): void {
  if (event?.kind !== 'data' || typeof note.b64 !== 'string') return;
  if (isBinary(event.text)) event.binary = Math.floor((note.b64.replace(/=+$/, '').length * 3) / 4);
}

/** Whether a text stands for bytes that are not text, as far as it tells by itself. */
export function isBinary(text: string): boolean {
  if (!text.includes('\ufffd') && !text.includes('\0')) return false;
  const replaced = text.length - text.replaceAll(/[\ufffd\0]/g, '').length;
  return replaced > 8 && replaced > text.length * MOST_REPLACED;
}

type Line = { kind: 'header'; header: CastHeader } | { kind: 'event'; steps: number; code: string; data: string };

function parseLine(line: string): Line | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (Array.isArray(value)) {
    const [interval, code, data] = value as unknown[];
    if (typeof interval !== 'number' || !(interval >= 0) || typeof code !== 'string' || typeof data !== 'string') return undefined;
    return { kind: 'event', steps: Math.round(interval * STEPS_PER_SECOND), code, data };
  }
  return isObject(value) && value.version === 3 ? { kind: 'header', header: readHeader(value) } : undefined;
}

function readHeader(value: Record<string, unknown>): CastHeader {
  const term = isObject(value.term) ? value.term : {};
  const ours = isObject(value['x-sallyport']) ? value['x-sallyport'] : {};
  return {
    ...clampSize(Number(term.cols), Number(term.rows)),
    pty: ours.pty === true,
    title: typeof value.title === 'string' ? value.title : undefined,
    command: typeof value.command === 'string' ? value.command : undefined,
    synthetic: ours.synthetic_output === true,
  };
}

function parseSize(data: string): { cols: number; rows: number } | undefined {
  const [match, cols, rows] = /^(\d{1,5})x(\d{1,5})$/.exec(data) ?? [];
  return match === undefined || !(Number(cols) > 0 && Number(rows) > 0) ? undefined : clampSize(Number(cols), Number(rows));
}

export function parseNote(data: string): Note | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) && typeof value.t === 'string' ? (value as Note) : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
