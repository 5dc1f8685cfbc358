import type { OperationOutput } from '../../contract/operator-api.ts';
import { isoMicros, systemClock } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { previewRetention, type RetentionPreview } from '../retention/preview.ts';
import { retentionTerms } from '../retention/retention-terms.ts';
import { bytesInWords } from './bytes-in-words.ts';
import { confirm } from './confirm.ts';
import { type DataOptions, withData } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { withGateway } from './with-gateway.ts';

export interface RetentionOptions extends DataOptions {
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

type Outcome = OperationOutput<'retention.run'>;

/** What a person sees of a long list; programs get all of it. */
const SHOWN = 50;

export async function runRetention(options: RetentionOptions): Promise<number> {
  const dryRun = options.dryRun === true;
  if (!dryRun) await confirm('recordings and records whose time is over are deleted for good.', options);
  const outcome = await withGateway(options, 'retention.run', { dryRun });
  await print(options.json === true ? jsonLine(outcome) : outcomeText(outcome));
  return 0;
}

export async function showRetention(options: DataOptions & { days?: number; json?: boolean }): Promise<number> {
  if (options.config === undefined) {
    throw new SallyportError('USAGE', 'How long recordings are kept stands in the configuration of the gateway', {
      remedy: 'add --config FILE',
    });
  }
  const { loadConfig } = await import('../config.ts');
  const terms = retentionTerms(loadConfig(options.config));
  return withData(options, async (database) => {
    const now = systemClock.wallMicros();
    const preview = await previewRetention(database, terms, now);
    if (options.json === true) await print(jsonLine(preview));
    else await print(previewText(preview, isoMicros(now)));
    return 0;
  });
}

function outcomeText({ dryRun, expired, held, records, bytes }: Outcome): string {
  const would = dryRun ? 'would expire' : 'expired';
  const lines = [
    `${sessionsInWords(expired.length)} ${would}${listed(expired)}`,
    ...(held.length === 0
      ? []
      : [`${sessionsInWords(held.length)} ${held.length === 1 ? 'is' : 'are'} over their time and held${listed(held)}`]),
    `${records} ${records === 1 ? 'record' : 'records'} of refused connections ${dryRun ? 'would be erased' : 'erased'}`,
    `${bytesInWords(bytes)} ${dryRun ? 'would be given back' : 'given back'}`,
    ...(dryRun ? ['Nothing was changed: this was a dry run.'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function listed(rows: Outcome['expired']): string {
  const lines = rows
    .slice(0, SHOWN)
    .map((row) => `\n  ${row.session}  ${row.started.slice(0, 10)}  ${printable(`${row.principal} at ${row.target}`)}`);
  return `${rows.length === 0 ? '' : ':'}${lines.join('')}${rows.length > SHOWN ? `\n  … and ${rows.length - SHOWN} more (--json lists all)` : ''}`;
}

function previewText({ targets, refusals, holds, lastRun }: RetentionPreview, now: string): string {
  const rows = targets.map((row) => [
    printable(row.target),
    `${row.days} days`,
    String(row.sessions),
    String(row.due),
    row.next === null ? '-' : row.next.slice(0, 10),
    String(row.held),
  ]);
  const table = [['TARGET', 'KEPT', 'SESSIONS', 'DUE', 'NEXT EXPIRES', 'HELD'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
  const lines = table.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const ran = lastRun === null ? 'It has not run yet.' : `It ran last at ${lastRun}.`;
  return [
    ...lines,
    '',
    `Refused connections: ${refusals.records} on record, kept for ${refusals.days} days, ${refusals.due} due.`,
    `Holds in force: ${holds}.`,
    `${ran} It is now ${now}.`,
    '',
  ].join('\n');
}

function sessionsInWords(count: number): string {
  return `${count} ${count === 1 ? 'session' : 'sessions'}`;
}
