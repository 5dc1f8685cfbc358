import { systemClock } from '../../gateway/base/clock.ts';
import { createLog } from '../../gateway/base/log.ts';
import { loadConfig } from '../../gateway/config.ts';
import { openEvidence } from '../../gateway/evidence.ts';
import type { WriterAnswer, WriterRequest } from './record-writer-messages.ts';
import { recordsOfSessions } from './session-records.ts';

/*
 * A gateway's records, database and ledger without its listeners: `record-writer.ts CONFIG`. Appends what it is asked for
 * over IPC, exactly as the gateway does.
 */

/** Records that wait at any time, as of many sessions at once. */
const AT_ONCE = 4096;

const config = loadConfig(process.argv[2] ?? '');
const evidence = await openEvidence(config, config.gateway.data, { clock: systemClock, log: createLog('warn') });
const drafts = recordsOfSessions();

/** Appends `count` records, `atOnce` of them waiting at any time; rejects with the first that fails. */
async function append(count: number, atOnce: number): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await evidence.records.append(drafts.next().value);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one));
}

async function measured(count: number): Promise<WriterAnswer> {
  const began = performance.now();
  const [main, all] = [process.threadCpuUsage(), process.cpuUsage()];
  await append(count, AT_ONCE);
  const millis = performance.now() - began;
  const [mainUsed, allUsed] = [process.threadCpuUsage(main), process.cpuUsage(all)];
  await evidence.ledger.signed();
  const signedAfter = performance.now() - began - millis;
  const micros = (used: NodeJS.CpuUsage) => (used.user + used.system) / count;
  return { done: 'append', millis, mainMicros: micros(mainUsed), allMicros: micros(allUsed), signedAfter };
}

async function lone(count: number): Promise<WriterAnswer> {
  const millis: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const began = performance.now();
    await append(1, 1);
    millis.push(performance.now() - began);
  }
  return { done: 'lone', millis };
}

async function close(): Promise<WriterAnswer> {
  const records = await evidence.database.records.count();
  await evidence.close();
  return { done: 'close', records };
}

function perform(request: WriterRequest): Promise<WriterAnswer> {
  if (request.do === 'append') return measured(request.count);
  return request.do === 'lone' ? lone(request.count) : close();
}

process.on('message', (request: WriterRequest) => {
  perform(request).then(
    (answer) => {
      process.send?.(answer);
      if (answer.done === 'close') process.disconnect();
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
});
