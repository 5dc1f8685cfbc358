import { useEffect, useRef } from 'react';
import { useAsk } from '../client/queries.ts';
import { useKeys } from '../keyboard/use-keys.tsx';
import { ApprovalCard } from './approval-card.tsx';
import type { DecisionFormHandle } from './decision-form.tsx';
import { SETTLED_MILLIS } from './steady-list.ts';

/**
 * One request beside the session that waits for it. `onHeld` is told its id as soon as somebody begins to decide, so that
 * it stays there until they are done with it.
 */
export function SideApproval({ approval: id, onHeld }: { approval: string; onHeld: (id: string) => void }) {
  const { data } = useAsk('approval.show', { approval: id });
  const form = useRef<DecisionFormHandle | null>(null);
  const shownAt = useRef<number>(undefined);
  const isNew = () => performance.now() - (shownAt.current ?? 0) < SETTLED_MILLIS;
  useEffect(() => onHeld(id), [id, onHeld]);
  const group = 'Approval of this session';
  useKeys([
    { keys: ['a'], label: 'Approve…', group, run: () => form.current?.begin('approve') },
    { keys: ['d'], label: 'Deny…', group, run: () => form.current?.begin('deny') },
  ]);
  if (data === undefined) return null;
  shownAt.current ??= performance.now();
  return (
    <ApprovalCard
      approval={data}
      over={data.state !== 'waiting'}
      selected
      lately={[]}
      compact
      onSelect={() => onHeld(id)}
      handle={(handle) => {
        form.current = handle;
      }}
      hasJustMoved={isNew}
      hasJustComeUp={isNew}
    />
  );
}
