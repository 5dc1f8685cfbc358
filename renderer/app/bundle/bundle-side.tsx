import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';
import type { BundlePage } from '../../../contract/bundle-page.ts';
import { printable } from '../../bundle-page/interface/printable.ts';
import { completenessWords } from '../../bundle-page/screens/completeness.ts';
import type { Finding, Step } from '../../evidence/step.ts';
import { number } from '../design/format.ts';
import { Facts } from '../design/pane.tsx';
import { StepList } from '../design/step-list.tsx';
import classes from './bundle.module.css';
import type { BundleProgress } from './bundle-messages.ts';
import { CheckpointForm } from './checkpoint-form.tsx';
import type { OpenedBundle } from './opened-bundle.ts';
import { ToldTime } from './told-time.tsx';
import { tookWords } from './verdict.ts';

const SHOWN_FINDINGS = 50;

/** What was verified, step by step, and what the bundle says of itself. */
export function BundleSide({
  bundle,
  page,
  progress,
  choose,
}: {
  bundle: OpenedBundle;
  page: BundlePage | undefined;
  progress: BundleProgress | undefined;
  choose: (session: string) => void;
}) {
  return (
    <Tabs defaultValue="steps" keepMounted={false} className={classes.tabs ?? ''}>
      <Tabs.List>
        <Tabs.Tab value="steps">Verification</Tabs.Tab>
        {page !== undefined && <Tabs.Tab value="about">What it holds</Tabs.Tab>}
      </Tabs.List>
      <Tabs.Panel value="steps" className={classes.panel ?? ''} tabIndex={0}>
        <StepList label="Steps of the verification" steps={(progress?.steps ?? []).map((step) => shown(step, choose))} />
        <CheckpointForm bundle={bundle} ready={progress?.finished === true} origin={page?.ledger.origin} />
        <p className={classes.note}>
          Whose key signed this, no file can prove. Compare{' '}
          {progress?.key === undefined ? 'the key' : <b className="mono">{progress.key.id}</b>} of the log with what the gateway’s operator
          told you another way. Without this app, <span className="mono">sh data/verify.sh</span> in the unpacked bundle makes the same
          steps.
        </p>
      </Tabs.Panel>
      {page !== undefined && (
        <Tabs.Panel value="about" className={classes.panel ?? ''} tabIndex={0}>
          <About page={page} progress={progress} />
        </Tabs.Panel>
      )}
    </Tabs>
  );
}

function shown({ id, title, proves, limits, state, result, findings, more, progress, tookMs }: Step, choose: (session: string) => void) {
  const ended = state !== 'waiting' && state !== 'running';
  const rest = findings.length - SHOWN_FINDINGS + more;
  return {
    id,
    title,
    state,
    result: printable(result),
    progress,
    took: ended ? tookWords(tookMs) : undefined,
    version: findings.length + more,
    details: () => (
      <>
        {findings.length > 0 && (
          <ul>
            {findings.slice(0, SHOWN_FINDINGS).map((finding, at) => (
              // Findings have no names, and are only ever added to.
              // biome-ignore lint/suspicious/noArrayIndexKey: see above
              <li key={at}>
                <FindingLine finding={finding} choose={choose} />
              </li>
            ))}
            {rest > 0 && <li>and {number(rest)} more</li>}
          </ul>
        )}
        <p>{proves}</p>
        <p className="faint">{limits}</p>
      </>
    ),
  };
}

function FindingLine({ finding: { words, session }, choose }: { finding: Finding; choose: (session: string) => void }) {
  if (session === undefined) return printable(words);
  return (
    <button type="button" className={classes.finding} onClick={() => choose(session)}>
      {printable(words)}
    </button>
  );
}

function About({ page, progress }: { page: BundlePage; progress: BundleProgress | undefined }) {
  const facts: (readonly [string, ReactNode])[] = [
    ['Gateway', `${printable(page.gateway.name)}, Sallyport ${printable(page.gateway.version)}`],
    ['Written', <ToldTime key="written" time={page.created} />],
    ['Question', printable(page.question.words)],
    ['Log', printable(page.ledger.origin)],
    ...(progress?.checkpoint === undefined ? [] : [['Checkpoint', `${number(progress.checkpoint.size)} entries`] as const]),
    ...(progress?.key === undefined
      ? []
      : [
          [
            'Key',
            <span key="key" className="mono">
              {progress.key.id}
            </span>,
          ] as const,
        ]),
  ];
  return (
    <>
      <Facts facts={facts} />
      <div className={classes.words}>
        {completenessWords(page).map((words) => (
          <p key={words}>{words}</p>
        ))}
        {page.notes.map((note) => (
          <p key={note} className={classes.told}>
            {printable(note)}
          </p>
        ))}
        {page.completeness.leftOut.slice(0, 100).map(({ session, reason }) => (
          <p key={session} className="muted">
            <span className="mono">{printable(session.slice(0, 8))}</span> left out: {printable(reason)}
          </p>
        ))}
      </div>
    </>
  );
}
