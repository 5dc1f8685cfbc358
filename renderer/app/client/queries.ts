import {
  keepPreviousData,
  QueryClient,
  type QueryKey,
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import type { OperationName, OperationOutput } from '../../../contract/operator-api.ts';
import { useHost } from '../host/host-context.tsx';
import { ask, type Given } from './ask.ts';
import { asProblem, type Problem } from './problem.ts';

/** Answers are kept by operation and input. What changes is told by events, so that nothing is asked for over and over. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: false,
        networkMode: 'always',
        // A gateway that restarts is waited for; what it refuses, it refuses again.
        retry: (failures, thrown) => {
          const { status } = asProblem(thrown);
          return (status === 0 || status === 429 || status === 503) && failures < 4;
        },
        retryDelay: (attempt) => Math.min(300 * 2 ** attempt, 5000),
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}

export function queryKey<N extends OperationName>(name: N, given: Given<N> = {}): QueryKey {
  return [name, given];
}

export interface AskOptions {
  readonly enabled?: boolean;
  /** Shows the answer to the question before until the new one is there. */
  readonly keepPrevious?: boolean;
  readonly refetchMillis?: number;
  readonly staleMillis?: number;
}

/** What the gateway says to a question, kept and asked anew when an event says that it has changed. */
export function useAsk<N extends OperationName>(
  name: N,
  given: Given<N>,
  options: AskOptions = {},
): UseQueryResult<OperationOutput<N>, Problem> {
  const { transport } = useHost();
  return useQuery<OperationOutput<N>, Problem>({
    queryKey: queryKey(name, given),
    queryFn: () => ask(transport, name, given),
    ...(options.enabled === undefined ? {} : { enabled: options.enabled }),
    ...(options.keepPrevious === true ? { placeholderData: keepPreviousData } : {}),
    ...(options.refetchMillis === undefined ? {} : { refetchInterval: options.refetchMillis }),
    ...(options.staleMillis === undefined ? {} : { staleTime: options.staleMillis }),
  });
}

/** Does something at the gateway. `changes`: operations whose answers are another one afterwards. */
export function useDo<N extends OperationName>(
  name: N,
  changes: readonly OperationName[] = [],
): UseMutationResult<OperationOutput<N>, Problem, Given<N>> {
  const { transport } = useHost();
  const client = useQueryClient();
  return useMutation<OperationOutput<N>, Problem, Given<N>>({
    mutationFn: (given) => ask(transport, name, given),
    onSettled: () => Promise.all(changes.map((changed) => client.invalidateQueries({ queryKey: [changed] }))).then(() => undefined),
  });
}
