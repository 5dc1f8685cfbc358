import { Button, Progress } from '@mantine/core';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { tookWords } from '../bundle/verdict.ts';
import { useDo } from '../client/queries.ts';
import { ago, counting, number, utc } from '../design/format.ts';
import { StepList } from '../design/step-list.tsx';
import classes from './evidence.module.css';

type Verification = NonNullable<OperationOutput<'evidence.status'>['verification']>;

/** Everything that is recorded, read and recomputed by the gateway: what was found last, and that it is done again. */
export function VerificationPanel({ verification }: { verification: Verification | null }) {
  const verify = useDo('evidence.verify', ['evidence.status']);
  const running = verification?.ended === null;
  return (
    <section className={classes.part} aria-label="Verification">
      <header>
        <h2>Verification</h2>
        <Button loading={verify.isPending} disabled={running} onClick={() => verify.mutate({})}>
          {running ? 'Verifying' : 'Verify everything'}
        </Button>
      </header>
      {verify.error !== null && (
        <p className={classes.fault} role="alert">
          {verify.error.message} <span className="mono faint">{verify.error.code}</span>
        </p>
      )}
      {verification === null ? (
        <p className={`${classes.says} muted`}>
          Nothing was verified since the gateway started. Verifying recomputes every hash, the tree, the signatures and all seals; sessions
          go on meanwhile.
        </p>
      ) : (
        <Told verification={verification} running={running} />
      )}
    </section>
  );
}

function Told({ verification, running }: { verification: Verification; running: boolean }) {
  const { began, by, ended, ok, done, total, sessions, size, steps, faults, faultCount } = verification;
  const share = total === 0 ? 0 : Math.min(1, done / total);
  return (
    <>
      <div className={classes.says} role="status">
        {running ? (
          <>
            <p>
              {number(done)} of {number(total)} records and parts of recordings, begun by {by}
            </p>
            <Progress value={share * 100} aria-label="Progress of the verification" size="sm" />
          </>
        ) : (
          <p className={classes.verdict} data-tone={ok === true ? 'ok' : 'deny'} title={utc(ended ?? began)}>
            {ok === true ? '✓ Intact' : `✗ ${counting(faultCount, 'fault')}`}
            <span className="muted">
              {' '}
              · {counting(size, 'record')}, {counting(sessions, 'session')} · {ago(ended ?? began)} by {by}
            </span>
          </p>
        )}
      </div>
      {faults.length > 0 && (
        <ul className={classes.faults}>
          {faults.slice(0, 50).map((words) => (
            <li key={words}>{words}</li>
          ))}
          {faultCount > Math.min(50, faults.length) && (
            <li>and {number(faultCount - Math.min(50, faults.length))} more: sallyport verify lists them all</li>
          )}
        </ul>
      )}
      {steps.length > 0 && (
        <StepList
          label="Steps of the verification"
          steps={steps.map(({ name, ok: passed, words, millis }) => ({
            id: name,
            title: name.slice(0, 1).toUpperCase() + name.slice(1),
            state: passed ? 'passed' : 'failed',
            result: words,
            took: tookWords(millis),
          }))}
        />
      )}
    </>
  );
}
