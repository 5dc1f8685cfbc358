import type { Frame, RecordedEvent, StreamName } from '../../contract/frame-codec.ts';
import { canonicalBytes } from '../ledger/canonical-json.ts';
import { castHeaderLine } from './cast-header.ts';
import { type BulkRun, CastStream, type StreamMode, type StreamOutput } from './cast-stream.ts';
import type { StretchHeader } from './stretch-header.ts';

/** What a stretch became, for its `segment.sealed` record. Times are nanoseconds since the channel opened. */
export interface CastSummary {
  from: number;
  to: number;
  /** Event lines, without the header line. */
  events: number;
  streams: { i: StreamSummary; o: StreamSummary; e: StreamSummary };
  /** Binary bytes kept so far per stream of the channel; given to the renderer of the next stretch. */
  rawSpent: PerStream;
  exit: number | undefined;
  /** Times that input was left out because a secret was asked for. */
  redacted: number;
}

export interface StreamSummary {
  offset: number;
  bytes: number;
  sha256: string;
}

export interface PerStream {
  i: number;
  o: number;
  e: number;
}

export interface RenderOptions {
  rawSpent?: PerStream;
  /** File that the bytes of bulk runs go to, when they are kept whole. */
  attachment?: (stream: StreamName) => string;
  bulkBytes?: (stream: StreamName, bytes: Uint8Array) => void;
}

/**
 * Event times are counted in steps of 10 microseconds since the channel opened; the intervals of a cast are their
 * differences, so nothing drifts over any number of segments. Not finer, because a reader that prints small numbers
 * the way Rust's serde_json does (`1e-6`) and then looks for the decimal point cannot read 1 to 9 microseconds.
 */
const STEP_NANOS = 10_000;
const STEPS_PER_SECOND = 100_000;

/** The header line waits for the requests that come before data; not for more than this many characters of them. */
const MAX_LEADING_LENGTH = 1024 * 1024;

/** Players keep sizes in 16 bits. */
const MAX_SIZE = 65_535;

/**
 * Turns the frames of one stretch into lines of a cast. Pure apart from the lines it hands out: the sealer, recovery
 * and the view of a live session all use it. Every stretch can be rendered without those before it.
 */
export class CastRenderer implements StreamOutput {
  readonly #header: StretchHeader;
  readonly #write: (line: string) => void;
  readonly #options: RenderOptions;
  readonly #streams: { readonly [name in StreamName]: CastStream };
  #leading: Frame[] | undefined;
  #leadingLength = 0;
  #steps: number;
  #events = 0;
  #to: number;
  #exit: number | undefined;
  #redacted = 0;
  /** Which descriptor the next `o` is taken to belong to; undefined where a segment has not said so yet. */
  #descriptor: 1 | 2 | undefined;
  /** A clock frame waits for the next frame, so that it can stand last in its segment. */
  #clock: Extract<Frame, { kind: 'clock' }> | undefined;

  /** `write` gets whole lines with their line feed. */
  constructor(header: StretchHeader, write: (line: string) => void, options: RenderOptions = {}) {
    this.#header = header;
    this.#write = write;
    this.#options = options;
    const mode: StreamMode = header.binary === 'digest' ? 'digest' : header.terminal === undefined ? 'detect' : 'text';
    const modeOf = (name: StreamName) => (name === 'e' && mode === 'digest' ? 'detect' : mode);
    const stream = (name: StreamName) => new CastStream(name, modeOf(name), header.offsets[name], options.rawSpent?.[name] ?? 0, this);
    this.#streams = { i: stream('i'), o: stream('o'), e: stream('e') };
    this.#steps = Math.floor(header.start / STEP_NANOS);
    this.#to = header.start;
    this.#leading = header.stretch === 1 ? [] : undefined;
    this.#descriptor = header.stretch === 1 ? 1 : undefined;
  }

  /** A frame of the stretch, in order, without the header frame. */
  push(frame: Frame): void {
    if (this.#leading !== undefined) {
      if (frame.kind === 'event' || frame.kind === 'resize' || frame.kind === 'clock') {
        this.#leading.push(frame);
        this.#leadingLength += JSON.stringify(frame).length;
        if (this.#leadingLength < MAX_LEADING_LENGTH) return;
        this.#begin();
        return;
      }
      this.#begin();
    }
    this.#render(frame);
  }

  /**
   * Gives out what was held back. `lostBytes`: how much of the journal could not be read, when any. `endAt`: where the
   * next stretch begins, when this one lost its end.
   */
  end(ending: { lostBytes?: number; endAt?: number } = {}): CastSummary {
    this.#begin();
    for (const name of ['i', 'o', 'e'] as const) this.#streams[name].end(this.#clock?.at ?? this.#to);
    this.#giveClock();
    const at = Math.max(this.#to, ending.endAt ?? 0);
    if (ending.lostBytes !== undefined && ending.lostBytes > 0)
      this.#event(at, { t: 'lost', bytes: ending.lostBytes }, 'part of the recording is lost');
    return {
      from: this.#header.start,
      to: this.#to,
      events: this.#events,
      streams: { i: this.#streams.i.summary(), o: this.#streams.o.summary(), e: this.#streams.e.summary() },
      rawSpent: { i: this.#streams.i.rawSpent, o: this.#streams.o.rawSpent, e: this.#streams.e.rawSpent },
      exit: this.#exit,
      redacted: this.#redacted,
    };
  }

  text(stream: StreamName, at: number, json: string): void {
    if (stream === 'i') {
      this.#line(at, 'i', json);
      return;
    }
    const descriptor = stream === 'o' ? 1 : 2;
    if (this.#descriptor !== descriptor) {
      this.#descriptor = descriptor;
      this.#line(at, '+', `"{\\"fd\\":${descriptor},\\"t\\":\\"fd\\"}"`);
    }
    this.#line(at, 'o', json);
  }

  raw(at: number, base64: string): void {
    this.#line(at, '+', `"{\\"b64\\":\\"${base64}\\",\\"t\\":\\"raw\\"}"`);
  }

  bulk(at: number, run: BulkRun): void {
    const attachment = this.#options.attachment?.(run.stream);
    this.#event(at, {
      t: 'bulk',
      s: run.stream,
      offset: run.offset,
      bytes: run.bytes,
      sha256: run.sha256,
      ...(attachment === undefined ? {} : { attachment }),
    });
  }

  bulkBytes(stream: StreamName, bytes: Uint8Array): void {
    this.#options.bulkBytes?.(stream, bytes);
  }

  /** Writes the header line, once, with what the leading frames asked for; then those frames. */
  #begin(): void {
    const leading = this.#leading;
    if (leading === undefined) return;
    this.#leading = undefined;
    this.#write(`${castHeaderLine(this.#header, leading, false)}\n`);
    for (const frame of leading) this.#render(frame);
  }

  #render(frame: Frame): void {
    this.#giveClock();
    switch (frame.kind) {
      case 'data':
        return this.#streams[frame.stream].push(frame.at, frame.bytes);
      case 'event':
        if (frame.event.t === 'terminal') this.#becomeTerminal(frame.at);
        if (frame.event.t === 'redact') this.#redacted += 1;
        if (frame.event.t === 'content') this.#keepContent(frame.at, frame.event.kept === 'digest' ? 'digest' : 'detect');
        return this.#event(frame.at, frame.event, frame.marker);
      case 'resize':
        return this.#resize(frame.at, frame.cols, frame.rows);
      case 'exit':
        for (const name of ['i', 'o', 'e'] as const) this.#streams[name].end(frame.at);
        this.#exit = frame.status;
        return this.#line(frame.at, 'x', `"${frame.status}"`);
      case 'clock':
        this.#clock = frame;
        return;
      case 'header':
        return; // read by whoever made this renderer
    }
  }

  #becomeTerminal(at: number): void {
    for (const name of ['i', 'o', 'e'] as const) this.#streams[name].becomeText(at);
  }

  /** Error output is never part of a protocol that is decoded. */
  #keepContent(at: number, kept: 'digest' | 'detect'): void {
    this.#streams.i.keep(at, kept);
    this.#streams.o.keep(at, kept);
  }

  /** A size that no player can show is kept as an event of ours: a PTY may be 0×0 (RFC 4254, section 6.2). */
  #resize(at: number, cols: number, rows: number): void {
    const shown = cols > 0 && rows > 0 && cols <= MAX_SIZE && rows <= MAX_SIZE;
    if (shown) this.#line(at, 'r', `"${cols}x${rows}"`);
    else this.#event(at, { t: 'resize', cols, rows });
  }

  #giveClock(): void {
    const clock = this.#clock;
    if (clock === undefined) return;
    this.#clock = undefined;
    this.#event(clock.at, { t: 'clock', wall: clock.wallMicros, mono: clock.at });
  }

  #event(at: number, event: RecordedEvent, marker?: string): void {
    if (marker !== undefined) this.#line(at, 'm', JSON.stringify(marker.toWellFormed()));
    this.#line(at, '+', JSON.stringify(canonicalBytes(event).toString('utf8')));
  }

  #line(at: number, code: string, json: string): void {
    const steps = Math.max(this.#steps, Math.floor(at / STEP_NANOS));
    const interval = steps - this.#steps;
    this.#steps = steps;
    if (at > this.#to) this.#to = at;
    this.#events++;
    this.#write(`[${seconds(interval)},"${code}",${json}]\n`);
  }
}

/** Always with a decimal point: some readers look for one. */
function seconds(steps: number): string {
  if (steps === 0) return '0.0';
  return steps % STEPS_PER_SECOND === 0 ? `${steps / STEPS_PER_SECOND}.0` : String(steps / STEPS_PER_SECOND);
}
