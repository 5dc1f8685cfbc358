import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Approval } from '../../../contract/operator-api.ts';
import { useAsk } from '../client/queries.ts';
import { shortDateTime } from '../design/format.ts';
import { Tell, TimeText, Who } from '../design/labels.tsx';
import { EmptyState, FaultState, LoadingState } from '../design/states.tsx';
import { routes } from '../routes.ts';
import classes from './approvals.module.css';
import { inFewWords } from './exact-text.ts';
import { Visible } from './exact-text-view.tsx';
import { outcomeOf } from './outcome.ts';

/** Everything that was asked and is over, the newest first, a page at a time. */
export function DecidedList() {
  const [cursors, setCursors] = useState<readonly (string | undefined)[]>([undefined]);
  return (
    <div className={classes.decidedPlace}>
      <table className={classes.decided}>
        <thead>
          <tr>
            <th scope="col">Asked</th>
            <th scope="col">Who</th>
            <th scope="col">Target</th>
            <th scope="col">What</th>
            <th scope="col">Rule</th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        {cursors.map((cursor, at) => (
          <Page key={cursor ?? ''} cursor={cursor} isLast={at === cursors.length - 1} onMore={(next) => setCursors([...cursors, next])} />
        ))}
      </table>
    </div>
  );
}

function Page({ cursor, isLast, onMore }: { cursor: string | undefined; isLast: boolean; onMore: (cursor: string) => void }) {
  const { data, error, refetch } = useAsk('approval.list', { all: true, limit: 100, ...(cursor === undefined ? {} : { cursor }) });
  const over = (data?.approvals ?? []).filter(({ state }) => state !== 'waiting' && state !== 'review');
  return (
    <tbody>
      {error !== null && (
        <Whole>{<FaultState problem={error} retry={() => void refetch()} title="What was decided could not be listed" />}</Whole>
      )}
      {error === null && data === undefined && <Whole>{<LoadingState what="Loading what was decided" />}</Whole>}
      {data !== undefined && over.length === 0 && data.cursor === undefined && cursor === undefined && (
        <Whole>
          <EmptyState title="Nothing was decided yet">
            <p className="muted">Each request stands here once it is over, with who decided and why.</p>
          </EmptyState>
        </Whole>
      )}
      {over.map((approval) => (
        <DecidedRow key={approval.request.id} approval={approval} />
      ))}
      {isLast && data?.cursor !== undefined && (
        <Whole>
          <Button onClick={() => onMore(data.cursor ?? '')}>Older ones</Button>
        </Whole>
      )}
    </tbody>
  );
}

function DecidedRow({ approval }: { approval: Approval }) {
  const { request, decisions } = approval;
  const { tone, words } = outcomeOf(approval);
  const reasons = decisions.map(({ reason }) => reason).filter((reason) => reason !== '');
  return (
    <tr>
      <td>
        <Link href={routes.approval(request.id)} title="Show it whole">
          <TimeText time={request.asked} text={shortDateTime(request.asked)} />
        </Link>
      </td>
      <td>
        <Who principal={request.principal} onBehalfOf={request.onBehalfOf} />
      </td>
      <td>{request.target.name}</td>
      <td className={classes.what}>
        <span className="mono">
          <Visible text={inFewWords(request)} />
        </span>
      </td>
      <td className="mono">{request.rule}</td>
      <td className={classes.what}>
        <Tell tone={tone}>{words}</Tell>
        {reasons.length > 0 && (
          <span className="muted">
            {' '}
            “<Visible text={reasons.join(' · ')} />”
          </span>
        )}
      </td>
    </tr>
  );
}

function Whole({ children }: { children: React.ReactNode }) {
  return (
    <tr>
      <td colSpan={6} className={classes.whole}>
        {children}
      </td>
    </tr>
  );
}
