import { Worker } from 'node:worker_threads';
import { asSallyportError, SallyportError } from '../../base/errors.ts';
import type { JobAnswer, JobKind, JobMessage, JobProgress, Jobs } from './job.ts';

/** Of the thread's heap; it ends when it needs more. Of it, what is just made. */
const MOST_MEGABYTES = 512;
const YOUNG_MEGABYTES = 24;

export interface JobHost {
  /** Ends the thread, whatever it does. */
  readonly signal: AbortSignal;
  readonly progress?: (progress: JobProgress) => void;
  /** Signs what a bundle consists of. */
  readonly attest?: (tagManifest: string, question: Record<string, unknown>) => Promise<string>;
}

/**
 * Has a job done by a thread of its own, at a lower priority than the one that relays. Rejects with what the job throws,
 * with the reason of the signal, and with INTERNAL when the thread dies. Whatever it wrote is the caller's to delete then.
 */
export async function runJob<K extends JobKind>(kind: K, input: Jobs[K]['input'], host: JobHost): Promise<Jobs[K]['result']> {
  host.signal.throwIfAborted();
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./job-worker.${extension}`, import.meta.url), {
    name: kind,
    workerData: { kind, input },
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES, maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
  });
  let end: (() => void) | undefined;
  try {
    return (await new Promise<unknown>((resolve, reject) => {
      end = () => reject(host.signal.reason instanceof Error ? host.signal.reason : new SallyportError('CONFLICT', `${kind} was ended`));
      host.signal.addEventListener('abort', end, { once: true });
      worker.on('error', (thrown: unknown) => reject(died(kind, thrown instanceof Error ? thrown.message : String(thrown))));
      worker.on('exit', () => reject(died(kind, 'it ended')));
      worker.on('message', (message: JobMessage) => {
        if (message.kind === 'progress') host.progress?.(message.progress);
        else if (message.kind === 'attest') void attest(host, message).then((answer) => worker.postMessage(answer, []));
        else if (message.kind === 'done') resolve(message.result);
        else reject(new SallyportError(message.code, message.message, message.remedy === undefined ? {} : { remedy: message.remedy }));
      });
    })) as Jobs[K]['result'];
  } finally {
    if (end !== undefined) host.signal.removeEventListener('abort', end);
    worker.removeAllListeners('exit');
    await worker.terminate();
  }
}

async function attest({ attest }: JobHost, { tagManifest, question }: JobMessage & { kind: 'attest' }): Promise<JobAnswer> {
  try {
    if (attest === undefined) throw new TypeError('nobody signs here');
    return { kind: 'attested', envelope: await attest(tagManifest, question) };
  } catch (thrown) {
    return { kind: 'refused', why: asSallyportError(thrown).message };
  }
}

function died(kind: JobKind, why: string): SallyportError {
  return new SallyportError('INTERNAL', `the thread of ${kind} failed: ${why}`);
}
