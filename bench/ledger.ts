import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processFacts } from '../test/support/processes.ts';
import { plainEnvironment } from '../test/support/run.ts';
import type { Belongings } from '../test/support/temp.ts';
import { RecordWriter } from './support/forked.ts';
import { judged, type Measurement, report } from './support/measurement.ts';
import type { Row } from './support/row.ts';
import { median, quantile } from './support/statistics.ts';

const appendGoal = 50_000;
const verifyGoalSeconds = 10;
/** Memory of `verify` at the largest size, as a multiple of that at a tenth of it, that still counts as flat. */
const flat = 1.5;
const mebibyte = 1024 * 1024;
const main = join(import.meta.dirname, '../gateway/main.ts');

/** Row 12: appending records durably, in bursts and one by one, while the ledger grows; verifying all of it. */
export const ledger: Row = {
  row: 12,
  name: 'ledger',
  what: 'records appended durably and signed, from 10³ to 10⁶ of them; verify',
  async run(belongings, { quick, runs, say }) {
    const burst = quick ? 5_000 : 100_000;
    const rates: number[] = [];
    const mainMicros: number[] = [];
    const allMicros: number[] = [];
    const signedAfter: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const writer = new RecordWriter(belongings, configuration(belongings));
      await writer.ask({ do: 'append', count: burst / 5 }); // Compiles what is hot.
      const appended = await writer.ask({ do: 'append', count: burst });
      await writer.ask({ do: 'close' });
      rates.push((burst / appended.millis) * 1000);
      mainMicros.push(appended.mainMicros);
      allMicros.push(appended.allMicros);
      signedAfter.push(appended.signedAfter);
      say(`burst ${run + 1} of ${runs}: ${Math.round(rates.at(-1) ?? 0)} records/s`);
    }
    const rate = report({
      row: 12,
      name: 'ledger',
      unit: 'records/s',
      values: rates,
      note: `bursts of ${burst}, each record durable when it counts`,
    });
    const growth = await grow(belongings, quick ? [1000, 4000] : [1e3, 1e4, 1e5, 1e6], say);
    const verified = growth.verify.at(-1);
    const [before, last] = growth.memory.slice(-2).map(({ ours }) => ours.median);
    const isFlat = before !== undefined && last !== undefined && last <= flat * before;
    const met = median(rates) >= appendGoal && verified !== undefined && verified.ours.median <= verifyGoalSeconds && isFlat;
    return {
      main: judged(rate, `≥ ${appendGoal}/s; verify of 1 M ≤ ${verifyGoalSeconds} s in flat memory`, met),
      extras: [
        report({ row: 12, name: 'ledger main thread', unit: 'µs/record', values: mainMicros, note: 'processor time' }),
        report({ row: 12, name: 'ledger all threads', unit: 'µs/record', values: allMicros, note: 'processor time' }),
        report({
          row: 12,
          name: 'ledger signed after',
          unit: 'ms',
          values: signedAfter,
          note: 'from the last record of a burst to a checkpoint over it',
        }),
        ...growth.append,
        ...growth.verify,
        ...growth.memory,
      ],
    };
  },
};

interface Growth {
  readonly append: Measurement[];
  readonly verify: Measurement[];
  readonly memory: Measurement[];
}

/** One directory that grows; at each size a few records one by one, and `verify` of everything so far. */
async function grow(belongings: Belongings, sizes: readonly number[], say: (what: string) => void): Promise<Growth> {
  const growth: Growth = { append: [], verify: [], memory: [] };
  const config = configuration(belongings);
  let there = 1; // The record that the ledger begins with.
  for (const size of sizes) {
    const began = performance.now();
    const writer = new RecordWriter(belongings, config);
    const { millis } = await writer.ask({ do: 'lone', count: 200 });
    const opened = performance.now() - began - millis.reduce((sum, one) => sum + one, 0);
    const count = size - there - millis.length;
    const appended = await writer.ask({ do: 'append', count });
    there = (await writer.ask({ do: 'close' })).records;
    const at = `at ${there}`;
    const rate = (count / appended.millis) * 1000;
    const note = `p99 ${quantile(millis, 0.99).toFixed(2)} ms, before the ${count} that followed at ${Math.round(rate)}/s; the process began in ${Math.round(opened)} ms`;
    growth.append.push(report({ row: 12, name: `ledger lone append ${at}`, unit: 'ms', values: millis, note }));
    const verified = await verify(join(config, '../data'));
    growth.verify.push(
      report({
        row: 12,
        name: `ledger verify ${at}`,
        unit: 's',
        values: [verified.seconds],
        note: 'sallyport verify, from its start to its end',
      }),
    );
    growth.memory.push(report({ row: 12, name: `ledger verify memory ${at}`, unit: 'MiB', values: [verified.peak / mebibyte] }));
    say(
      `${there} records: ${Math.round(rate)}/s, verified in ${verified.seconds.toFixed(1)} s with ${Math.round(verified.peak / mebibyte)} MiB`,
    );
  }
  return growth;
}

function configuration(belongings: Belongings): string {
  const directory = belongings.directory('bench-ledger');
  const path = join(directory, 'gateway.yaml');
  writeFileSync(path, 'gateway: { listen: { ssh: "127.0.0.1:0" }, data: ./data, name: bench }\n');
  return path;
}

/** The command as anybody runs it. Throws when it finds a fault: then its time means nothing. */
async function verify(data: string): Promise<{ seconds: number; peak: number }> {
  const began = performance.now();
  const child = spawn(process.execPath, [main, 'verify', '--data', data], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const exited = once(child, 'exit');
  let peak = 0;
  const over = new AbortController();
  const watching = watchMemory(() => {
    if (child.pid !== undefined) peak = Math.max(peak, processFacts(child.pid).residentPeak);
  }, over.signal);
  const [status] = (await exited) as [number | null];
  const seconds = (performance.now() - began) / 1000;
  over.abort();
  await watching;
  if (status !== 0) throw new Error(`verify of the records that were just written ended with ${status}:\n${said}`);
  return { seconds, peak };
}

async function watchMemory(look: () => void, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    try {
      look();
    } catch {
      // It has ended between two looks.
    }
    await delay(20, undefined, { signal: over }).catch(() => undefined);
  }
}
