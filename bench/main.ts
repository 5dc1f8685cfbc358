import { parseArgs } from 'node:util';
import { Belongings } from '../test/support/temp.ts';
import { rows } from './rows.ts';
import type { RowResult } from './support/measurement.ts';
import { jsonLine, table } from './support/print.ts';
import type { Row, RowOptions } from './support/row.ts';

const usage = `usage: npm run bench -- NAME... [options]

${rows.map((row) => `  ${row.name.padEnd(14)} ${row.what}`).join('\n')}
  all            every one of them

  --json         one object a row on standard output; the table goes to standard error
  --extras       with --json: the measurements that explain a row too, one object each, after it
  --runs N       runs of each side, alternating (default 5, at least 5 unless --quick)
  --sessions N   concurrent sessions of ssh-sessions (default 300)
  --profile DIR  CPU profiles of the gateway's threads into DIR
  --quick        small sizes and few runs, to try the harness; the figures mean nothing
`;

const leastRuns = 5;

interface Wanted {
  readonly rows: readonly Row[];
  readonly json: boolean;
  readonly extras: boolean;
  readonly options: RowOptions;
}

function readArguments(args: readonly string[]): Wanted {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      extras: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      sessions: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const names = positionals.includes('all') ? rows.map((row) => row.name) : positionals;
  if (names.length === 0) throw new Error('name at least one row');
  const quick = values.quick;
  const runs = values.runs === undefined ? (quick ? 2 : leastRuns) : wholeNumber('--runs', values.runs);
  if (runs < leastRuns && !quick)
    throw new Error(`--runs ${runs}: fewer than ${leastRuns} runs tell nothing on a noisy machine (--quick allows it)`);
  const sessions = values.sessions === undefined ? (quick ? 10 : 300) : wholeNumber('--sessions', values.sessions);
  return {
    rows: names.map(rowNamed),
    json: values.json,
    extras: values.extras,
    options: { runs, quick, sessions, say, ...(values.profile === undefined ? {} : { profile: values.profile }) },
  };
}

function rowNamed(name: string): Row {
  const found = rows.find((row) => row.name === name);
  if (found === undefined) throw new Error(`there is no row "${name}"`);
  return found;
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${option} wants a whole number above 0, not "${text}"`);
  return Number(text);
}

function say(what: string): void {
  process.stderr.write(`  ${what}\n`);
}

/** Measures one row and ends everything that it started, whether it went well or not, and on Ctrl-C. */
async function measure(row: Row, options: RowOptions): Promise<RowResult> {
  const belongings = new Belongings();
  const endEarly = (why: string, status: number) => {
    process.stderr.write(`${why}: ending what the benchmark started\n`);
    belongings.release().then(
      () => process.exit(status),
      (error: unknown) => {
        process.stderr.write(`${describe(error)}\n`);
        process.exit(1);
      },
    );
  };
  const interrupted = (signal: NodeJS.Signals) => endEarly(signal, 130);
  const defect = (error: unknown) => endEarly(describe(error), 1);
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted).on('uncaughtException', defect);
  try {
    process.stderr.write(`${row.name}: ${row.what}\n`);
    return await row.run(belongings, options);
  } finally {
    await belongings.release();
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted).off('uncaughtException', defect);
  }
}

function print(result: RowResult, wanted: Wanted): void {
  const text = `\n${table([result.main, ...result.extras])}\n\n`;
  if (!wanted.json) {
    process.stdout.write(text);
    return;
  }
  process.stderr.write(text);
  const lines = wanted.extras ? [result.main, ...result.extras] : [result.main];
  for (const measurement of lines) process.stdout.write(`${jsonLine(measurement)}\n`);
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return [error.message, ...error.errors.map(describe)].join('\n');
  return error instanceof Error ? error.message : String(error);
}

async function main(args: readonly string[]): Promise<number> {
  let wanted: Wanted;
  try {
    wanted = readArguments(args);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n\n${usage}`);
    return 2;
  }
  if (wanted.options.quick) process.stderr.write('a quick look at the harness: the figures mean nothing\n');
  let failed = 0;
  for (const row of wanted.rows) {
    try {
      print(await measure(row, wanted.options), wanted);
    } catch (error) {
      process.stderr.write(`${row.name}: ${describe(error)}\n`);
      failed += 1;
    }
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
