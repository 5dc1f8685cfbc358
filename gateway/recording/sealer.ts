import { Worker } from 'node:worker_threads';
import { SallyportError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { BurstMeter } from './burst-meter.ts';
import type { SealJob, SealOutcome } from './seal-stretch.ts';

/** A stretch that is complete and waits to become a segment. */
export interface SealRequest {
  journal: string;
  session: string;
  channel: number;
  stretch: number;
  /** Size of the journal file. */
  bytes: number;
  endAt?: number;
  last: boolean;
}

/** What became of it, for good. */
export type Sealed = Extract<SealOutcome, { state: 'sealed' | 'empty' | 'poison' }>;

export interface SealerOptions {
  dataDirectory: string;
  /** Above this many unsealed bytes the relay has to wait. */
  backlogBytes: number;
  log: Log;
  /** Called when a seal could not be written for lack of space; what it frees is there for the next attempt. */
  noSpace: () => void;
}

interface Entry {
  request: SealRequest;
  id: number;
  /** When it was queued, in milliseconds of this process. */
  since: number;
  failures: number;
  crashes: number;
  resolve: (sealed: Sealed) => void;
  /** Told once, when the seal has failed so often that the session must not go on as if nothing were wrong. */
  trouble: (error: SallyportError) => void;
}

/** Enough in flight that the thread renders one stretch while others wait for the disk. */
const MAX_IN_FLIGHT = 32;
const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024;
/** A stretch as small as this is sealed at once even during a burst: it takes a few milliseconds. */
const SMALL_BYTES = 256 * 1024;
/** During a burst sealing waits until this share of the backlog is used. */
const BURST_SHARE = 0.6;
const BURST_CHECK_MILLIS = 50;
/** … and no longer than this: a session that has ended waits for its last segment. */
const LONGEST_WAIT_MILLIS = 10_000;
const NORMAL_LEVEL = 3;
/** What people do at a terminal comes in small stretches: a tenth less space for two milliseconds (bench at-rest). */
const SMALL_LEVEL = 8;
const BURST_LEVEL = 1;
/** Attempts after which a session is told; then the seal is tried at longer intervals for as long as the gateway runs. */
const PATIENCE = 5;
const FIRST_RETRY_MILLIS = 100;
const LONGEST_RETRY_MILLIS = 30_000;
/** A stretch in whose company the thread died this often is taken for the cause. */
const MAX_CRASHES = 3;
/** The thread may die this often without a seal in between; then sealing is given up and nothing more is recorded. */
const MAX_CRASHES_IN_A_ROW = 10;

/**
 * Has stretches made into segments by one worker thread. Never skips one: a seal that fails is tried again, a thread
 * that dies is started again, and when it falls behind it says so (`congested`), so that the relay reads more slowly.
 */
export class Sealer {
  readonly burst = new BurstMeter();
  readonly #options: SealerOptions;
  #worker: Worker | undefined;
  #queue: Entry[] = [];
  readonly #inFlight = new Map<number, Entry>();
  #inFlightBytes = 0;
  #backlog = 0;
  #congested = false;
  #whenClear: (() => void)[] = [];
  #nextId = 1;
  #crashesInARow = 0;
  #dispatchTimer: NodeJS.Timeout | undefined;
  readonly #retryTimers = new Set<NodeJS.Timeout>();
  #closing = false;
  #broken: SallyportError | undefined;
  #onBroken: (error: SallyportError) => void;
  /** Told the outcome of the first start; afterwards a dying thread is started again. */
  #started: { resolve: () => void; reject: (error: SallyportError) => void } | undefined;

  /** `broken` is called when sealing has stopped for good. */
  constructor(options: SealerOptions, broken: (error: SallyportError) => void) {
    this.#options = options;
    this.#onBroken = broken;
  }

  /** Resolves when the thread runs. Rejects when it can't even start: then nothing would ever be sealed. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
      this.#worker = this.#startWorker();
    });
  }

  get congested(): boolean {
    return this.#congested;
  }

  get broken(): SallyportError | undefined {
    return this.#broken;
  }

  /** Bytes of stretches that are complete and not yet sealed. */
  get backlog(): number {
    return this.#backlog;
  }

  /** For tests that end the thread: a process has no other name for it. */
  get worker(): Worker | undefined {
    return this.#worker;
  }

  whenClear(): Promise<void> {
    if (!this.#congested) return Promise.resolve();
    return new Promise((resolve) => this.#whenClear.push(resolve));
  }

  /** Resolves when the segment is durable, or when it is clear that there will be none; however long that takes. */
  seal(request: SealRequest, trouble: (error: SallyportError) => void): Promise<Sealed> {
    return new Promise((resolve) => {
      const entry: Entry = { request, id: this.#nextId++, since: performance.now(), failures: 0, crashes: 0, resolve, trouble };
      this.#backlog += request.bytes;
      if (this.#backlog > this.#options.backlogBytes) this.#congested = true;
      if (this.#broken !== undefined) trouble(this.#broken);
      this.#queue.push(entry);
      this.#dispatch();
    });
  }

  /** Ends the thread. What is not sealed by now stays in the journal for the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#dispatchTimer);
    for (const timer of this.#retryTimers) clearTimeout(timer);
    await this.#worker?.terminate();
  }

  #startWorker(): Worker {
    // The built package has JavaScript beside this file, the checkout TypeScript.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./sealer-worker.${extension}`, import.meta.url), { name: 'sealer' });
    worker.on('message', (message: SealOutcome | 'ready') => {
      if (message !== 'ready') this.#settle(message);
      else if (this.#inFlight.size === 0) worker.unref();
      if (message === 'ready') this.#settleStart(undefined);
    });
    let reason = 'it exited';
    worker.on('error', (error: unknown) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => {
      if (!this.#closing) this.#workerDied(reason);
    });
    return worker;
  }

  #settleStart(failure: string | undefined): void {
    const started = this.#started;
    this.#started = undefined;
    if (failure === undefined) started?.resolve();
    else
      started?.reject(
        new SallyportError('RECORDING_UNAVAILABLE', `The sealing thread can't start: ${failure}`, {
          remedy: 'see that the installation is complete: npm ci',
        }),
      );
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && this.#worker !== undefined && !this.#closing) {
      if (this.#inFlight.size >= MAX_IN_FLIGHT || this.#inFlightBytes >= MAX_IN_FLIGHT_BYTES) return;
      // Stretches that were there when the thread died go one at a time, so that the cause can be told.
      const suspects = [...this.#inFlight.values()].some((entry) => entry.crashes > 0);
      if (suspects) return;
      const bursting = this.burst.lasts;
      const index = bursting && this.#mayWait() ? this.#smallOne() : 0;
      if (index === -1) {
        this.#dispatchLater();
        return;
      }
      const entry = this.#queue[index] as Entry;
      if (entry.crashes > 0 && this.#inFlight.size > 0) return;
      this.#queue.splice(index, 1);
      this.#post(entry, bursting ? BURST_LEVEL : NORMAL_LEVEL);
    }
  }

  #mayWait(): boolean {
    const oldest = this.#queue[0];
    const waited = oldest === undefined ? 0 : performance.now() - oldest.since;
    return this.#backlog < this.#options.backlogBytes * BURST_SHARE && waited < LONGEST_WAIT_MILLIS;
  }

  /** The first small stretch that does not overtake another of its channel: segments are recorded in order. */
  #smallOne(): number {
    const passed = new Set<string>();
    const searched = Math.min(this.#queue.length, 256);
    for (let index = 0; index < searched; index++) {
      const { session, channel, bytes } = (this.#queue[index] as Entry).request;
      const key = `${session}/${channel}`;
      if (bytes <= SMALL_BYTES && !passed.has(key)) return index;
      passed.add(key);
    }
    return -1;
  }

  #dispatchLater(): void {
    if (this.#dispatchTimer !== undefined) return;
    this.#dispatchTimer = setTimeout(() => {
      this.#dispatchTimer = undefined;
      this.#dispatch();
    }, BURST_CHECK_MILLIS);
  }

  #post(entry: Entry, level: number): void {
    const { journal, session, channel, stretch, endAt, last } = entry.request;
    this.#inFlight.set(entry.id, entry);
    this.#inFlightBytes += entry.request.bytes;
    const job: SealJob = {
      id: entry.id,
      dataDirectory: this.#options.dataDirectory,
      journal,
      session,
      channel,
      stretch,
      level: level === NORMAL_LEVEL && entry.request.bytes <= SMALL_BYTES ? SMALL_LEVEL : level,
      last,
      ...(endAt === undefined ? {} : { endAt }),
    };
    // While something is being sealed the process stays alive for it.
    this.#worker?.ref();
    this.#worker?.postMessage(job);
  }

  #settle(outcome: SealOutcome): void {
    const entry = this.#inFlight.get(outcome.id);
    if (entry === undefined) return;
    this.#inFlight.delete(outcome.id);
    this.#inFlightBytes -= entry.request.bytes;
    if (this.#inFlight.size === 0) this.#worker?.unref();
    this.#crashesInARow = 0;
    if (outcome.state === 'failed') this.#tryAgain(entry, outcome.message, outcome.code);
    else this.#done(entry, outcome);
    this.#dispatch();
  }

  #done(entry: Entry, sealed: Sealed): void {
    this.#backlog -= entry.request.bytes;
    if (this.#congested && this.#backlog <= this.#options.backlogBytes / 2) {
      this.#congested = false;
      const waiting = this.#whenClear;
      this.#whenClear = [];
      for (const resolve of waiting) resolve();
    }
    entry.resolve(sealed);
  }

  #tryAgain(entry: Entry, message: string, code: string): void {
    entry.failures++;
    if (code === 'ENOSPC' || code === 'EDQUOT') this.#options.noSpace();
    this.#options.log.warn(
      { session: entry.request.session, channel: entry.request.channel, segment: entry.request.stretch, attempt: entry.failures, code },
      `sealing failed: ${message}`,
    );
    if (entry.failures === PATIENCE) entry.trouble(sealingFailed(entry.request, message));
    const delay = Math.min(FIRST_RETRY_MILLIS * 2 ** (entry.failures - 1), LONGEST_RETRY_MILLIS);
    const timer = setTimeout(() => {
      this.#retryTimers.delete(timer);
      if (this.#broken !== undefined) entry.trouble(this.#broken);
      this.#queue.unshift(entry);
      this.#dispatch();
    }, delay);
    if (entry.failures >= PATIENCE) timer.unref();
    this.#retryTimers.add(timer);
  }

  #workerDied(reason: string): void {
    if (this.#started !== undefined) {
      this.#closing = true;
      this.#settleStart(reason);
      return;
    }
    this.#crashesInARow++;
    this.#options.log.error(
      { reason, stretches: this.#inFlight.size, inARow: this.#crashesInARow },
      'the sealing thread died and is started again',
    );
    const interrupted = [...this.#inFlight.values()];
    this.#inFlight.clear();
    this.#inFlightBytes = 0;
    this.#worker = undefined;
    for (const entry of interrupted.reverse()) {
      entry.crashes++;
      if (entry.crashes >= MAX_CRASHES && interrupted.length === 1)
        this.#done(entry, { id: entry.id, state: 'poison', message: `the sealing thread dies of it: ${reason}` });
      else this.#queue.unshift(entry);
    }
    if (this.#crashesInARow >= MAX_CRASHES_IN_A_ROW) {
      this.#giveUp(reason);
      return;
    }
    this.#worker = this.#startWorker();
    this.#dispatch();
  }

  /** The thread does not live long enough to seal anything. Journals stay; whoever records now must stop. */
  #giveUp(reason: string): void {
    const error = new SallyportError('RECORDING_FAILED', `Recordings can no longer be sealed: the sealing thread keeps dying (${reason})`, {
      remedy: 'restart the gateway; what was recorded is in the journal and will be sealed then',
    });
    this.#broken = error;
    for (const entry of this.#queue) entry.trouble(error);
    this.#onBroken(error);
  }
}

function sealingFailed(request: SealRequest, message: string): SallyportError {
  return new SallyportError(
    'RECORDING_FAILED',
    `Segment ${request.stretch} of session ${request.session}, channel ${request.channel}, cannot be sealed: ${message}`,
    {
      remedy: 'see that the disk of the data directory has space and accepts writes; the journal is kept and sealing goes on by itself',
    },
  );
}
