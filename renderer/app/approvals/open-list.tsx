import { Button } from '@mantine/core';
import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { Approval } from '../../../contract/operator-api.ts';
import { EmptyState } from '../design/states.tsx';
import { useKeys } from '../keyboard/use-keys.tsx';
import { Glimpse } from '../live/glimpse.tsx';
import { routes } from '../routes.ts';
import { ApprovalCard } from './approval-card.tsx';
import classes from './approvals.module.css';
import type { DecisionFormHandle } from './decision-form.tsx';
import { freshList, isOutOfOrder, type Listed, neighbour, nextList, SETTLED_MILLIS } from './steady-list.ts';

interface OpenListProps {
  readonly kind: 'waiting' | 'review';
  readonly open: readonly Approval[];
  readonly lately: readonly Approval[];
  readonly linked: string | undefined;
  readonly before: ReactNode;
}

/** Requests that nobody has decided. Which one keys mean is never changed but by whoever presses them. */
export function OpenList({ kind, open, lately, linked, before }: OpenListProps) {
  const [, go] = useLocation();
  const [selected, setSelected] = useState<string | undefined>(() => linked ?? freshList(open)[0]?.approval.request.id);
  const [listed, setListed] = useState<readonly Listed[]>(() => freshList(open));
  const [seen, setSeen] = useState(open);
  // Derived while rendering, so that no frame shows a list that is old (React, "Adjusting some state when a prop changes").
  if (seen !== open) {
    setSeen(open);
    setListed(nextList(listed, open, selected));
  }
  const forms = useRef(new Map<string, DecisionFormHandle>());
  const movedAt = useRef(0);
  // What is selected shows more than the others, so they move with it.
  const shape = `${selected} ${listed.map(({ approval, over }) => `${approval.request.id}${over}`).join()}`;
  const shapeBefore = useRef(shape);
  useLayoutEffect(() => {
    if (shapeBefore.current === shape) return;
    shapeBefore.current = shape;
    movedAt.current = performance.now();
  }, [shape]);
  // A link is opened by whoever gets somebody's program to: keys wait until it can be seen where it led.
  const [led, setLed] = useState(() => ({ to: linked, at: linked === undefined ? Number.NEGATIVE_INFINITY : performance.now() }));
  if (linked !== led.to) {
    setLed({ to: linked, at: linked === undefined || linked === selected ? Number.NEGATIVE_INFINITY : performance.now() });
    if (linked !== undefined) setSelected(linked);
  }
  const select = (id: string | undefined) => {
    if (id === undefined || id === selected) return;
    setSelected(id);
    go(routes.approval(id), { replace: true });
  };
  const tidy = () => {
    const fresh = freshList(open);
    setListed(fresh);
    if (!fresh.some(({ approval }) => approval.request.id === selected)) setSelected(undefined);
  };
  const begin = (verdict: 'approve' | 'deny') => {
    // With nothing selected the first key only selects.
    if (selected === undefined) select(neighbour(listed, undefined, 1));
    else forms.current.get(selected)?.begin(verdict);
  };
  const current = listed.find(({ approval }) => approval.request.id === selected);
  const group = 'Approvals';
  useKeys([
    { keys: ['j', 'ArrowDown'], label: 'Next request', group, run: () => select(neighbour(listed, selected, 1)) },
    { keys: ['k', 'ArrowUp'], label: 'Previous request', group, run: () => select(neighbour(listed, selected, -1)) },
    { keys: ['a'], label: kind === 'review' ? 'Find it justified…' : 'Approve…', group, run: () => begin('approve') },
    { keys: ['d'], label: kind === 'review' ? 'Object…' : 'Deny…', group, run: () => begin('deny') },
    {
      keys: ['o'],
      label: 'Open its session',
      group,
      run: () => {
        if (current !== undefined) go(routes.liveSession(current.approval.request.session));
      },
    },
    { keys: ['r'], label: 'Put the list in order', group, run: tidy },
  ]);
  const untidy = listed.some(({ over }) => over) || isOutOfOrder(listed);
  return (
    <div className={classes.list}>
      {before}
      {untidy && (
        <div className={classes.tidy} role="status">
          <span className="muted">
            {listed.some(({ over }) => over)
              ? 'What is over stays in its place until you have seen it.'
              : 'Something more urgent came in further down.'}
          </span>
          <Button size="compact-sm" onClick={tidy}>
            Put in order
          </Button>
        </div>
      )}
      {listed.map(({ approval, over }) => (
        <ApprovalCard
          key={approval.request.id}
          approval={approval}
          over={over}
          selected={approval.request.id === selected}
          lately={lately}
          onSelect={() => select(approval.request.id)}
          handle={(handle) => {
            if (handle === null) forms.current.delete(approval.request.id);
            else forms.current.set(approval.request.id, handle);
          }}
          glimpse={kind === 'waiting' && !over ? <Glimpse session={approval.request.session} /> : undefined}
          hasJustMoved={() => performance.now() - movedAt.current < SETTLED_MILLIS}
          hasJustComeUp={() => performance.now() - led.at < SETTLED_MILLIS}
        />
      ))}
      {listed.length === 0 && before === null && (
        <EmptyState title={kind === 'waiting' ? 'Nothing waits for a person' : 'No break-glass waits for its review'}>
          <p className="muted">
            {kind === 'waiting'
              ? 'When an agent asks for something that a rule wants approved, it stands here at once, and you are notified.'
              : 'What was done at once by a break-glass rule stands here until somebody else has looked at it.'}
          </p>
        </EmptyState>
      )}
    </div>
  );
}
