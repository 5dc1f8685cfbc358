import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { type ChannelDescription, ChannelRecording, type RecordingParts } from './channel-recording.ts';
import { DiskSpace, type Space } from './disk-space.ts';
import { JOURNAL_DIRECTORY } from './journal-layout.ts';
import { JournalSync } from './journal-sync.ts';
import { type RecoveryReport, recoverJournals } from './recovery.ts';
import type { RecoveryIndex } from './recovery-index.ts';
import type { RecordedNow } from './seal-and-record.ts';
import { Sealer } from './sealer.ts';
import type { RecordWriter } from './segment-records.ts';

export { type ChannelDescription, ChannelRecording, type RawSpent, type RecordingPosition } from './channel-recording.ts';
export type { RecoveryReport } from './recovery.ts';
export type { RecoveryIndex } from './recovery-index.ts';
export type { RecordedNow } from './seal-and-record.ts';

export interface RecordingOptions {
  /** The data directory. */
  directory: string;
  segmentBytes: number;
  segmentSeconds: number;
  /** Free space below which no session begins. */
  reserveBytes: number;
  /** Unsealed bytes above which the relay has to wait. */
  backlogBytes: number;
  durability: 'relaxed' | 'strict';
  content: 'digest' | 'whole';
  input: boolean;
}

/** Is told of every channel's recording. It must not throw. */
export interface RecordingObserver {
  opened(recording: ChannelRecording): void;
  finished(recording: ChannelRecording): void;
}

type FailureListener = (session: string, channel: number, error: SallyportError) => void;

const TICK_MILLIS = 1000;

/** Opens recordings, and owns what they share: the sealing thread, the sync timer, the watch over the disk. */
export class Recorder {
  readonly #parts: RecordingParts;
  readonly #disk: DiskSpace;
  readonly #recordings = new Set<ChannelRecording>();
  readonly #listeners = new Set<FailureListener>();
  #observer: RecordingObserver | undefined;
  #recorded: (segment: RecordedNow) => void = () => undefined;
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  private constructor(options: RecordingOptions, parts: { records: RecordWriter; clock: Clock; log: Log }, disk: DiskSpace) {
    const { directory, segmentBytes, segmentSeconds, durability, content, input, backlogBytes } = options;
    const { records, clock, log } = parts;
    this.#disk = disk;
    const noSpace = () => this.#disk.exhausted();
    const sealer = new Sealer({ dataDirectory: directory, backlogBytes, log, noSpace }, (error) => {
      for (const recording of [...this.#recordings]) recording.fail(error);
    });
    this.#parts = {
      dataDirectory: directory,
      segmentBytes,
      segmentSeconds,
      durability,
      content,
      input,
      clock,
      log,
      records,
      sealer,
      journalSync: new JournalSync(),
      noSpace,
      failed: (recording, error) => this.#announce(recording, error),
      finished: (recording) => {
        this.#recordings.delete(recording);
        this.#observer?.finished(recording);
      },
      recorded: (segment) => this.#recorded(segment),
    };
    this.#timer = setInterval(() => {
      for (const recording of this.#recordings) recording.tick();
    }, TICK_MILLIS);
    this.#timer.unref();
  }

  static async open(options: RecordingOptions, parts: { records: RecordWriter; clock: Clock; log: Log }): Promise<Recorder> {
    await mkdir(join(options.directory, JOURNAL_DIRECTORY), { recursive: true, mode: 0o700 });
    await mkdir(join(options.directory, 'recordings'), { recursive: true, mode: 0o700 });
    const disk = await DiskSpace.watch(options.directory, options.reserveBytes, parts.log);
    const recorder = new Recorder(options, parts, disk);
    try {
      await recorder.#parts.sealer.start();
    } catch (error) {
      await recorder.close();
      throw error;
    }
    return recorder;
  }

  /** Seals and closes what an earlier life of the gateway left behind. To be called before anything is recorded. */
  recover(index: RecoveryIndex): Promise<RecoveryReport> {
    const { dataDirectory, records, log, sealer } = this.#parts;
    return recoverJournals({ dataDirectory, records, log, sealer, index });
  }

  /** Throws RECORDING_UNAVAILABLE or DISK_LOW; then the channel must not be opened either. */
  openChannel(description: ChannelDescription): ChannelRecording {
    if (this.#closed) throw new SallyportError('RECORDING_UNAVAILABLE', 'The recorder is closed');
    const broken = this.#parts.sealer.broken;
    if (broken !== undefined)
      throw new SallyportError('RECORDING_UNAVAILABLE', broken.message, {
        cause: broken,
        ...(broken.remedy === undefined ? {} : { remedy: broken.remedy }),
      });
    if (this.#disk.space !== 'ample') {
      throw new SallyportError('DISK_LOW', 'The disk of the gateway has too little space left to record a new session', {
        remedy: 'free space on the disk of the data directory, or add some',
      });
    }
    const recording = new ChannelRecording(description, this.#parts);
    this.#recordings.add(recording);
    this.#observer?.opened(recording);
    return recording;
  }

  get space(): Space {
    return this.#disk.space;
  }

  /** Somebody else found the disk full: what is kept for closing records is given back now. */
  exhausted(): void {
    this.#disk.exhausted();
  }

  /** Called on every change. Returns how to stop that. */
  onSpace(listener: (space: Space) => void): () => void {
    return this.#disk.onChange(listener);
  }

  /** Sealing is behind: whoever reads from a client or a target waits for `whenClear`. */
  get congested(): boolean {
    return this.#parts.sealer.congested;
  }

  whenClear(): Promise<void> {
    return this.#parts.sealer.whenClear();
  }

  /** Bytes that are recorded and not sealed yet, without the stretches that are being written. */
  get backlog(): number {
    return this.#parts.sealer.backlog;
  }

  /** One observer: whoever shows sessions while they run. */
  observe(observer: RecordingObserver): void {
    this.#observer = observer;
  }

  /** One listener: told of each segment that is on record from now on. It must not throw. */
  onRecorded(listener: (segment: RecordedNow) => void): void {
    this.#recorded = listener;
  }

  /** The open recordings of a session, in the order of their channels. */
  recordingsOf(session: string): ChannelRecording[] {
    return [...this.#recordings].filter(({ description }) => description.session === session);
  }

  /** Recordings that are open. */
  get open(): number {
    return this.#recordings.size;
  }

  /** Called when a recording failed, also when that was thrown to a caller as well. Its session has to end. */
  onFailure(listener: FailureListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Finishes what is open and waits until it is sealed. What cannot be sealed stays in the journal. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    const finished = await Promise.allSettled([...this.#recordings].map((recording) => recording.finish()));
    for (const outcome of finished) {
      if (outcome.status === 'rejected')
        this.#parts.log.error({ err: outcome.reason as unknown }, 'a recording could not be finished; its journal is kept');
    }
    this.#parts.journalSync.close();
    await this.#parts.sealer.close();
    await this.#disk.close();
  }

  /** In a turn of its own: whoever is appending must not be ended from within its call. */
  #announce(recording: ChannelRecording, error: SallyportError): void {
    const { session, channel } = recording.description;
    this.#parts.log.error({ session, channel, code: error.code, err: error.cause }, error.message);
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(session, channel, error);
    });
  }
}
