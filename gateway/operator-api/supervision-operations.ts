import type { OperationOutput } from '../../contract/operator-api.ts';
import type { Supervision } from '../session/supervision.ts';
import type { Performers } from './operations.ts';

export type LiveState = OperationOutput<'session.pause'>;

export interface SupervisionParts {
  readonly supervision: Supervision;
  /** How many watch a session at the moment. */
  readonly watchers: (session: string) => number;
}

type SupervisionOperations = Pick<
  Performers,
  'session.message' | 'session.pause' | 'session.resume' | 'session.step' | 'session.terminate'
>;

/** Undefined for a session that does not run. */
export function liveStateOf(session: string, parts: SupervisionParts): LiveState | undefined {
  const state = parts.supervision.state(session);
  return state === undefined ? undefined : withWatchers(state, parts);
}

function withWatchers(
  state: Omit<LiveState, 'watchers' | 'waiting'> & { readonly waiting: readonly string[] },
  { watchers }: SupervisionParts,
): LiveState {
  return { ...state, waiting: [...state.waiting], watchers: watchers(state.session) };
}

export function supervisionOperations(parts: SupervisionParts): SupervisionOperations {
  const { supervision } = parts;
  return {
    'session.message': (input, { actor }) => supervision.message(input, actor),
    'session.pause': async (input, { actor }) => withWatchers(await supervision.pause(input, actor), parts),
    'session.resume': async (input, { actor }) => withWatchers(await supervision.resume(input, actor), parts),
    'session.step': async (input, { actor }) => withWatchers(await supervision.step(input, actor), parts),
    'session.terminate': async (input, { actor }) => {
      await supervision.terminate(input, actor);
      return {};
    },
  };
}
