import { useMemo } from 'react';
import type { Problem } from '../../client/problem.ts';
import { useAsk } from '../../client/queries.ts';
import { byNeed, type Running, runningOf } from './order.ts';

/** More than a wall can show. Those behind stand in the table of sessions. */
const MOST_RUNNING = 200;

export interface RunningSessions {
  /** Undefined while it is not known. */
  readonly running: readonly Running[] | undefined;
  readonly problem: Problem | undefined;
  /** There are more than are told. */
  readonly more: boolean;
  readonly retry: () => void;
}

/** The sessions that run now, in the order in which they need somebody. */
export function useRunning(): RunningSessions {
  const sessions = useAsk('session.list', { state: 'live', detailed: true, limit: MOST_RUNNING }, { refetchMillis: 30_000 });
  const approvals = useAsk('approval.list', { limit: 1000 });
  const running = useMemo(
    () => sessions.data && runningOf(sessions.data.sessions, approvals.data?.approvals ?? []).toSorted(byNeed),
    [sessions.data, approvals.data],
  );
  return {
    running,
    problem: sessions.error ?? undefined,
    more: sessions.data?.cursor !== undefined,
    retry: () => void sessions.refetch(),
  };
}
