import { Button } from '@mantine/core';
import type { OperationOutput } from '../../../../contract/operator-api.ts';
import { printable } from '../../../bundle-page/interface/printable.ts';
import { numberOr, textOr } from '../../../evidence/record-facts.ts';
import { useAsk, useDo } from '../../client/queries.ts';
import { ago, byteSize, counting, length, number } from '../../design/format.ts';
import { Tell } from '../../design/labels.tsx';
import type { SessionRecord } from '../session-records.ts';
import classes from './panels.module.css';
import { RecordList } from './record-list.tsx';
import { printableLines, Scrolled } from './scrolled.tsx';
import { WithRecords } from './with-records.tsx';

/** What proves it: segments and their seals, the place of every record in the ledger, the checkpoint above them. */
export function EvidencePanel({ session, channel, go }: { session: string; channel: number | undefined; go: (at: number) => void }) {
  const { data: evidence } = useAsk('evidence.status', {});
  return (
    <WithRecords session={session}>
      {({ records, more }) => (
        <div className={classes.scroll}>
          <Verify session={session} />
          <section className={classes.section}>
            <h2>Segments{channel === undefined ? '' : ` of channel ${channel}`}</h2>
            <Segments records={records} channel={channel} go={go} />
          </section>
          <section className={classes.section}>
            <h2>Checkpoint</h2>
            {evidence === undefined ? (
              <p className="muted">Reading it…</p>
            ) : (
              <>
                <p>
                  {counting(evidence.size, 'entry', 'entries')}
                  {evidence.signed !== null && <span className="muted">, signed {ago(evidence.signed)}</span>}
                </p>
                <Scrolled label="The checkpoint as it is signed">{printableLines(evidence.checkpoint)}</Scrolled>
              </>
            )}
          </section>
          <section className={classes.section}>
            <h2>
              {counting(records.length, 'record')}
              {more && ' and more'}
            </h2>
            <RecordList records={records} label="Records of this session, in the order of the ledger" />
            {more && <p className="muted">These are the first. `sallyport records` has them all.</p>}
          </section>
        </div>
      )}
    </WithRecords>
  );
}

const MOST_SEGMENTS = 500;

function Segments({ records, channel, go }: { records: readonly SessionRecord[]; channel: number | undefined; go: (at: number) => void }) {
  const sealed = records.filter(({ type, read }) => type === 'segment.sealed' && (channel === undefined || read?.body.channel === channel));
  if (sealed.length === 0) return <p className="muted">Nothing of it is sealed yet.</p>;
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th scope="col">Part</th>
          <th scope="col">From</th>
          <th scope="col">Size</th>
          <th scope="col">SHA-256</th>
          <th scope="col">Ledger</th>
        </tr>
      </thead>
      <tbody>
        {sealed.slice(0, MOST_SEGMENTS).map(({ key, index, read }) => {
          const body = read?.body ?? {};
          const from = numberOr(body.from, 0) / 1000;
          const digest = textOr(body.sha256, '');
          return (
            <tr key={key}>
              <td className="mono">{numberOr(body.segment, 0)}</td>
              <td className="mono">
                <button type="button" onClick={() => go(from)} title="Go there">
                  {length(from)}
                </button>
              </td>
              <td className="mono">{byteSize(numberOr(body.bytes, 0))}</td>
              <td className="mono" title={digest}>
                {digest.slice(0, 10)}…
              </td>
              <td className="mono">{index === null ? '–' : `#${number(index)}`}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Asks the gateway to prove the session anew, and shows what it did. */
function Verify({ session }: { session: string }) {
  const { mutate, data, error, isPending } = useDo('session.verify', ['session.show', 'session.list']);
  return (
    <section className={classes.section}>
      <div className={classes.line}>
        <h2>Verification</h2>
        <Button size="compact-xs" loading={isPending} onClick={() => mutate({ session })}>
          {data === undefined ? 'Verify now' : 'Verify again'}
        </Button>
      </div>
      {error !== null && (
        <p role="alert">
          <Tell tone="deny">{error.message}</Tell> <span className="mono faint">{error.code}</span>
        </p>
      )}
      <div aria-live="polite">
        {data === undefined ? (
          error === null && (
            <p className="muted">
              {isPending
                ? 'Every record and every segment is read and compared with the ledger…'
                : 'Reads every record and segment of this session, and compares them with the ledger and its signed checkpoint.'}
            </p>
          )
        ) : (
          <Told verified={data} />
        )}
      </div>
    </section>
  );
}

function Told({ verified }: { verified: OperationOutput<'session.verify'> }) {
  const { ok, records, segments, size, steps, faults } = verified;
  return (
    <>
      <p>
        <Tell tone={ok ? 'ok' : 'deny'}>{ok ? '✓ verified' : '✗ not as it was sealed'}</Tell>
        <span className="muted">
          {' '}
          {counting(records, 'record')} and {counting(segments, 'segment')} under a checkpoint of {counting(size, 'entry', 'entries')}
        </span>
      </p>
      <ol className={classes.steps}>
        {steps.map(({ name, ok: passed, words, millis }) => (
          <li key={name} data-ok={passed || undefined}>
            <i>{passed ? '✓' : '✗'}</i>
            <span>
              {name} <span className="muted">{printable(words)}</span>
            </span>
            <span className="faint mono">{millis < 10 ? millis.toFixed(1) : Math.round(millis)} ms</span>
          </li>
        ))}
      </ol>
      {faults.map((fault) => (
        <p key={fault}>
          <Tell tone="deny">{printable(fault)}</Tell>
        </p>
      ))}
    </>
  );
}
