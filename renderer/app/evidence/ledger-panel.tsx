import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { parseLogKey } from '../../evidence/checkpoint.ts';
import { ago, day, number, utc } from '../design/format.ts';
import { Tell } from '../design/labels.tsx';
import { Facts } from '../design/pane.tsx';
import { useHost } from '../host/host-context.tsx';
import classes from './evidence.module.css';
import { GrowthChart } from './growth-chart.tsx';
import type { SeenLedger } from './use-consistency.ts';
import { VerificationPanel } from './verification-panel.tsx';

/** The ledger as it stands: its head, whose key signs it, how it grew, and what was verified. */
export function LedgerPanel({ status, seen }: { status: OperationOutput<'evidence.status'>; seen: SeenLedger }) {
  const facts: (readonly [string, ReactNode])[] = [
    [
      'Head',
      <span key="head" className="mono">
        {number(status.size)}
      </span>,
    ],
    ['Checkpoint', <Checkpoint key="checkpoint" note={status.checkpoint} signed={status.signed} />],
    ['Seen here before', <SeenWords key="seen" seen={seen} />],
    [
      'Log',
      <span key="log" className="mono">
        {status.origin}
      </span>,
    ],
    ['Key', <KeyId key="key" line={status.key} />],
    [
      'First record',
      status.first === null ? (
        'none yet'
      ) : (
        <span key="first" title={utc(status.first)}>
          {day(status.first)}
        </span>
      ),
    ],
    [
      'Sessions',
      `${number(status.sessions)}, of which ${number(status.recovered)} recovered, ${number(status.erased)} erased, ${number(status.held)} held`,
    ],
  ];
  return (
    <div className={classes.ledger}>
      <Facts facts={facts} />
      <GrowthChart growth={status.growth} />
      <VerificationPanel verification={status.verification} />
    </div>
  );
}

function Checkpoint({ note, signed }: { note: string; signed: string | null }) {
  const host = useHost();
  const [told, setTold] = useState<'copied' | 'not copied'>();
  const copy = () =>
    void host.copy(note).then(
      () => setTold('copied'),
      () => setTold('not copied'),
    );
  if (note === '') return <Tell tone="ask">not signed yet</Tell>;
  return (
    <span className={classes.copied}>
      <span title={signed === null ? undefined : utc(signed)}>{signed === null ? 'signed' : `signed ${ago(signed)}`}</span>
      <Button
        size="compact-xs"
        onClick={copy}
        title="Keep it somewhere that the gateway cannot change: it proves later that nothing was rewritten"
      >
        {told === undefined ? 'Copy' : told === 'copied' ? 'Copied' : 'It could not be copied'}
      </Button>
    </span>
  );
}

function KeyId({ line }: { line: string }) {
  return (
    <span className="mono" title={line}>
      {keyId(line)}
    </span>
  );
}

function keyId(line: string): string {
  try {
    return parseLogKey(line).id;
  } catch {
    return line; // What is no key is shown as it stands.
  }
}

function SeenWords({ seen: { judgement, since } }: { seen: SeenLedger }) {
  if (judgement === undefined) return <span className="faint">comparing…</span>;
  switch (judgement.state) {
    case 'consistent':
      return (
        <span className={classes.good} title={judgement.words}>
          ✓ consistent since {since === undefined ? 'it was first seen' : day(since)}
        </span>
      );
    case 'first':
      return <span title={judgement.words}>for the first time today</span>;
    case 'unproved':
      return (
        <span className={classes.asks} title={judgement.words}>
          ! not proved
        </span>
      );
    default:
      return <Tell tone="deny">✗ contradicts</Tell>;
  }
}

/** Nobody should be able to go on without having seen this. */
export function Contradiction({ seen: { judgement, since, accept } }: { seen: SeenLedger }) {
  const [sure, setSure] = useState(false);
  if (judgement?.state !== 'contradiction') return undefined;
  return (
    <div className={classes.contradiction} role="alert">
      <div>
        <h2>This ledger is not the one that was seen here before</h2>
        <p>{judgement.words}</p>
        <p className="muted">
          {since === undefined || since === '' ? '' : `This device has followed it since ${day(since)}. `}Unless you know why, treat the
          gateway as tampered with, and keep what it holds: compare the checkpoints that others have.
        </p>
      </div>
      {sure ? (
        <Button color="red" variant="light" onClick={accept}>
          Yes, from now on this one is right
        </Button>
      ) : (
        <Button onClick={() => setSure(true)}>I know why…</Button>
      )}
    </div>
  );
}
