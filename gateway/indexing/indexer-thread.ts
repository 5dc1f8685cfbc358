import { Worker } from 'node:worker_threads';
import type { SegmentRow } from '../../contract/session.ts';
import type { FromIndexer, IndexJob, ToIndexer } from './indexer-messages.ts';
import type { TextBlock } from './screen-text.ts';

/** What the thread needs done for a job. */
export interface JobHost {
  earlier(): Promise<readonly SegmentRow[]>;
  store(segment: number, sha256: string, blocks: readonly TextBlock[]): Promise<void>;
  made(segment: number, bytes: number, fault: string | undefined, salvaged: boolean): void;
}

/** `died`: the thread did, at this segment if it was at one. */
export interface JobOutcome {
  readonly died: { readonly segment: number | undefined; readonly reason: string } | undefined;
}

interface Running {
  readonly id: number;
  readonly host: JobHost;
  readonly resolve: (outcome: JobOutcome) => void;
  readonly reject: (error: Error) => void;
  segment: number | undefined;
  /** Of that, what has come so far. */
  blocks: TextBlock[];
}

const LONGEST_SILENCE_MILLIS = 15_000;
const LOOK_MILLIS = 1000;
/** With nothing to do for so long, its memory is given back. Running sessions have something for it once a minute. */
const IDLE_MILLIS = 90_000;
/** Of the thread's heap; it ends when it needs more. */
const MOST_MEGABYTES = 512;
/** Of it, what is just made: V8 would let it grow to a hundred, which is then taken from the gateway for good. */
const YOUNG_MEGABYTES = 24;

/** The thread that indexes, one job at a time. It is begun when there is something to do, and ended when it hangs. */
export class IndexerThread {
  readonly #longestSilence: number;
  #worker: Worker | undefined;
  #running: Running | undefined;
  #next = 1;
  /** Infinite until the thread has begun, which takes as long as the machine needs. */
  #heardAt = Number.POSITIVE_INFINITY;
  /** While the main thread has something to do for it, it is silent. */
  #waitsForUs = 0;
  #idleSince = 0;
  #watchdog: NodeJS.Timeout | undefined;

  constructor({ longestSilenceMillis = LONGEST_SILENCE_MILLIS }: { readonly longestSilenceMillis?: number }) {
    this.#longestSilence = longestSilenceMillis;
  }

  get worker(): Worker | undefined {
    return this.#worker;
  }

  /** The one that it is at. */
  get segment(): number | undefined {
    return this.#running?.segment;
  }

  /** One at a time. Rejects when it could not be done, for a reason that may be gone later. */
  run(job: IndexJob, host: JobHost): Promise<JobOutcome> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start();
      this.#running = { id: this.#next++, host, resolve, reject, segment: undefined, blocks: [] };
      if (Number.isFinite(this.#heardAt)) this.#heardAt = performance.now();
      this.#post({ kind: 'job', id: this.#running.id, job });
    });
  }

  forget(session: string): void {
    this.#post({ kind: 'forget', session });
  }

  /** Ends it with whatever it does, as if that had never begun. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    clearInterval(this.#watchdog);
    await worker?.terminate();
    this.#settle({ died: undefined });
  }

  #post(message: ToIndexer): void {
    this.#worker?.postMessage(message);
  }

  #start(): Worker {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./indexer-worker.${extension}`, import.meta.url), {
      name: 'indexer',
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES, maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    });
    worker.unref();
    this.#heardAt = Number.POSITIVE_INFINITY;
    worker.on('message', (message: FromIndexer) => {
      if (worker === this.#worker) void this.#hear(message);
    });
    let reason = 'it exited';
    worker.on('error', (error: unknown) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => {
      if (worker === this.#worker) this.#died(reason);
    });
    clearInterval(this.#watchdog);
    this.#watchdog = setInterval(() => this.#look(worker), LOOK_MILLIS);
    this.#watchdog.unref();
    return worker;
  }

  #look(worker: Worker): void {
    const now = performance.now();
    if (this.#running === undefined) {
      if (now - this.#idleSince > IDLE_MILLIS) void this.end();
    } else if (this.#waitsForUs === 0 && now - this.#heardAt > this.#longestSilence) {
      this.#died('it hung');
      void worker.terminate();
    }
  }

  async #hear(message: FromIndexer): Promise<void> {
    this.#heardAt = performance.now();
    const running = this.#running;
    if (running === undefined || !('id' in message) || message.id !== running.id) return;
    switch (message.kind) {
      case 'begin':
        running.segment = message.segment;
        running.blocks = [];
        return;
      case 'earlier':
        return this.#forThread(running, async () => ({ kind: 'earlier', id: running.id, segments: await running.host.earlier() }));
      case 'text':
        return this.#forThread(running, async () => {
          running.blocks.push(...message.blocks);
          if (!message.more) await running.host.store(message.segment, message.sha256, running.blocks.splice(0));
          return { kind: 'stored', id: running.id };
        });
      case 'made':
        running.segment = undefined;
        running.host.made(message.segment, message.bytes, message.fault, message.salvaged === true);
        return;
      case 'done':
        this.#settle({ died: undefined });
        return;
      case 'failed':
        this.#running = undefined;
        this.#idleSince = performance.now();
        running.reject(new Error(message.message));
    }
  }

  /** Does something that the thread waits for. If that fails, so does the job: the thread would wait for ever. */
  async #forThread(running: Running, step: () => Promise<ToIndexer>): Promise<void> {
    this.#waitsForUs += 1;
    try {
      const answer = await step();
      this.#heardAt = performance.now();
      if (this.#running === running) this.#post(answer);
    } catch (thrown) {
      if (this.#running !== running) return;
      this.#running = undefined;
      await this.end();
      running.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
    } finally {
      this.#waitsForUs -= 1;
    }
  }

  #died(reason: string): void {
    this.#worker = undefined;
    clearInterval(this.#watchdog);
    this.#settle({ died: { segment: this.#running?.segment, reason } });
  }

  #settle(outcome: JobOutcome): void {
    const running = this.#running;
    this.#running = undefined;
    this.#idleSince = performance.now();
    running?.resolve(outcome);
  }
}
