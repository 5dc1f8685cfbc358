import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { OperationOutput } from '../../../../contract/operator-api.ts';
import { ask } from '../../client/ask.ts';
import { asProblem, type Problem } from '../../client/problem.ts';
import { useHost } from '../../host/host-context.tsx';
import { queryOf } from './query-of.ts';

export type Hit = OperationOutput<'search.content'>['hits'][number];

/** More are not listed: nobody goes through them one by one. */
const MOST_HITS = 1000;
const PAGE = 500;

export interface Found {
  readonly words: string;
  readonly hits: readonly Hit[];
  readonly searching: boolean;
  readonly more: boolean;
  /** Sealed segments that are not searchable yet. */
  readonly unindexed: number;
  readonly problem: Problem | undefined;
}

const nothing: Found = { words: '', hits: [], searching: false, more: false, unindexed: 0, problem: undefined };

/** Looks for words on the screens of a channel. Each search is a record, so it is done when it is asked for. */
export function useFind(session: string, channel: number): { found: Found; find: (words: string) => void; forget: () => void } {
  const { transport } = useHost();
  const [found, setFound] = useState<Found>(nothing);
  const latest = useRef(0);
  const find = useCallback(
    (words: string) => {
      latest.current += 1;
      const mine = latest.current;
      const query = queryOf(words);
      if (query === undefined) {
        setFound(nothing);
        return;
      }
      setFound({ ...nothing, words, searching: true });
      const look = async () => {
        const hits: Hit[] = [];
        let unindexed = 0;
        let cursor: string | undefined;
        do {
          const page = await ask(transport, 'search.content', {
            query,
            session,
            channel,
            limit: PAGE,
            ...(cursor === undefined ? {} : { cursor }),
          });
          if (mine !== latest.current) return;
          hits.push(...page.hits);
          unindexed += page.unindexed ?? 0;
          ({ cursor } = page);
          // They come newest first; what came at one moment stays in the order in which it stood there.
          const so = { words, hits: hits.toReversed().sort((a, b) => a.first - b.first), unindexed, problem: undefined };
          const over = cursor === undefined || hits.length >= MOST_HITS;
          setFound({ ...so, searching: !over, more: over && cursor !== undefined });
          if (over) return;
        } while (cursor !== undefined);
      };
      look().catch((thrown: unknown) => {
        if (mine === latest.current) setFound({ ...nothing, words, problem: asProblem(thrown) });
      });
    },
    [transport, session, channel],
  );
  const forget = useCallback(() => {
    latest.current += 1;
    setFound(nothing);
  }, []);
  useEffect(() => forget, [forget]);
  return useMemo(() => ({ found, find, forget }), [found, find, forget]);
}
