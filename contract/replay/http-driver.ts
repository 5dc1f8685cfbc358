import type { RecordingOutline } from '../operator-api.ts';
import type { CastEvent, CastHeader } from './cast-event.ts';
import type { Keyframe, Outline, ReplayDriver } from './driver.ts';
import { LiveTail } from './live-tail.ts';
import { type ComposedRecording, composeRecording, type PiecePlace, type SegmentSpan } from './outline.ts';
import { parsePiece, parseSegment } from './parse-segment.ts';
import { type Part, partSchema } from './part.ts';
import { RecordingClient, RecordingRefused } from './recording-client.ts';
import type { RecordingTransport } from './recording-transport.ts';
import { TailPieces, type TailPlace } from './tail-pieces.ts';
import type { Damage, Timeline } from './timeline.ts';

/** Parts that are being made are asked for again after this, and then ever later. */
const FIRST_LOOK_MILLIS = 1000;
const LONGEST_LOOK_MILLIS = 60_000;
/** What is over is sealed in a moment. Asked so often, ever later, it is played without what is not. */
const MOST_SEALING_LOOKS = 6;
/** Of something new they are asked for soon, but not all the time. */
const MOST_EAGER = 2;

/** Opens a recording at a gateway, which records that. Throws RecordingRefused, or what the transport threw. */
export async function openHttpRecording(transport: RecordingTransport, session: string, channel: number): Promise<HttpDriver> {
  const client = new RecordingClient(transport, session, channel);
  const outline = await client.open();
  return new HttpDriver(transport, client, outline);
}

/**
 * Drives a player from a gateway: what is sealed by parts of its text, what comes while the session runs by a WebSocket
 * that continues it. What came live is the text that is sealed later, so the two are one recording whenever one joins.
 */
export class HttpDriver implements ReplayDriver {
  readonly #transport: RecordingTransport;
  readonly #client: RecordingClient;
  readonly #listeners = new Set<() => void>();
  readonly #parts = new Map<number, Part>();
  readonly #damage: Damage[] = [];
  /** Sealed segments, by number. */
  #spans = new Map<number, SegmentSpan>();
  #header: CastHeader | undefined;
  #known: RecordingOutline;
  #base: ComposedRecording;
  #tail: TailPieces | undefined;
  #live: LiveTail | undefined;
  #outline: Outline;
  #timeline: Timeline;
  #cut = 0;
  /** How not to look any more, while a look is due. */
  #look: (() => void) | undefined;
  #looks = 0;
  #sealingLooks = 0;
  #closed = false;

  constructor(transport: RecordingTransport, client: RecordingClient, outline: RecordingOutline) {
    this.#transport = transport;
    this.#client = client;
    this.#known = outline;
    this.#base = this.#learn(outline);
    [this.#outline, this.#timeline] = [this.#base.outline, this.#base.timeline];
    this.#follow();
    this.#compose();
    if (!this.#waitForSeals(outline)) this.#lookLater();
  }

  get outline(): Outline {
    return this.#outline;
  }

  get timeline(): Timeline {
    return this.#timeline;
  }

  /** From where the live recording would be continued; undefined for one that does not grow. */
  get position(): string | undefined {
    return this.#live?.position;
  }

  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async load(piece: number): Promise<readonly CastEvent[]> {
    const { from, to } = this.#outline.pieces[piece] ?? { from: 0, to: 0 };
    const place = this.#base.places[piece];
    try {
      if (place !== undefined) return await this.#loadSealed(place, from, to);
      const tail = this.#tail?.load(piece - this.#base.places.length);
      if (tail === undefined) return [];
      return 'events' in tail ? tail.events : await this.#loadPassed(tail.place);
    } catch (thrown) {
      if (this.#closed) throw thrown;
      return [this.#damaged({ from, to, words: wordsOf(thrown) })];
    }
  }

  async keyframe(piece: number): Promise<Keyframe | undefined> {
    const place = this.#base.places[piece];
    if (place === undefined || !('piece' in place)) return undefined;
    const wanted = place.piece ?? 0;
    const keyframe = this.#parts.get(place.segment)?.keyframes.find((each) => each.piece === wanted);
    if (keyframe === undefined) return undefined;
    try {
      const data = await this.#client.keyframe(place.segment, wanted);
      return data === undefined ? undefined : { cols: keyframe.cols, rows: keyframe.rows, data };
    } catch {
      return undefined; // It is played without; what it is played from says why, if that is not to be had either.
    }
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#look?.();
    this.#live?.close();
    this.#client.close();
  }

  async #loadSealed(place: PiecePlace, from: number, to: number): Promise<readonly CastEvent[]> {
    if ('missing' in place) {
      const words = this.#timeline.damage.find((each) => each.from === from)?.words ?? 'A part of this recording is missing.';
      return [{ kind: 'damage', at: from, until: to, words }];
    }
    const piece = place.piece === undefined ? undefined : this.#parts.get(place.segment)?.pieces[place.piece];
    const text = await this.#client.cast(place.segment, piece);
    if (piece !== undefined) return parsePiece(text, piece.from, piece.error).events;
    const parsed = parseSegment(text, from * 1000);
    if (this.#base.outline.header === undefined && parsed.header !== undefined && this.#header === undefined) {
      this.#header = parsed.header;
      this.#recompose(false);
    }
    return parsed.events;
  }

  /** Of the time when it was live, and not kept since. */
  async #loadPassed({ segment, at, bytes, from, error }: TailPlace): Promise<readonly CastEvent[]> {
    return parsePiece(await this.#client.cast(segment, { at, bytes }), from, error).events;
  }

  #damaged(damage: Damage): CastEvent {
    const known = this.#damage.some(({ from, words }) => from === damage.from && words === damage.words);
    if (!known) {
      this.#damage.push(damage);
      this.#recompose(false);
    }
    return { kind: 'damage', at: damage.from, until: damage.to, words: damage.words };
  }

  /** Takes what an outline says of sealed segments and their parts. */
  #learn(outline: RecordingOutline): ComposedRecording {
    this.#known = outline;
    const unsealed = firstUnsealed(outline);
    for (const { segment, state, from, to, bytes = 0, part } of outline.segments) {
      if (state !== 'sealed' || segment >= unsealed) continue;
      this.#spans.set(segment, { segment, from: micros(from), to: micros(to), bytes });
      const read = partSchema.safeParse(part);
      if (read.success) this.#parts.set(segment, read.data);
    }
    this.#header ??= headerOf(outline.header);
    return this.#composed();
  }

  #composed(): ComposedRecording {
    const segments = [...this.#spans.values()].sort((a, b) => a.segment - b.segment);
    return composeRecording(segments, this.#parts, {
      live: this.#known.live !== null,
      cut: this.#cut,
      header: this.#header,
      damage: this.#damage,
    });
  }

  /** `anew`: its pieces are others from here on. */
  #recompose(anew: boolean): void {
    if (anew) this.#cut += 1;
    this.#base = this.#composed();
    const { duration, terminal } = this.#base.outline;
    this.#tail = this.#tail?.behind(this.#lastSealed, duration, terminal, this.#active);
    this.#compose();
    this.#tell();
  }

  get #lastSealed(): number {
    return Math.max(0, ...this.#spans.keys());
  }

  readonly #active = (at: number, amount: number): void => this.#base.timeline.activity.add(at, amount);

  /** Sealed and live together. */
  #compose(): void {
    const { outline, timeline } = this.#base;
    const tail = this.#tail;
    if (tail === undefined || tail.count === 0) {
      [this.#outline, this.#timeline] = [outline, timeline];
      return;
    }
    this.#outline = {
      ...outline,
      header: outline.header ?? tail.header,
      duration: Math.max(outline.duration, tail.to),
      terminal: outline.terminal || tail.terminal,
      input: outline.input || tail.input,
      pieces: [...outline.pieces, ...tail.pieces()],
      idle: [...outline.idle, ...tail.idle()],
    };
    this.#timeline = { ...timeline, marks: [...timeline.marks, ...tail.marks] };
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #follow(): void {
    const { live, session, channel } = this.#known;
    if (live === null || this.#closed) return;
    const { duration, terminal } = this.#base.outline;
    this.#tail = new TailPieces(duration, terminal, this.#active);
    this.#live = new LiveTail(this.#transport, session, channel, live.position, {
      text: (segment, text, bytes) => {
        if (text === '') {
          this.#looks = Math.min(this.#looks, MOST_EAGER);
          this.#lookLater();
          return;
        }
        this.#tail?.take(segment, text, bytes);
        this.#compose();
        this.#tell();
      },
      lost: () => void this.#beginAnew(),
      over: () => void this.#beginAnew(),
    });
  }

  /** What was live is sealed by now, or everything is to be read again. */
  async #beginAnew(): Promise<void> {
    this.#look?.();
    this.#look = undefined;
    this.#live?.close();
    this.#live = undefined;
    try {
      const outline = await this.#client.outline(0);
      if (this.#closed || this.#waitForSeals(outline)) return;
      this.#spans = new Map();
      this.#cut += 1;
      this.#tail = undefined;
      this.#base = this.#learn(outline);
      this.#follow();
      this.#compose();
      this.#tell();
      this.#looks = 0;
      this.#lookLater();
    } catch (thrown) {
      if (this.#closed) return;
      // What was shown stays. Nothing more is known, and it is asked for again.
      this.#known = { ...this.#known, live: null };
      this.#outline = { ...this.#outline, live: false };
      this.#tell();
      if (!isFinal(thrown)) this.#look = this.#transport.after(LONGEST_LOOK_MILLIS, () => void this.#beginAnew());
    }
  }

  /** Of a recording that is over and not sealed to its end yet, everything is read again when it is. What is shown stays until then. */
  #waitForSeals({ live, segments }: RecordingOutline): boolean {
    if (live !== null || this.#sealingLooks >= MOST_SEALING_LOOKS || !segments.some(({ state }) => state === 'journal')) return false;
    this.#look = this.#transport.after(FIRST_LOOK_MILLIS * 2 ** this.#sealingLooks, () => void this.#beginAnew());
    this.#sealingLooks += 1;
    return true;
  }

  /** While parts are missing, it is asked whether they are there: of what was sealed, and of what came live and is by now. */
  #lookLater(): void {
    const last = this.#lastSealed;
    const wanted = [...this.#spans.keys()].some((segment) => !this.#parts.has(segment)) || (this.#tail?.segment ?? 0) > last + 1;
    if (this.#closed || this.#look !== undefined || !wanted) return;
    const wait = Math.min(LONGEST_LOOK_MILLIS, FIRST_LOOK_MILLIS * 2 ** Math.min(10, this.#looks));
    this.#looks += 1;
    this.#look = this.#transport.after(wait, () => {
      void this.#lookForParts().finally(() => {
        this.#look = undefined;
        this.#lookLater();
      });
    });
  }

  async #lookForParts(): Promise<void> {
    const before = this.#known;
    const lacking = [...this.#spans.keys()].filter((segment) => !this.#parts.has(segment));
    let outline: RecordingOutline;
    try {
      outline = await this.#client.outline((lacking.length === 0 ? this.#lastSealed + 1 : Math.min(...lacking)) - 1);
    } catch {
      return; // Asked again: what is there can be played all the same.
    }
    // Begun anew meanwhile, it knows more than this answer does.
    if (this.#closed || this.#known !== before) return;
    let news = false;
    for (const { segment, state, from, to, bytes = 0, part } of outline.segments) {
      if (this.#parts.has(segment) || state !== 'sealed') continue;
      const read = partSchema.safeParse(part);
      // What came live is complete only up to the segment before the one that it is in.
      const passed = segment === this.#lastSealed + 1 && segment < (this.#tail?.segment ?? 0);
      if (!read.success || !(passed || this.#spans.has(segment))) continue;
      this.#spans.set(segment, { segment, from: micros(from), to: micros(to), bytes });
      this.#parts.set(segment, read.data);
      news = true;
    }
    if (news) this.#recompose(true);
  }
}

function firstUnsealed({ live }: RecordingOutline): number {
  return live === null ? Number.POSITIVE_INFINITY : Number(live.position.split(':')[0]);
}

/** Casts count in steps of 10 µs. */
function micros(nanos: number): number {
  return Math.floor(nanos / 10_000) * 10;
}

function headerOf(header: RecordingOutline['header']): CastHeader | undefined {
  const read = partSchema.shape.header.safeParse(header);
  return read.success && read.data !== undefined ? { title: undefined, command: undefined, ...read.data } : undefined;
}

function wordsOf(thrown: unknown): string {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return thrown instanceof RecordingRefused ? words : `The gateway cannot be reached: ${words}`;
}

/** Asked again, it would be answered the same. */
function isFinal(thrown: unknown): boolean {
  return thrown instanceof RecordingRefused && [401, 403, 404, 410].includes(thrown.status);
}
