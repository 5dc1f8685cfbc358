import { type Frame, FrameEncoder, type StreamName } from '../../contract/frame-codec.ts';
import type { Actor, Resource } from '../../contract/record.ts';
import type { Clock } from '../base/clock.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { PerStream } from './cast-renderer.ts';
import { nodeCodecHost } from './codec-host.ts';
import { isNoSpace } from './errno-code.ts';
import { journalFile } from './journal-layout.ts';
import type { JournalSync } from './journal-sync.ts';
import type { Sealer } from './sealer.ts';
import { SecretPrompt } from './secret-prompt.ts';
import { dropStretch, type RecordWriter, segmentSealed, setAside } from './segment-records.ts';
import { StretchFile } from './stretch-file.ts';
import type { StretchHeader } from './stretch-header.ts';
import { incompleteTail } from './utf8-boundary.ts';

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
}

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
  /** Bytes that crossed, recorded or only counted; a secret that was typed at a prompt is not among them. */
  readonly bytes: PerStream = { i: 0, o: 0, e: 0 };
  readonly #parts: RecordingParts;
  readonly #input: 'recorded' | 'counted';
  readonly #origin: number;
  /** Offsets of the streams as they are recorded. */
  readonly #offsets: PerStream = { i: 0, o: 0, e: 0 };
  /** Streams whose last chunk ended within a UTF-8 sequence. */
  readonly #midSequence: { [name in StreamName]: boolean } = { i: false, o: false, e: false };
  #terminal: { cols: number; rows: number; type: string } | undefined;
  #secretPrompt: SecretPrompt | undefined;
  #stretch = 1;
  #file: StretchFile;
  /** Time of the last frame. */
  #lastAt = 0;
  #lastClock = 0;
  /** Time of the first frame in this stretch that is not a clock frame. */
  #contentSince: number | undefined;
  readonly #closing = new Set<Promise<void>>();
  #sealing: Promise<void>[] = [];
  #failure: SallyportError | undefined;
  #finishing: Promise<{ segments: number }> | undefined;

  constructor(description: ChannelDescription, parts: RecordingParts) {
    this.description = description;
    this.strict = parts.durability === 'strict';
    this.#parts = parts;
    this.#input = (description.recordInput ?? parts.input) ? 'recorded' : 'counted';
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
    const kept = this.#withheld(frames);
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
      await Promise.all([...this.#closing, this.#file.sync()]);
    } catch (thrown) {
      throw this.#fail(thrown);
    }
  }

  /** A PTY was granted: what is typed at a prompt for a secret is withheld from now on. */
  setTerminal(terminal: { cols: number; rows: number; type: string }): void {
    this.#mustBeOpen();
    this.#terminal = { ...terminal };
    this.#secretPrompt ??= new SecretPrompt();
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

  /** Replaces input that must not be recorded, and counts what crosses. */
  #withheld(frames: readonly Frame[]): readonly Frame[] {
    if (this.#secretPrompt === undefined && this.#input === 'recorded') {
      for (const frame of frames) {
        if (frame.kind === 'data') this.bytes[frame.stream] += frame.bytes.length;
        else if (frame.kind === 'resize') this.#resized(frame);
      }
      return frames;
    }
    const kept: Frame[] = [];
    for (const frame of frames) {
      if (frame.kind === 'resize') this.#resized(frame);
      if (frame.kind !== 'data') {
        kept.push(frame);
      } else if (frame.stream !== 'i') {
        this.#secretPrompt?.output(frame.bytes);
        this.bytes[frame.stream] += frame.bytes.length;
        kept.push(frame);
      } else if (this.#secretPrompt === undefined || this.#input === 'counted') {
        // Without a terminal, input is the content of the session and is always recorded.
        this.bytes.i += frame.bytes.length;
        if (this.#secretPrompt === undefined) kept.push(frame);
      } else {
        const { frames: shown, recordedBytes } = this.#secretPrompt.input(frame.at, frame.bytes);
        this.bytes.i += recordedBytes;
        kept.push(...shown);
      }
    }
    return kept;
  }

  #resized(frame: { cols: number; rows: number }): void {
    if (this.#terminal !== undefined) this.#terminal = { ...this.#terminal, cols: frame.cols, rows: frame.rows };
  }

  #write(frames: readonly Frame[]): void {
    if (frames.length === 0) return;
    const before = this.#file.bytes;
    this.#file.write(encoder.encode(frames));
    this.#parts.sealer.burst.note(this.#file.bytes - before);
    this.#parts.journalSync.wrote(this);
    for (const frame of frames) {
      if (frame.at > this.#lastAt) this.#lastAt = frame.at;
      if (frame.kind === 'clock') {
        this.#lastClock = frame.at;
        continue;
      }
      this.#contentSince ??= frame.at;
      if (frame.kind === 'data') {
        this.#offsets[frame.stream] += frame.bytes.length;
        this.#midSequence[frame.stream] = incompleteTail(frame.bytes) > 0;
      }
    }
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
    const { session, channel, protocol, kind, actor, target, openedAt, binary, content } = this.description;
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
      ...(this.#terminal === undefined ? {} : { terminal: this.#terminal }),
      offsets: { ...this.#offsets },
      crossed: { ...this.bytes },
      binary: binary === 'bulk-only' ? 'digest' : 'detect',
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

  /** Closes a stretch and has it sealed. */
  #retire(file: StretchFile, stretch: number, last: boolean): void {
    // A strict sync covers the end of this file too, even when the next has begun.
    const closed = (this.strict ? file.sync() : Promise.resolve()).finally(() => file.close());
    this.#closing.add(closed);
    closed.then(
      () => this.#closing.delete(closed),
      (thrown: unknown) => {
        this.#closing.delete(closed);
        this.#fail(thrown);
      },
    );
    const sealed = this.#seal(file, stretch, last);
    this.#sealing.push(sealed);
    sealed.then(
      () => {
        this.#sealing = this.#sealing.filter((other) => other !== sealed);
      },
      (thrown: unknown) => this.#fail(thrown),
    );
  }

  async #seal(file: StretchFile, stretch: number, last: boolean): Promise<void> {
    const { session, channel } = this.description;
    const { sealer, records, log } = this.#parts;
    let trouble: (error: SallyportError) => void = () => undefined;
    const troubled = new Promise<never>((_, reject) => {
      trouble = reject;
    });
    const completed = sealer
      .seal({ journal: file.path, session, channel, stretch, bytes: file.bytes, last }, trouble)
      .then(async (sealed) => {
        if (sealed.state === 'sealed') {
          await records.append(segmentSealed(sealed.segment, records));
          if (sealed.segment.journal.state !== 'damaged') return dropStretch(file.path);
        }
        const message = sealed.state === 'poison' ? sealed.message : 'it is damaged';
        const kept = await setAside(file.path);
        log.error({ session, channel, segment: stretch, file: kept }, `a stretch of the journal is set aside: ${message}`);
        throw new SallyportError(
          'RECORDING_FAILED',
          `Segment ${stretch} of session ${session}, channel ${channel}, cannot be sealed: ${message}`,
          {
            remedy: `the journal is kept as ${kept}`,
          },
        );
      });
    // After trouble was told, sealing goes on; how that ends is only logged.
    completed.catch((thrown: unknown) =>
      log.error({ session, channel, segment: stretch, err: thrown }, 'a segment could not be completed'),
    );
    await Promise.race([completed, troubled]);
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
    this.#parts.journalSync.forget(this);
    this.#retire(this.#file, this.#stretch, true);
    try {
      await Promise.all([...this.#sealing, ...this.#closing]);
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
