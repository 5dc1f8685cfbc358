import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { ask } from '../client/ask.ts';
import type { Problem } from '../client/problem.ts';
import { queryKey, useAsk } from '../client/queries.ts';
import { useHost } from '../host/host-context.tsx';
import type { SessionQuestion } from './session-query.ts';

export type ListedSession = OperationOutput<'session.list'>['sessions'][number];

export interface SessionPages {
  /** Undefined until the first page is there. */
  readonly total: number | undefined;
  readonly problem: Problem | undefined;
  /** Undefined as long as its page is not there. */
  readonly row: (at: number) => ListedSession | undefined;
  readonly activity: (session: string) => readonly number[] | undefined;
  /** Sessions that have begun since, and are not shown. */
  readonly newer: number;
  readonly showNewer: () => void;
  readonly retry: () => void;
}

const PAGE = 100;
/** What is over does not change its activity any more. */
const ACTIVITY_STALE_MILLIS = 60_000;

/**
 * The pages of a table that can be scrolled to anywhere: those in view, and a neighbour. Whoever has scrolled down reads on
 * in peace: what begins meanwhile is told, and not pushed in above.
 */
export function useSessionPages(question: SessionQuestion, inView: { from: number; to: number }, follow: boolean): SessionPages {
  const { transport } = useHost();
  const head = useAsk('session.list', { ...question, detailed: true, limit: PAGE }, { keepPrevious: true });
  const newest = head.data?.sessions[0]?.id;
  const words = JSON.stringify(question);
  const [pinned, setPinned] = useState<{ words: string; upTo: string; total: number }>();
  const following = follow || pinned === undefined || pinned.words !== words;
  const total = totalOf(head.data);
  if (following && !head.isPlaceholderData && newest !== undefined && total !== undefined) {
    if (pinned?.upTo !== newest || pinned.words !== words || pinned.total !== total) setPinned({ words, upTo: newest, total });
  }
  const shown = (following ? total : pinned?.total) ?? 0;
  const upTo = pinned?.words === words ? pinned.upTo : newest;
  const numbers = upTo === undefined ? [] : pagesOf(inView, shown);
  const pages = useQueries({
    queries: numbers.map((page) => {
      const given = { ...question, detailed: true, limit: PAGE, offset: page * PAGE, ...(upTo === undefined ? {} : { upTo }) };
      return {
        queryKey: queryKey('session.list', given),
        queryFn: () => ask(transport, 'session.list', given),
        placeholderData: keepPreviousData,
      };
    }),
  });
  const loaded = new Map(numbers.map((page, at) => [page, pages[at]?.isPlaceholderData === true ? undefined : pages[at]?.data?.sessions]));
  if (!loaded.has(0) || loaded.get(0) === undefined) loaded.set(0, following ? head.data?.sessions : loaded.get(0));
  const activities = useActivities([...loaded.values()]);
  return {
    total: following ? total : shown,
    problem: head.data === undefined ? (head.error ?? undefined) : undefined,
    row: (at) => loaded.get(Math.floor(at / PAGE))?.[at % PAGE],
    activity: (session) => activities.get(session),
    newer: following || total === undefined ? 0 : Math.max(0, total - shown),
    showNewer: () => setPinned(undefined),
    retry: () => void head.refetch(),
  };
}

/** Where words are looked for in very much, nobody has counted: then there is as much as is known, and another page. */
function totalOf(head: OperationOutput<'session.list'> | undefined): number | undefined {
  if (head === undefined) return undefined;
  return head.total ?? head.sessions.length + (head.cursor === undefined ? 0 : PAGE);
}

function pagesOf({ from, to }: { from: number; to: number }, total: number): number[] {
  const last = Math.max(0, Math.ceil(total / PAGE) - 1);
  const first = Math.max(0, Math.floor(from / PAGE));
  const end = Math.min(last, Math.floor((to + PAGE / 4) / PAGE));
  return Array.from({ length: Math.max(0, end - first + 1) }, (_, at) => first + at);
}

function useActivities(pages: readonly (readonly ListedSession[] | undefined)[]): ReadonlyMap<string, readonly number[]> {
  const { transport } = useHost();
  const asked = pages
    .map((page) => page?.filter(({ state }) => state !== 'erased').map(({ id }) => id) ?? [])
    .filter(({ length }) => length > 0);
  const answers = useQueries({
    queries: asked.map((sessions) => ({
      queryKey: queryKey('session.activity', { sessions }),
      queryFn: () => ask(transport, 'session.activity', { sessions }),
      staleTime: ACTIVITY_STALE_MILLIS,
    })),
  });
  return new Map(answers.flatMap(({ data }) => Object.entries(data?.activity ?? {})));
}
