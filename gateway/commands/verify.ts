import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { Finding } from '../query/verify/finding.ts';
import { FindingsLog } from '../query/verify/findings-log.ts';
import type { Outcome } from '../query/verify/outcome.ts';
import { findingLine, verdictLines } from '../query/verify/verdict.ts';
import { type DataOptions, dataDirectory } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { ProgressBar } from './progress-bar.ts';

export interface VerifyCommandOptions extends DataOptions {
  checkpoint?: string;
  key?: string;
  json?: boolean;
}

/** Exit code 1 when anything is wrong with the evidence. */
export async function verifyCommand(file: string | undefined, options: VerifyCommandOptions): Promise<number> {
  const log = new FindingsLog();
  const notices: Finding[] = [];
  const bar = new ProgressBar();
  let printing = Promise.resolve();
  const tell = (text: string): void => {
    bar.clear();
    printing = printing.then(() => print(text));
  };
  const report = (finding: Finding): void => {
    if (!log.take(finding)) return;
    if (options.json === true) tell(jsonLine({ finding }));
    else if (finding.severity === 'notice') notices.push(finding);
    else tell(`${printable(findingLine(finding))}\n`);
  };
  const { checkpoint, key } = options;
  const outcome = await verify(file, options, report, {
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(key === undefined ? {} : { key }),
    progress: (done, total) => bar.show(total === 0 ? 1 : done / total, `${done} of ${total} ${file === undefined ? 'records' : 'bytes'}`),
  });
  bar.clear();
  for (const notice of notices) tell(`${printable(findingLine(notice))}\n`);
  for (const { code, severity, more } of log.untold())
    if (options.json !== true) tell(`${severity === 'fault' ? 'FAULT ' : 'note  '} ${code.padEnd(12)} and ${more} more of this kind.\n`);
  await printing;
  if (options.json === true) await print(jsonLine({ summary: summaryOf(outcome, log) }));
  else
    await print(
      `${log.faults + log.notices === 0 ? '' : '\n'}${verdictLines(outcome, log.faults, log.notices)
        .map((line) => `${printable(line)}\n`)
        .join('')}`,
    );
  return log.faults === 0 ? 0 : 1;
}

async function verify(
  file: string | undefined,
  options: VerifyCommandOptions,
  report: (finding: Finding) => void,
  how: { checkpoint?: string; key?: string; progress: (done: number, total: number) => void },
): Promise<Outcome> {
  if (file === undefined) {
    const { verifyDataDirectory } = await import('../query/verify/verify-data-directory.ts');
    return verifyDataDirectory(await dataDirectory(options), how, report);
  }
  if (options.data !== undefined || options.config !== undefined)
    throw new SallyportError('USAGE', 'A bundle is verified by itself', { remedy: 'leave out --data and --config, or the file' });
  const { verifyBundle } = await import('../query/verify/verify-bundle.ts');
  return verifyBundle(file, how, report);
}

function summaryOf({ kind, where, records, ledger, key, compared, files, bytes }: Outcome, log: FindingsLog): object {
  return {
    verdict: log.faults === 0 ? 'intact' : 'not intact',
    faults: log.faults,
    notices: log.notices,
    counts: Object.fromEntries([...log.counts].map(([code, { count }]) => [code, count])),
    kind,
    where,
    records: records.records,
    sessions: records.sessions,
    channels: records.channels,
    segments: records.segments,
    first: records.first ?? null,
    last: records.last ?? null,
    files,
    bytes,
    approvals: records.approvals,
    signOffs: records.signOffs,
    erased: records.erased,
    holds: records.holds,
    ledger: ledger === undefined ? null : { ...ledger, root: Buffer.from(ledger.root).toString('base64') },
    key: key ?? null,
    compared: compared ?? null,
  };
}
