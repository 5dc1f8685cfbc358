import type { OperationInput, OperationOutput } from '../../contract/operator-api.ts';
import type { Actor } from '../../contract/record.ts';
import type { Performers } from './operations.ts';

export type LiveState = OperationOutput<'session.pause'>;

/** What an operator may do to a session that runs. Throws SESSION_NOT_FOUND and SESSION_NOT_LIVE. */
export interface Supervision {
  /** Undefined for a session that does not run. */
  state(session: string): LiveState | undefined;
  message(input: OperationInput<'session.message'>, by: Actor): Promise<OperationOutput<'session.message'>>;
  pause(input: OperationInput<'session.pause'>, by: Actor): Promise<LiveState>;
  resume(input: OperationInput<'session.resume'>, by: Actor): Promise<LiveState>;
  step(input: OperationInput<'session.step'>, by: Actor): Promise<LiveState>;
  terminate(input: OperationInput<'session.terminate'>, by: Actor): Promise<void>;
}

type SupervisionOperations = Pick<
  Performers,
  'session.message' | 'session.pause' | 'session.resume' | 'session.step' | 'session.terminate'
>;

export function supervisionOperations(supervision: Supervision): SupervisionOperations {
  return {
    'session.message': (input, { actor }) => supervision.message(input, actor),
    'session.pause': (input, { actor }) => supervision.pause(input, actor),
    'session.resume': (input, { actor }) => supervision.resume(input, actor),
    'session.step': (input, { actor }) => supervision.step(input, actor),
    'session.terminate': async (input, { actor }) => {
      await supervision.terminate(input, actor);
      return {};
    },
  };
}
