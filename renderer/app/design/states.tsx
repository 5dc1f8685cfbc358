import { Button, Loader } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Problem } from '../client/problem.ts';
import classes from './states.module.css';

/** What a place shows instead of its content: that it loads, that there is nothing, or what went wrong. */
function Message({ role, title, children, tone }: { role: 'status' | 'alert'; title: ReactNode; children?: ReactNode; tone?: 'deny' }) {
  return (
    <div className={classes.place}>
      <div className={classes.message} role={role} data-tone={tone}>
        <h2>{title}</h2>
        {children}
      </div>
    </div>
  );
}

export function LoadingState({ what = 'Loading' }: { what?: string }) {
  return (
    <div className={classes.place} role="status">
      <span className={classes.loading}>
        <Loader size={14} aria-hidden />
        {what}…
      </span>
    </div>
  );
}

/** Nothing is here; `children` says what to do about it. */
export function EmptyState({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <Message role="status" title={title}>
      {children}
    </Message>
  );
}

/** What happened, what to do, and the code that documentation and log have too. */
export function FaultState({
  problem,
  retry,
  title = 'This could not be shown',
}: {
  problem: Problem;
  retry?: () => void;
  title?: string;
}) {
  const { status, code, message, remedy } = problem;
  const words = status === 0 ? 'The gateway does not answer' : code === 'ROLE_MISSING' ? 'Your role does not include this' : title;
  return (
    <Message role="alert" title={words} tone="deny">
      <p>{message}</p>
      {remedy !== undefined && <p className="muted">{remedy}</p>}
      <p className="faint">
        <span className="mono">{code}</span>
      </p>
      {retry !== undefined && <Button onClick={retry}>Try again</Button>}
    </Message>
  );
}
