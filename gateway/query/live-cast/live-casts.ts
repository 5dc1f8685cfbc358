import { Worker } from 'node:worker_threads';
import type { SegmentRow } from '../../../contract/session.ts';
import { SallyportError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { RawSpent } from '../../recording/recorder.ts';
import type { CastRead, FollowedPlace, SealedNow } from './cast-follower.ts';
import type { CastPosition } from './cast-position.ts';
import type { FromLiveCasts, ToLiveCasts } from './live-cast-messages.ts';

export type { CastRead } from './cast-follower.ts';

export interface LiveCastsOptions {
  readonly dataDirectory: string;
  readonly segments: (session: string, channel: number) => Promise<readonly SegmentRow[]>;
  /** Of a channel that is being recorded. */
  readonly rawSpent: (session: string, channel: number) => RawSpent | undefined;
  readonly log: Log;
}

/** The cast of one channel, from a position on. */
export interface FollowedCast {
  /**
   * About so many bytes of text. `over`: the channel is closed and sealed. One call at a time. Rejects when it cannot be
   * read, and when its thread died: then it is over, and may be begun again from where it was.
   */
  read(most: number, over: boolean): Promise<CastRead>;
  forget(): void;
}

interface Followed {
  readonly where: FollowedPlace;
  resolve: (read: CastRead) => void;
  reject: (error: SallyportError) => void;
}

/** Of the thread's heap; it ends when it needs more. */
const MOST_MEGABYTES = 256;
/** Without anybody who follows, the thread stays for so long, for whoever comes next. */
const LINGER_MILLIS = 10_000;

/** Follows the casts of running channels, in one thread that is there while somebody does. */
export class LiveCasts {
  readonly #options: LiveCastsOptions;
  readonly #followed = new Map<number, Followed>();
  #worker: Worker | undefined;
  #linger: NodeJS.Timeout | undefined;
  #next = 1;
  #closed = false;

  constructor(options: LiveCastsOptions) {
    this.#options = options;
  }

  /** For tests that end the thread: a process has no other name for it. */
  get worker(): Worker | undefined {
    return this.#worker;
  }

  get followed(): number {
    return this.#followed.size;
  }

  follow(session: string, channel: number, from: CastPosition): FollowedCast {
    if (this.#closed) throw lost('the gateway is shutting down');
    clearTimeout(this.#linger);
    const id = this.#next++;
    const nobody = () => undefined;
    const where = { dataDirectory: this.#options.dataDirectory, session, channel };
    this.#followed.set(id, { where, resolve: nobody, reject: nobody });
    this.#worker ??= this.#start();
    this.#post({ kind: 'follow', id, where, from });
    return {
      read: (most, over) => this.#read(id, most, over),
      forget: () => this.#forget(id),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#linger);
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failAll('the gateway is shutting down');
    await worker?.terminate();
  }

  #read(id: number, most: number, over: boolean): Promise<CastRead> {
    const followed = this.#followed.get(id);
    if (followed === undefined) return Promise.reject(lost('it is not followed any more'));
    return new Promise((resolve, reject) => {
      followed.resolve = resolve;
      followed.reject = reject;
      this.#post({ kind: 'read', id, most, over });
    });
  }

  #forget(id: number): void {
    const followed = this.#followed.get(id);
    if (followed === undefined) return;
    this.#followed.delete(id);
    followed.reject(lost('it is not followed any more'));
    this.#post({ kind: 'forget', id });
    if (this.#followed.size > 0) return;
    const linger = () => {
      const worker = this.#worker;
      this.#worker = undefined;
      void worker?.terminate();
    };
    clearTimeout(this.#linger);
    this.#linger = setTimeout(linger, LINGER_MILLIS).unref();
  }

  #post(message: ToLiveCasts): void {
    this.#worker?.postMessage(message);
  }

  #start(): Worker {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./live-cast-worker.${extension}`, import.meta.url), {
      name: 'live-casts',
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES },
    });
    worker.unref();
    worker.on('message', (message: FromLiveCasts) => {
      if (worker === this.#worker) this.#hear(message);
    });
    let reason = 'it exited';
    worker.on('error', (error: unknown) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => {
      if (worker !== this.#worker) return;
      this.#worker = undefined;
      this.#options.log.error({ reason, followed: this.#followed.size }, 'the thread that follows casts died');
      this.#failAll(`the thread that follows casts died: ${reason}`);
    });
    return worker;
  }

  #hear(message: FromLiveCasts): void {
    const followed = this.#followed.get(message.id);
    if (followed === undefined) return;
    if (message.kind === 'ask-sealed') void this.#tellSealed(message.id, followed.where);
    else if (message.kind === 'read') followed.resolve(message.read);
    else followed.reject(lost(message.message));
  }

  async #tellSealed(id: number, { session, channel }: FollowedPlace): Promise<void> {
    let sealed: SealedNow = { rows: [] };
    try {
      // Asked for first, so that what it counts is among the rows.
      const rawSpent = this.#options.rawSpent(session, channel);
      sealed = { rows: await this.#options.segments(session, channel), rawSpent };
    } catch (thrown) {
      // Then they count as missing, and whoever follows is told that it does not go on.
      this.#options.log.warn({ session, err: thrown }, 'the segments of a followed channel cannot be listed');
    }
    this.#post({ kind: 'sealed', id, sealed });
  }

  #failAll(message: string): void {
    const all = [...this.#followed.values()];
    this.#followed.clear();
    for (const { reject } of all) reject(lost(message));
  }
}

function lost(message: string): SallyportError {
  return new SallyportError('INTERNAL', `The recording cannot be followed: ${message}`, {
    remedy: 'open it again; the session is not affected',
  });
}
