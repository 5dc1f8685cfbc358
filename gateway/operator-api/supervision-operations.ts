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
export function liveStateOf(session: string, { supervision, watchers }: SupervisionParts): LiveState | undefined {
  const state = supervision.state(session);
  return state === undefined ? undefined : { ...state, waiting: [...state.waiting], watchers: watchers(session) };
}

export function supervisionOperations({ supervision, watchers }: SupervisionParts): SupervisionOperations {
  return {
    'session.message': (input, { actor }) => supervision.message(input, actor),
    'session.pause': async (input, { actor }) => ({ ...(await supervision.pause(input, actor)), watchers: watchers(input.session) }),
    'session.resume': async (input, { actor }) => ({ ...(await supervision.resume(input, actor)), watchers: watchers(input.session) }),
    'session.step': async (input, { actor }) => ({ ...(await supervision.step(input, actor)), watchers: watchers(input.session) }),
    'session.terminate': async (input, { actor }) => {
      await supervision.terminate(input, actor);
      return {};
    },
  };
}
