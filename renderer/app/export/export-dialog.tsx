import { Button, Progress } from '@mantine/core';
import { useState } from 'react';
import type { ExportState } from '../../../contract/operations/audit.ts';
import type { OperationInput } from '../../../contract/operator-api.ts';
import { useHasRole } from '../client/operator-context.tsx';
import { asProblem, type Problem } from '../client/problem.ts';
import { useAsk } from '../client/queries.ts';
import { Dialog } from '../design/dialog.tsx';
import { byteSize, counting, shortDateTime, utc } from '../design/format.ts';
import { useHost } from '../host/host-context.tsx';
import classes from './export.module.css';
import { type ExportQuestion, useExport } from './use-export.ts';

/** Sessions by their ids, or by what is asked of them. */
export type ExportChoice = Omit<Partial<OperationInput<'export.start'>>, 'sessions'>;

export interface ExportDialogProps {
  readonly sessions?: readonly string[];
  readonly choice?: ExportChoice;
  readonly onClose: () => void;
}

/** Evidence to take away: what will be in it, how far it is, and how whoever gets it can check it. */
export function ExportDialog({ sessions, choice = {}, onClose }: ExportDialogProps) {
  const mayExport = useHasRole('auditor', 'admin');
  const { state, problem, starting, start, cancel } = useExport();
  const running = state?.state === 'running';
  const question: ExportQuestion = sessions === undefined ? choice : { sessions: [...sessions] };
  const close = () => {
    if (running) cancel();
    onClose();
  };
  return (
    <Dialog title="Export a bundle" size={560} onClose={close} closeOnClickOutside={!running}>
      <div className={classes.dialog}>
        {!mayExport ? (
          <p role="alert">Evidence is handed out by auditors and admins. Ask somebody who has that role.</p>
        ) : state === undefined ? (
          <Before sessions={sessions} choice={choice} starting={starting} start={() => start(question)} close={close} />
        ) : (
          <Underway state={state} cancel={cancel} again={() => start(question)} close={close} />
        )}
        {problem !== undefined && <Fault problem={problem} />}
      </div>
    </Dialog>
  );
}

function Before({
  sessions,
  choice,
  starting,
  start,
  close,
}: {
  sessions: readonly string[] | undefined;
  choice: ExportChoice;
  starting: boolean;
  start: () => void;
  close: () => void;
}) {
  const found = useAsk('session.list', { ...choice, limit: 1, detailed: true }, { enabled: sessions === undefined });
  const total = sessions?.length ?? found.data?.total;
  const nothing = total === 0 || (found.data !== undefined && found.data.sessions.length === 0);
  return (
    <>
      <p className={classes.count} role="status">
        {nothing
          ? 'No session answers this'
          : total !== undefined
            ? counting(total, 'session')
            : found.error !== null
              ? 'How many sessions it will hold cannot be told now'
              : found.data !== undefined
                ? 'All sessions that answer this'
                : 'Counting the sessions…'}
        {sessions === undefined && <span className="muted"> {wordsOf(choice)}</span>}
      </p>
      <ul className={classes.holds}>
        <li>their recordings, transcripts and records, as they were sealed</li>
        <li>the part of the ledger that proves them, with its signed checkpoint and the public keys</li>
        <li>the approvals with the signatures of the reviewers</li>
        <li>a page that replays and verifies all of it by double click, and a script that does with openssl alone</li>
      </ul>
      <p className="muted">Secrets that were never recorded are not in it. That it was exported, by whom and with what, is on record.</p>
      <div className={classes.actions}>
        <Button onClick={close}>Not now</Button>
        <Button color="teal" variant={nothing ? 'default' : 'filled'} loading={starting} disabled={nothing} onClick={start} data-autofocus>
          Write the bundle
        </Button>
      </div>
    </>
  );
}

function wordsOf({ from, to, state, ...others }: ExportChoice): string {
  const parts = Object.entries(others)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name === 'onBehalfOf' ? 'for' : name} ${String(value)}`);
  if (state !== undefined) parts.push(state);
  if (from !== undefined) parts.push(`from ${dayOf(from)}`);
  if (to !== undefined) parts.push(`before ${dayOf(to)}`);
  return parts.length === 0 ? 'of all time' : parts.join(', ');
}

function dayOf(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : shortDateTime(time);
}

function Underway({ state, cancel, again, close }: { state: ExportState; cancel: () => void; again: () => void; close: () => void }) {
  switch (state.state) {
    case 'running':
      return (
        <>
          <p className={classes.count} role="status">
            {state.done} of {counting(state.sessions, 'session')} written, {byteSize(state.bytes)}
          </p>
          <Progress value={state.sessions === 0 ? 0 : (state.done / state.sessions) * 100} aria-label="Progress of the export" animated />
          <p className="muted">It is written at the gateway first. Closing this ends it.</p>
          <div className={classes.actions}>
            <Button onClick={cancel}>Cancel the export</Button>
          </div>
        </>
      );
    case 'ready':
      return <Ready state={state} close={close} />;
    default:
      return (
        <>
          <p className={classes.count} role="alert">
            {state.state === 'failed' ? 'The bundle could not be written' : 'The export was cancelled'}
          </p>
          <p>{state.fault ?? 'Nothing of it is left at the gateway.'}</p>
          <div className={classes.actions}>
            <Button onClick={close}>Close</Button>
            <Button color="teal" variant="filled" onClick={again}>
              Try again
            </Button>
          </div>
        </>
      );
  }
}

function Ready({ state, close }: { state: ExportState; close: () => void }) {
  const host = useHost();
  const [saved, setSaved] = useState<'saving' | 'saved' | { problem: Problem }>();
  const [copied, setCopied] = useState<string>();
  const save = () => {
    setSaved('saving');
    host.save(state.name, `/api/exports/${state.export}/bundle.zip`).then(
      () => setSaved('saved'),
      (thrown: unknown) => setSaved({ problem: asProblem(thrown) }),
    );
  };
  const sha256 = state.sha256 ?? '';
  return (
    <>
      <p className={classes.count} role="status">
        <span className={classes.good}>✓ Written:</span> {counting(state.sessions, 'session')}, {byteSize(state.bytes)}
      </p>
      <dl className={classes.facts}>
        <dt>File</dt>
        <dd className="mono">{state.name}</dd>
        <dt>SHA-256</dt>
        <dd>
          <code className="mono">{sha256}</code>
          <Button
            size="compact-xs"
            onClick={() =>
              void host.copy(sha256).then(
                () => setCopied('Copied'),
                () => setCopied('Select it and copy'),
              )
            }
          >
            {copied ?? 'Copy'}
          </Button>
        </dd>
        {state.expires !== null && (
          <>
            <dt>To be had until</dt>
            <dd title={utc(state.expires)}>{shortDateTime(state.expires)}</dd>
          </>
        )}
      </dl>
      <p className="muted">
        Note the SHA-256 where the file cannot be changed with it. Whoever gets the bundle verifies it with “Open a bundle” in this app,
        without a gateway, or unpacked with <code className="mono">sh data/verify.sh</code>, which needs sha256sum, awk and openssl alone.
      </p>
      {typeof saved === 'object' && <Fault problem={saved.problem} />}
      <div className={classes.actions}>
        {saved === 'saved' && <span className="muted">Given to you as a download.</span>}
        <Button onClick={close}>Close</Button>
        <Button color="teal" variant="filled" loading={saved === 'saving'} onClick={save} data-autofocus>
          {saved === 'saved' ? 'Download it again' : 'Download'}
        </Button>
      </div>
    </>
  );
}

function Fault({ problem }: { problem: Problem }) {
  return (
    <div className={classes.fault} role="alert">
      <p>{problem.message}</p>
      {problem.remedy !== undefined && <p className="muted">{problem.remedy}</p>}
      <p className="mono faint">{problem.code}</p>
    </div>
  );
}
