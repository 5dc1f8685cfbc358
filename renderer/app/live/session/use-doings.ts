import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import { ask } from '../../client/ask.ts';
import { asProblem, type Problem } from '../../client/problem.ts';
import { useHost } from '../../host/host-context.tsx';
import type { NotedEvent } from '../watch/use-live-view.ts';
import { type Doing, doingsOf } from './doings.ts';

/** Records that are asked for at a time, and how often at most. */
const PAGE = 500;
const AGAIN_MILLIS = 1000;

/** What tells that there is another record, though no event does. */
const telling = new Set(['decision', 'ssh.request', 'file', 'forward']);

export interface Doings {
  readonly doings: readonly Doing[] | undefined;
  readonly problem: Problem | undefined;
  /** There are so many that the newest are not reached. */
  readonly more: boolean;
}

/** What is on record of a session that runs, and what is added as it goes on. */
export function useDoings(session: string, noted: readonly NotedEvent[]): Doings {
  const { transport } = useHost();
  const client = useQueryClient();
  const key = useMemo(() => ['session.records', { session, followed: true }], [session]);
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) =>
      ask(transport, 'session.records', { session, limit: PAGE, ...(pageParam === '' ? {} : { cursor: pageParam }) }),
    initialPageParam: '',
    getNextPageParam: ({ cursor }) => cursor,
    retry: false,
  });
  const { hasNextPage, isFetching, fetchNextPage, data } = query;
  const reached = data?.pages.length ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetching && reached < MOST_PAGES) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage, reached]);
  const last = noted.findLast(({ note }) => telling.has(note.t));
  const asked = useRef(last);
  useEffect(() => {
    if (last === asked.current) return undefined;
    const timer = window.setTimeout(() => {
      asked.current = last;
      void client.invalidateQueries({ queryKey: key });
    }, AGAIN_MILLIS);
    return () => window.clearTimeout(timer);
  }, [last, client, key]);
  const doings = useMemo(() => data && doingsOf(data.pages.flatMap(({ records }) => records)), [data]);
  return { doings, problem: query.error === null ? undefined : asProblem(query.error), more: hasNextPage && reached >= MOST_PAGES };
}

const MOST_PAGES = 8;
