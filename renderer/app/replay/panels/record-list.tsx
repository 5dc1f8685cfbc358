import { Button } from '@mantine/core';
import { useState } from 'react';
import { printable } from '../../../bundle-page/interface/printable.ts';
import { describeRecord } from '../../../bundle-page/screens/describe-record.ts';
import { clockTime, number, utc } from '../../design/format.ts';
import type { SessionRecord } from '../session-records.ts';
import classes from './panels.module.css';
import { printableLines, Scrolled } from './scrolled.tsx';

const SHOWN = 100;

/** Records in a sentence each, and as they stand where that is wanted. */
export function RecordList({ records, label }: { records: readonly SessionRecord[]; label: string }) {
  const [shown, setShown] = useState(SHOWN);
  return (
    <>
      <ol className={classes.records} aria-label={label}>
        {records.slice(0, shown).map((record) => (
          <li key={record.key}>
            <RecordView record={record} />
          </li>
        ))}
      </ol>
      {records.length > shown && (
        <Button className={classes.more ?? ''} onClick={() => setShown(shown + SHOWN * 5)}>
          Show more of {number(records.length)}
        </Button>
      )}
    </>
  );
}

function RecordView({ record }: { record: SessionRecord }) {
  const { index, time, type, read, sha256 } = record;
  const [open, setOpen] = useState(false);
  return (
    <details className={classes.record} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className={`${classes.index} mono`}>{index === null ? '–' : `#${number(index)}`}</span>
        <time className="faint mono" dateTime={time} title={utc(time)}>
          {clockTime(time)}
        </time>
        <span className={classes.sentence}>{read === undefined ? `${type}, erased` : printable(describeRecord(read))}</span>
      </summary>
      {open && (
        <>
          <p className={classes.digest}>
            <span className="faint">SHA-256 </span>
            <span className="mono">{sha256}</span>
            {index === null && <span className="muted"> No place in the ledger yet.</span>}
          </p>
          <Json value={record.record} />
        </>
      )}
    </details>
  );
}

export function Json({ value }: { value: unknown }) {
  return <Scrolled label="As it stands">{printableLines(JSON.stringify(value, null, 2))}</Scrolled>;
}
