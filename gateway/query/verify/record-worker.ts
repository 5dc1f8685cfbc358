import { parentPort } from 'node:worker_threads';
import { type RecordBatch, RecordChecks, type RecordChecksOptions, type RecordFindings, type RecordTotals } from './record-checks.ts';

/** The thread that checks what records say, while the other one hashes them and follows the tree. */

export type ToRecordWorker = { options: RecordChecksOptions } | { batch: RecordBatch } | 'finish';
export type FromRecordWorker = { findings: RecordFindings; totals?: RecordTotals } | { failed: string };

const port = parentPort;
if (port === null) throw new Error('record-worker.ts only runs as a worker thread');

let checks = new RecordChecks();

port.on('message', (message: ToRecordWorker) => {
  port.postMessage(answer(message));
});

function answer(message: ToRecordWorker): FromRecordWorker | undefined {
  if (message === 'finish') {
    const findings = checks.finish();
    return { findings, totals: checks.totals() };
  }
  if ('batch' in message) return { findings: checks.take(message.batch) };
  checks = new RecordChecks(message.options);
  return undefined;
}
