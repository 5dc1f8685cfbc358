import { existsSync, readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { asSallyportError, SallyportError } from '../../base/errors.ts';
import { verifySession } from '../verify/verify-session.ts';
import { verifyAll } from '../verify/whole-verification.ts';
import { answer, answerAsCsv } from './answer-job.ts';
import { exportJob } from './export-job.ts';
import type { JobAnswer, JobKind, JobMessage, JobProgress, Jobs } from './job.ts';

/** The thread that does one job and ends. */

const LOWER_PRIORITY = 10;
/** Progress is told so often at most. */
const TELL_MILLIS = 100;

// Linux schedules threads like processes, and os.setPriority takes a thread's id.
const THREAD_SELF = '/proc/thread-self';
if (existsSync(THREAD_SELF)) setPriority(Number(readlinkSync(THREAD_SELF).split('/').at(-1)), LOWER_PRIORITY);

const port = parentPort;
if (port === null) throw new Error('job-worker.ts only runs as a worker thread');

type Given = { [K in JobKind]: { kind: K; input: Jobs[K]['input'] } }[JobKind];

const tell = (message: JobMessage): void => port.postMessage(message);

let told = 0;
const progress = (state: JobProgress): void => {
  const now = performance.now();
  if (now - told < TELL_MILLIS) return;
  told = now;
  tell({ kind: 'progress', progress: state });
};

const attest = (tagManifest: string, question: Record<string, unknown>): Promise<string> =>
  new Promise((resolve, reject) => {
    port.once('message', (answered: JobAnswer) => {
      if (answered.kind === 'attested') resolve(answered.envelope);
      else reject(new SallyportError('EXPORT_UNSIGNED', `The bundle could not be signed: ${answered.why}`));
    });
    tell({ kind: 'attest', tagManifest, question });
  });

function work(given: Given): Promise<unknown> {
  switch (given.kind) {
    case 'verify-all':
      return verifyAll(given.input.directory, given.input.key, progress);
    case 'verify-session':
      return verifySession(given.input.directory, given.input.session, given.input.key);
    case 'ask':
      return answer(given.input);
    case 'ask-csv':
      return answerAsCsv(given.input);
    case 'export':
      return exportJob(given.input, { progress, attest });
    default:
      return Promise.reject(new TypeError('there is no such job'));
  }
}

try {
  const result = await work(workerData as Given);
  tell({ kind: 'done', result });
} catch (thrown) {
  const { code, message, remedy } = asSallyportError(thrown);
  tell({ kind: 'failed', code, message, remedy });
}
