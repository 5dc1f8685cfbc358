import { resolve } from 'node:path';
import { isoMicros, systemClock } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { Config } from '../config/types.ts';
import { type ExportedBundle, type ExportProgress, exportBundle } from '../query/bundle/export-bundle.ts';
import { exportQuestion, type QuestionOptions } from '../query/bundle/export-question.ts';
import { Database } from '../store/database.ts';
import { version } from '../version.ts';
import { openExportOffice } from './export-office.ts';
import { writeNewFile } from './new-file.ts';
import type { DataOptions } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { ProgressBar } from './progress-bar.ts';
import { withGateway } from './with-gateway.ts';

export interface ExportOptions extends DataOptions, QuestionOptions {
  output: string;
  force?: boolean;
  unsigned?: boolean;
  json?: boolean;
}

/** Exit code 1 when a part of a recording is damaged and left out; the bundle is there and says so. */
export async function exportCommand(sessions: readonly string[], options: ExportOptions): Promise<number> {
  const question = exportQuestion(sessions, options);
  const config = options.config === undefined ? undefined : (await import('../config.ts')).loadConfig(options.config);
  const directory = directoryOf(options, config);
  const interrupted = new AbortController();
  let signalled: NodeJS.Signals | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    signalled = signal;
    interrupted.abort(new SallyportError('EXPORT_FAILED', 'The export was interrupted; nothing was written', { remedy: 'run it again' }));
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const bar = new ProgressBar();
  try {
    const gateway = { name: config?.gateway.name ?? (await gatewayName(directory)), version };
    const office = await openExportOffice(options, directory, config, gateway);
    let exported: ExportedBundle | undefined;
    let index: number | undefined;
    await writeNewFile(resolve(options.output), options.force === true, async (file) => {
      const database = await Database.openForReading(directory);
      try {
        exported = await exportBundle(database, file, {
          question,
          gateway,
          created: isoMicros(systemClock.wallMicros()),
          ...office,
          progress: (state) => bar.show(state.ofBytes === 0 ? 1 : state.bytes / state.ofBytes, progressWords(state)),
          signal: interrupted.signal,
        });
      } finally {
        await database.close();
      }
      bar.clear();
      interrupted.signal.throwIfAborted();
      // Before the file has its name: a bundle that nobody can know of would be one that nobody has to answer for.
      if (office.unrecorded === undefined) index = await recordExport(options, question.words, question.parameters, exported);
    });
    if (exported === undefined) throw new SallyportError('INTERNAL', 'the export ended without a bundle');
    if (office.unrecorded !== undefined)
      process.stderr.write(`sallyport: this export could not be recorded: ${printable(office.unrecorded)}\n`);
    if (office.attest === undefined) process.stderr.write('sallyport: the bundle is not signed as a whole\n');
    for (const damage of exported.damage) process.stderr.write(`sallyport: left out: ${printable(damage)}\n`);
    await tell(options, exported, index);
    return exported.damage.length > 0 ? 1 : 0;
  } catch (thrown) {
    bar.clear();
    if (signalled === undefined) throw thrown;
    process.stderr.write('sallyport: interrupted; nothing was written\n');
    return signalled === 'SIGINT' ? 130 : 143;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

async function recordExport(
  options: ExportOptions,
  words: string,
  parameters: Record<string, unknown>,
  exported: ExportedBundle,
): Promise<number> {
  const { sessions, records, leftOut, manifest } = exported;
  const { index } = await withGateway(options, 'export.recorded', {
    question: { words, ...parameters },
    sessions,
    records,
    leftOut,
    manifest,
  });
  return index;
}

async function tell(options: ExportOptions, exported: ExportedBundle, index: number | undefined): Promise<void> {
  const { sessions, records, leftOut, manifest } = exported;
  if (options.json === true) {
    await print(
      jsonLine({ file: resolve(options.output), sessions, records, leftOut, manifest, recorded: index ?? null, damage: exported.damage }),
    );
    return;
  }
  await print(
    `${printable(options.output)}: ${count(sessions, 'session')}, ${count(records, 'record')}${leftOut === 0 ? '' : `, ${leftOut} left out`}\n`,
  );
  if (index !== undefined)
    await print(`This export is record ${index} of the ledger; the bundle's tag manifest has the SHA-256 ${manifest}.\n`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function progressWords({ sessions, ofSessions, written }: ExportProgress): string {
  return `${sessions} of ${count(ofSessions, 'session')}, ${(written / 1e6).toFixed(1)} MB written`;
}

function directoryOf(options: DataOptions, config: Config | undefined): string {
  const directory = options.data ?? config?.gateway.data;
  if (directory !== undefined) return directory;
  throw new SallyportError('USAGE', 'It is not said which data to read', { remedy: 'add --data DIR, or --config FILE of the gateway' });
}

/** As the gateway called itself when it last started; a copy of its data may be read on another machine. */
async function gatewayName(directory: string): Promise<string> {
  const database = await Database.openForReading(directory);
  try {
    const [row] = await database.period.latest(['gateway.start'], Number.MAX_SAFE_INTEGER);
    const record =
      row?.bytes == null ? undefined : (JSON.parse(Buffer.from(row.bytes).toString('utf8')) as { target?: { name?: unknown } });
    return typeof record?.target?.name === 'string' ? record.target.name : 'unknown';
  } finally {
    await database.close();
  }
}
