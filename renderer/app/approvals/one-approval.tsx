import { useRef } from 'react';
import type { Approval } from '../../../contract/operator-api.ts';
import { useAsk } from '../client/queries.ts';
import { FaultState } from '../design/states.tsx';
import { ApprovalCard } from './approval-card.tsx';

/** A request that a link led to and that does not wait any more: what it was, and what became of it. */
export function OneApproval({ approval: id, open, lately }: { approval: string; open: readonly Approval[]; lately: readonly Approval[] }) {
  const waitedHere = useRef(false);
  const waits = open.some(({ request }) => request.id === id);
  // One that was in the list stays there when it is over, and is not shown twice.
  if (waits) waitedHere.current = true;
  const skip = waits || waitedHere.current;
  const { data, error } = useAsk('approval.show', { approval: id }, { enabled: !skip });
  if (skip) return null;
  if (error !== null) return <FaultState problem={error} title="This request could not be found" />;
  if (data === undefined) return null;
  return (
    <ApprovalCard
      approval={data}
      over
      selected
      lately={lately}
      onSelect={() => undefined}
      handle={() => undefined}
      hasJustMoved={() => false}
      hasJustComeUp={() => false}
    />
  );
}
