import { Worker } from 'node:worker_threads';
import type { SegmentRow } from '../../../contract/session.ts';
import { SallyportError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { RecordingPosition } from '../../recording/recorder.ts';
import type { Dumped, FollowRequest, FromScreens, ToScreens } from './screen-messages.ts';

export type { Dumped } from './screen-messages.ts';

export interface ScreensOptions {
  readonly dataDirectory: string;
  readonly segments: (session: string, channel: number) => Promise<readonly SegmentRow[]>;
  readonly log: Log;
  /** The thread says at least so often that it works; what keeps it longer is taken for a way to make it hang. */
  readonly longestSilenceMillis?: number;
}

/** The screen of one channel. After its thread has died it goes on by itself, from the recording. */
export interface FollowedChannel {
  /** Rejects when the thread died of it, or could not read the recording. Positions must not go back. */
  dump(at: RecordingPosition): Promise<Dumped>;
  forget(): void;
}

interface Waiting {
  readonly id: number;
  readonly resolve: (dumped: Dumped) => void;
  readonly reject: (error: SallyportError) => void;
}

const LONGEST_SILENCE_MILLIS = 15_000;
const LOOK_MILLIS = 1000;
/** Deaths within a minute after which it rests for a while. */
const MOST_DEATHS = 3;
const MINUTE = 60_000;
/** Of the thread's heap; it ends when it needs more. */
const MOST_MEGABYTES = 384;

/** Keeps the screens of watched channels, in one thread that may die: it is ended when it hangs, and begun again. */
export class Screens {
  readonly #options: ScreensOptions;
  readonly #followed = new Map<number, FollowRequest>();
  /** Those that the present thread knows. */
  readonly #told = new Set<number>();
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 1;
  /** Infinite until the thread has begun, which takes as long as the machine needs. */
  #heardAt = Number.POSITIVE_INFINITY;
  #deaths: number[] = [];
  #watchdog: NodeJS.Timeout | undefined;

  constructor(options: ScreensOptions) {
    this.#options = options;
  }

  /** For tests that end the thread: a process has no other name for it. */
  get worker(): Worker | undefined {
    return this.#worker;
  }

  follow(session: string, channel: number, terminal: FollowRequest['terminal']): FollowedChannel {
    const id = this.#next++;
    this.#followed.set(id, { session, channel, dataDirectory: this.#options.dataDirectory, terminal });
    return {
      dump: (at) => this.#dump(id, at),
      forget: () => this.#forget(id),
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#watchdog);
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failAll('the gateway is shutting down');
    await worker?.terminate();
  }

  #dump(id: number, at: RecordingPosition): Promise<Dumped> {
    const request = this.#followed.get(id);
    if (request === undefined) return Promise.reject(lost('the channel is not followed any more'));
    const now = performance.now();
    this.#deaths = this.#deaths.filter((death) => now - death < MINUTE);
    if (this.#worker === undefined && this.#deaths.length >= MOST_DEATHS)
      return Promise.reject(lost('the thread that keeps screens has died several times; it begins again in a minute'));
    this.#worker ??= this.#start();
    if (!this.#told.has(id)) {
      this.#told.add(id);
      this.#post({ kind: 'follow', id, request });
    }
    const ticket = this.#next++;
    if (this.#waiting.size === 0 && Number.isFinite(this.#heardAt)) this.#heardAt = now;
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { id, resolve, reject });
      this.#post({ kind: 'dump', id, at, ticket });
    });
  }

  #forget(id: number): void {
    this.#followed.delete(id);
    for (const [ticket, { id: of, reject }] of this.#waiting) {
      if (of !== id) continue;
      this.#waiting.delete(ticket);
      reject(lost('the channel is not followed any more'));
    }
    if (this.#told.delete(id)) this.#post({ kind: 'forget', id });
    if (this.#followed.size > 0) return;
    // Nobody watches: the thread and its memory are given back.
    const worker = this.#worker;
    this.#worker = undefined;
    this.#told.clear();
    clearInterval(this.#watchdog);
    void worker?.terminate();
  }

  #post(message: ToScreens): void {
    this.#worker?.postMessage(message);
  }

  #start(): Worker {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./screen-worker.${extension}`, import.meta.url), {
      name: 'screens',
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES },
    });
    worker.unref();
    this.#heardAt = Number.POSITIVE_INFINITY;
    worker.on('message', (message: FromScreens) => {
      if (worker === this.#worker) this.#hear(message);
    });
    let reason = 'it exited';
    worker.on('error', (error: unknown) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => {
      if (worker === this.#worker) this.#died(reason);
    });
    clearInterval(this.#watchdog);
    this.#watchdog = setInterval(() => {
      if (this.#waiting.size === 0 || performance.now() - this.#heardAt < (this.#options.longestSilenceMillis ?? LONGEST_SILENCE_MILLIS))
        return;
      this.#died('it hung');
      void worker.terminate();
    }, LOOK_MILLIS);
    this.#watchdog.unref();
    return worker;
  }

  #hear(message: FromScreens): void {
    this.#heardAt = performance.now();
    if (message.kind === 'segments') void this.#tellSegments(message.id);
    if (message.kind !== 'dumped' && message.kind !== 'failed') return;
    const waiting = this.#waiting.get(message.ticket);
    this.#waiting.delete(message.ticket);
    if (message.kind === 'dumped') waiting?.resolve(message.dumped);
    else waiting?.reject(lost(message.message));
  }

  async #tellSegments(id: number): Promise<void> {
    const request = this.#followed.get(id);
    if (request === undefined) return;
    let rows: readonly SegmentRow[] = [];
    try {
      rows = await this.#options.segments(request.session, request.channel);
    } catch (thrown) {
      // Then they count as missing, and the screen says that it is not whole.
      this.#options.log.warn({ session: request.session, err: thrown }, 'the segments of a watched channel cannot be listed');
    }
    this.#post({ kind: 'segments', id, rows });
  }

  #died(reason: string): void {
    this.#worker = undefined;
    this.#told.clear();
    clearInterval(this.#watchdog);
    this.#deaths.push(performance.now());
    this.#options.log.error({ reason, watched: this.#followed.size }, 'the thread that keeps screens died');
    this.#failAll(`the thread that keeps screens died: ${reason}`);
  }

  #failAll(message: string): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(lost(message));
  }
}

function lost(message: string): SallyportError {
  return new SallyportError('INTERNAL', `There is no screen: ${message}`, { remedy: 'watch again; the session is not affected' });
}
