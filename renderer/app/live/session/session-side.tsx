import { useMemo, useState } from 'react';
import { Link } from 'wouter';
import type { OperationOutput } from '../../../../contract/operator-api.ts';
import { countdown } from '../../approvals/countdown.ts';
import { inFewWords } from '../../approvals/exact-text.ts';
import { Visible } from '../../approvals/exact-text-view.tsx';
import { SideApproval } from '../../approvals/side-approval.tsx';
import { useAsk } from '../../client/queries.ts';
import { clockTime, counting } from '../../design/format.ts';
import { TimeText } from '../../design/labels.tsx';
import { useNow } from '../../design/use-now.ts';
import { routes } from '../../routes.ts';
import type { NotedEvent } from '../watch/use-live-view.ts';
import classes from './session.module.css';
import { useDoings } from './use-doings.ts';

interface SessionSideProps {
  readonly session: string;
  readonly noted: readonly NotedEvent[];
  readonly channels: OperationOutput<'session.show'>['channels'];
  readonly watchers: number | undefined;
  readonly running: boolean;
}

/** What waits for a person, what is open, who looks, and what it has done so far. */
export function SessionSide({ session, noted, channels, watchers, running }: SessionSideProps) {
  const open = channels.filter(({ closed }) => closed === null);
  return (
    <div className={classes.side}>
      {running && <Waiting session={session} />}
      {running && (
        <section className={classes.section} aria-label="At the moment">
          <h2>At the moment</h2>
          {open.length === 0 && <p className="muted">Nothing is open.</p>}
          <ul className={classes.open} aria-label="Open channels">
            {open.slice(-MOST_OPEN).map(({ channel, kind, detail }) => (
              <li key={channel}>
                {kind} <span className="faint">channel {channel}</span>
                {typeof detail.command === 'string' && (
                  <code className="mono">
                    <Visible text={detail.command} />
                  </code>
                )}
              </li>
            ))}
          </ul>
          {watchers !== undefined && <p className="muted">{counting(watchers, 'person watches', 'people watch')}</p>}
        </section>
      )}
      <SoFar session={session} noted={noted} />
    </div>
  );
}

/** A session may have a hundred of them. */
const MOST_OPEN = 8;

function Waiting({ session }: { session: string }) {
  const { data } = useAsk('approval.list', { session, limit: 100 });
  const waiting = useMemo(() => (data?.approvals ?? []).filter(({ state }) => state === 'waiting'), [data]);
  const [chosen, setChosen] = useState<string>();
  const now = useNow();
  // The one that was opened stays, and says what became of it; another one never takes its place by itself.
  const shown = chosen ?? waiting[0]?.request.id;
  if (shown === undefined) return null;
  const others = waiting.filter(({ request }) => request.id !== shown);
  return (
    <section className={classes.section} aria-label="Waits for approval">
      <h2>Waits for approval</h2>
      <SideApproval key={shown} approval={shown} onHeld={setChosen} />
      {others.length > 0 && (
        <ul className={classes.others}>
          {others.map(({ request }) => (
            <li key={request.id}>
              <button type="button" className={classes.other} onClick={() => setChosen(request.id)}>
                <span className="mono">
                  <Visible text={inFewWords(request)} />
                </span>
                <span className="muted">{countdown(request.expires, now).text} left</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <Link href={routes.approvals}>All that waits</Link>
    </section>
  );
}

function SoFar({ session, noted }: { session: string; noted: readonly NotedEvent[] }) {
  const { doings, problem, more } = useDoings(session, noted);
  return (
    <section className={classes.soFar} aria-label="So far">
      <h2>So far</h2>
      {problem !== undefined && <p role="alert">{problem.message}</p>}
      {doings === undefined && problem === undefined && <p className="muted">Loading…</p>}
      {more && <p className="muted">The first few thousand records. Its replay has all of them.</p>}
      {doings !== undefined && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is longer than its place, and scrolled by keys
        <ol className={classes.doings} tabIndex={0} aria-label="What is on record, the newest first">
          {doings.map(({ key, time, tone, words, text }) => (
            <li key={key} data-tone={tone}>
              <TimeText time={time} text={clockTime(time)} />
              <span>
                <Visible text={words} />
                {text !== undefined && !words.includes(text) && (
                  <code className="mono">
                    <Visible text={text} />
                  </code>
                )}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
