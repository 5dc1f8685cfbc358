import { type Frame, FrameEncoder, type StreamName } from '../../contract/frame-codec.ts';
import type { Actor, Resource } from '../../contract/record.ts';
import type { Clock } from '../base/clock.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { PerStream } from './cast-renderer.ts';
import { nodeCodecHost } from './codec-host.ts';
import { Crossing, type Terminal } from './crossing.ts';
import { isNoSpace } from './errno-code.ts';
import { journalFile } from './journal-layout.ts';
import type { JournalSync } from './journal-sync.ts';
import { type RecordedNow, sealAndRecord } from './seal-and-record.ts';
import type { Sealer } from './sealer.ts';
import type { RecordWriter } from './segment-records.ts';
import { StretchFile } from './stretch-file.ts';
import type { StretchHeader } from './stretch-header.ts';
import { incompleteTail } from './utf8-boundary.ts';

/** A place in a channel's recording: so many bytes of that stretch of its journal, and everything before that stretch. */
export interface RecordingPosition {
  readonly stretch: number;
  readonly bytes: number;
}

export interface ChannelDescription {
  session: string;
  channel: number;
  protocol: string;
  /** `session` until it is known what the channel is for, or `direct-tcpip` and the like. */
  kind: string;
  actor: Actor;
  target: Resource;
  /** Wall clock in microseconds. */
  openedAt: number;
  /** Forwarded connections: nothing is kept, only counted and hashed. */
  binary?: 'bulk-only';
  /** Overrides the gateway's configuration for this target. */
  content?: 'digest' | 'whole';
  recordInput?: boolean;
}

/** How much binary content of a channel is kept up to the end of a stretch. */
export interface RawSpent {
  readonly stretch: number;
  readonly spent: Readonly<PerStream>;
}

/** What all channels of a gateway share. */
export interface RecordingParts {
  dataDirectory: string;
  segmentBytes: number;
  segmentSeconds: number;
  durability: 'relaxed' | 'strict';
  content: 'digest' | 'whole';
  input: boolean;
  clock: Clock;
  log: Log;
  records: RecordWriter;
  sealer: Sealer;
  journalSync: JournalSync;
  /** A write found no space. */
  noSpace: () => void;
  /** The recording failed outside of a call, or in one: the session has to end. */
  failed: (recording: ChannelRecording, error: SallyportError) => void;
  finished: (recording: ChannelRecording) => void;
  /** A segment is on record. */
  recorded: (segment: RecordedNow) => void;
}

/** Gets frames that are written. Their bytes are valid until it returns; it must be quick and must not throw. */
export type FrameFollower = (frames: readonly Frame[]) => void;

const CLOCK_NANOS = 60e9;
/** Beyond this many times its size or age, a stretch ends wherever it is. */
const FORCE = 1.25;

// Encoding is synchronous and its buffers are written before the next call, so all channels share one encoder.
const encoder = new FrameEncoder(nodeCodecHost);

/**
 * The recording of one channel. What `append` returned from is in the page cache and survives the end of this
 * process; what it threw on must not be delivered to anybody, and nothing is ever appended after that.
 */
export class ChannelRecording {
  readonly description: ChannelDescription;
  readonly strict: boolean;
  readonly #parts: RecordingParts;
  readonly #input: 'recorded' | 'counted';
  readonly #crossing: Crossing;
  readonly #origin: number;
  /** Offsets of the streams as they are recorded. */
  readonly #offsets: PerStream = { i: 0, o: 0, e: 0 };
  /** Streams whose last chunk ended within a UTF-8 sequence. */
  readonly #midSequence: { [name in StreamName]: boolean } = { i: false, o: false, e: false };
  /** Forwarded connections, and protocols that are decoded into events: content is counted and hashed, not kept. */
  #digestOnly: boolean;
  #stretch = 1;
  #file: StretchFile;
  /** Time of the last frame. */
  #lastAt = 0;
  #lastClock = 0;
  /** Time of the first frame in this stretch that is not a clock frame. */
  #contentSince: number | undefined;
  /** Stretches that are complete and not sealed. */
  readonly #retired = new Set<StretchFile>();
  readonly #sealing = new Set<Promise<void>>();
  #follower: FrameFollower | undefined;
  #newestSeal: Promise<unknown> = Promise.resolve();
  #rawSpent: RawSpent = { stretch: 0, spent: { i: 0, o: 0, e: 0 } };
  readonly #syncFailed = (thrown: unknown) => void this.#fail(thrown);
  #failure: SallyportError | undefined;
  #finishing: Promise<{ segments: number }> | undefined;

  constructor(description: ChannelDescription, parts: RecordingParts) {
    this.description = description;
    this.strict = parts.durability === 'strict';
    this.#parts = parts;
    this.#digestOnly = description.binary === 'bulk-only';
    this.#input = (description.recordInput ?? parts.input) ? 'recorded' : 'counted';
    this.#crossing = new Crossing(this.#input);
    this.#origin = parts.clock.monotonicNanos();
    try {
      this.#file = this.#openStretch(0, 1);
    } catch (thrown) {
      if (isNoSpace(thrown)) parts.noSpace();
      throw new SallyportError(
        'RECORDING_UNAVAILABLE',
        `The recording of channel ${description.channel} cannot be opened: ${messageOf(thrown)}`,
        {
          remedy: 'see that the data directory is writable and its disk has space',
          cause: thrown,
        },
      );
    }
  }

  /** Monotonic nanoseconds since the channel opened. */
  now(): number {
    return this.#parts.clock.monotonicNanos() - this.#origin;
  }

  /** Bytes that crossed, recorded or only counted; a secret that was typed at a prompt is not among them. */
  get bytes(): Readonly<PerStream> {
    return this.#crossing.bytes;
  }

  /** Whether what is typed now is a secret that is left out. */
  get withholding(): boolean {
    return this.#crossing.withholding;
  }

  /** How far the recording has come. Everything before it is in files. */
  get position(): RecordingPosition {
    return { stretch: this.#stretch, bytes: this.#file.bytes };
  }

  /** The terminal with its present size, once there is one. */
  get terminal(): Terminal | undefined {
    return this.#crossing.terminal;
  }

  /** Up to the newest stretch that is sealed. */
  get rawSpent(): RawSpent {
    return this.#rawSpent;
  }

  /** One follower, or none: what is written from here on. */
  follow(follower: FrameFollower | undefined): void {
    this.#follower = follower;
  }

  /** Why nothing can be appended any more, if so. */
  get failure(): SallyportError | undefined {
    return this.#failure;
  }

  /** Whether frames may still be appended. */
  get writing(): boolean {
    return this.#failure === undefined && this.#finishing === undefined;
  }

  /** One synchronous write. Throws RECORDING_FAILED when not all of it could be written; the recording is closed then. */
  append(frames: readonly Frame[]): void {
    this.#mustBeOpen();
    const kept = this.#crossing.recordable(frames);
    try {
      this.#write(kept);
      const full = this.#file.bytes > this.#parts.segmentBytes;
      if (full && (!this.#inSequence() || this.#file.bytes > this.#parts.segmentBytes * FORCE)) this.#rotate(this.#lastAt);
    } catch (thrown) {
      throw this.#fail(thrown);
    }
  }

  /** Resolves when everything appended so far is durable. Rejects with RECORDING_FAILED. */
  async sync(): Promise<void> {
    this.#mustNotHaveFailed();
    try {
      await Promise.all([this.#file, ...this.#retired].map((file) => file.sync()));
    } catch (thrown) {
      throw this.#fail(thrown);
    }
  }

  /** A PTY was granted: what is typed at a prompt for a secret is withheld from now on. */
  setTerminal(terminal: Terminal): void {
    this.#mustBeOpen();
    this.#crossing.setTerminal(terminal);
    this.append([
      { kind: 'event', at: this.now(), event: { t: 'terminal', cols: terminal.cols, rows: terminal.rows, type: terminal.type } },
    ]);
  }

  /** Ends the recording. Resolves when its last segment is durable and recorded; rejects when that failed. */
  finish(): Promise<{ segments: number }> {
    this.#finishing ??= this.#finish();
    return this.#finishing;
  }

  /** Called about once a second: the wall clock is noted, and a stretch that is old enough ends. */
  tick(): void {
    if (!this.writing) return;
    const now = Math.max(this.now(), this.#lastAt);
    try {
      if (this.#contentSince !== undefined) {
        const age = (now - this.#contentSince) / 1e9;
        if (age >= this.#parts.segmentSeconds * FORCE || (age >= this.#parts.segmentSeconds && !this.#inSequence())) this.#rotate(now);
      }
      if (now - this.#lastClock >= CLOCK_NANOS) this.#write([this.#clockFrame(now)]);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** Something that this recording depends on failed. Announces it, and closes the recording for good. */
  fail(error: SallyportError): void {
    this.#fail(error);
  }

  #write(frames: readonly Frame[]): void {
    if (frames.length === 0) return;
    const before = this.#file.bytes;
    this.#file.write(encoder.encode(frames));
    this.#parts.sealer.burst.note(this.#file.bytes - before);
    this.#parts.journalSync.wrote(this.#file, this.#syncFailed);
    for (const frame of frames) {
      if (frame.at > this.#lastAt) this.#lastAt = frame.at;
      if (frame.kind === 'clock') {
        this.#lastClock = frame.at;
        continue;
      }
      this.#contentSince ??= frame.at;
      if (frame.kind === 'event' && frame.event.t === 'content') this.#digestOnly = frame.event.kept === 'digest';
      if (frame.kind === 'data') {
        this.#offsets[frame.stream] += frame.bytes.length;
        this.#midSequence[frame.stream] = incompleteTail(frame.bytes) > 0;
      }
    }
    if (this.#follower !== undefined) this.#follower(frames);
  }

  #inSequence(): boolean {
    return this.#midSequence.i || this.#midSequence.o || this.#midSequence.e;
  }

  #clockFrame(at: number): Frame {
    return { kind: 'clock', at, wallMicros: this.#parts.clock.wallMicros() };
  }

  /** Ends the stretch at a moment and begins the next at the same one, so that no time is lost between segments. */
  #rotate(at: number): void {
    this.#write([this.#clockFrame(at)]);
    const next = this.#openStretch(at, this.#stretch + 1);
    const ended = this.#file;
    const stretch = this.#stretch;
    this.#file = next;
    this.#stretch = stretch + 1;
    this.#contentSince = undefined;
    this.#retire(ended, stretch, false);
  }

  #openStretch(at: number, stretch: number): StretchFile {
    const { session, channel, protocol, kind, actor, target, openedAt, content } = this.description;
    const header: StretchHeader = {
      v: 1,
      session,
      channel,
      stretch,
      start: at,
      openedAt,
      wall: this.#parts.clock.wallMicros(),
      protocol,
      kind,
      actor,
      target,
      ...(this.#crossing.terminal === undefined ? {} : { terminal: this.#crossing.terminal }),
      offsets: { ...this.#offsets },
      crossed: { ...this.bytes },
      binary: this.#digestOnly ? 'digest' : 'detect',
      content: content ?? this.#parts.content,
      input: this.#input,
    };
    const file = StretchFile.create(journalFile(this.#parts.dataDirectory, session, channel, stretch));
    try {
      file.write(encoder.encode([{ kind: 'header', at, header }]));
    } catch (thrown) {
      file.discard();
      throw thrown;
    }
    return file;
  }

  /** Has a stretch sealed that is not written any more. Until then it is synced like those that are. */
  #retire(file: StretchFile, stretch: number, last: boolean): void {
    file.retire();
    this.#retired.add(file);
    const sealed = this.#seal(file, stretch, last, this.#newestSeal);
    this.#newestSeal = sealed;
    this.#sealing.add(sealed);
    sealed.then(
      () => this.#sealing.delete(sealed),
      (thrown: unknown) => this.#fail(thrown),
    );
  }

  async #seal(file: StretchFile, stretch: number, last: boolean, before: Promise<unknown>): Promise<void> {
    const { session, channel } = this.description;
    try {
      const recorded = (segment: RecordedNow): void => {
        this.#rawSpent = { stretch, spent: segment.rawSpent };
        this.#parts.recorded(segment);
      };
      await sealAndRecord({ journal: file.path, session, channel, stretch, bytes: file.bytes, last }, { ...this.#parts, recorded }, before);
    } finally {
      this.#retired.delete(file);
      this.#parts.journalSync.forget(file);
      await file.close();
    }
  }

  async #finish(): Promise<{ segments: number }> {
    if (this.#failure === undefined) {
      try {
        this.#write([this.#clockFrame(Math.max(this.now(), this.#lastAt))]);
      } catch (thrown) {
        this.#fail(thrown);
      }
    }
    // What was written before a failure is sealed like anything else.
    this.#retire(this.#file, this.#stretch, true);
    try {
      await Promise.all(this.#sealing);
    } catch (thrown) {
      throw asSallyportError(thrown, 'RECORDING_FAILED');
    } finally {
      this.#parts.finished(this);
    }
    return { segments: this.#stretch };
  }

  #mustBeOpen(): void {
    this.#mustNotHaveFailed();
    if (this.#finishing !== undefined)
      throw new SallyportError('RECORDING_FAILED', `The recording of channel ${this.description.channel} is finished`);
  }

  #mustNotHaveFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(thrown: unknown): SallyportError {
    if (isNoSpace(thrown)) this.#parts.noSpace();
    if (this.#failure !== undefined) return this.#failure;
    const { session, channel } = this.description;
    this.#failure =
      thrown instanceof SallyportError
        ? thrown
        : new SallyportError(
            'RECORDING_FAILED',
            `The recording of session ${session}, channel ${channel}, cannot be written: ${messageOf(thrown)}`,
            {
              remedy: 'see that the disk of the data directory has space and accepts writes',
              cause: thrown,
            },
          );
    this.#parts.failed(this, this.#failure);
    return this.#failure;
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
