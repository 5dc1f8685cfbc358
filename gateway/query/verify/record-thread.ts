import { Worker } from 'node:worker_threads';
import { SallyportError } from '../../base/errors.ts';
import { type RecordBatch, RecordChecks, type RecordChecksOptions, type RecordFindings, type RecordTotals } from './record-checks.ts';
import type { FromRecordWorker, ToRecordWorker } from './record-worker.ts';

/** Checks records in their order, here or on another thread. Answers come in the order of the calls. A batch is given away. */
export interface RecordChecking {
  take(batch: RecordBatch): Promise<RecordFindings>;
  finish(): Promise<{ findings: RecordFindings; totals: RecordTotals }>;
  close(): Promise<void>;
}

/** A thread takes longer to start than so many records take to check. */
const WORTH_A_THREAD = 20_000;

const YOUNG_MEBIBYTES = 16;

export function checkRecords(expected: number, options: RecordChecksOptions): RecordChecking {
  return expected < WORTH_A_THREAD ? new RecordsHere(options) : new RecordThread(options);
}

class RecordsHere implements RecordChecking {
  readonly #checks: RecordChecks;

  constructor(options: RecordChecksOptions) {
    this.#checks = new RecordChecks(options);
  }

  take(batch: RecordBatch): Promise<RecordFindings> {
    return Promise.resolve(this.#checks.take(batch));
  }

  finish(): Promise<{ findings: RecordFindings; totals: RecordTotals }> {
    const findings = this.#checks.finish();
    return Promise.resolve({ findings, totals: this.#checks.totals() });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface Waiting {
  resolve: (answer: { findings: RecordFindings; totals?: RecordTotals }) => void;
  reject: (error: SallyportError) => void;
}

class RecordThread implements RecordChecking {
  readonly #worker: Worker;
  #waiting: Waiting[] = [];
  #failure: SallyportError | undefined;

  constructor(options: RecordChecksOptions) {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./record-worker.${extension}`, import.meta.url), {
      name: 'records',
      // What a batch leaves behind is collected early, rather than that the heap grows with the number of batches.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEBIBYTES },
    });
    this.#worker.on('message', (answer: FromRecordWorker | undefined) => {
      if (answer !== undefined && 'findings' in answer) this.#waiting.shift()?.resolve(answer);
    });
    this.#worker.on('error', (thrown) => this.#fail(thrown instanceof Error ? thrown.message : String(thrown)));
    this.#worker.on('exit', () => this.#fail('it ended'));
    this.#post({ options });
  }

  async take(batch: RecordBatch): Promise<RecordFindings> {
    return (await this.#ask({ batch })).findings;
  }

  async finish(): Promise<{ findings: RecordFindings; totals: RecordTotals }> {
    const { findings, totals } = await this.#ask('finish');
    if (totals === undefined) throw new SallyportError('INTERNAL', 'The thread that checks records gave no totals');
    return { findings, totals };
  }

  async close(): Promise<void> {
    this.#worker.removeAllListeners('exit');
    await this.#worker.terminate();
  }

  #ask(message: ToRecordWorker): Promise<{ findings: RecordFindings; totals?: RecordTotals }> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#post(message);
    });
  }

  #post(message: ToRecordWorker): void {
    // The bytes are handed over, where they have memory of their own, instead of being copied.
    const bytes = message !== 'finish' && 'batch' in message ? message.batch.bytes : undefined;
    const memory = bytes?.buffer;
    this.#worker.postMessage(message, memory instanceof ArrayBuffer && memory.byteLength === bytes?.byteLength ? [memory] : []);
  }

  #fail(why: string): void {
    this.#failure ??= new SallyportError('INTERNAL', `The thread that checks records failed: ${why}`);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(this.#failure);
  }
}
