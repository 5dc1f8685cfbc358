import type { SessionState } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';

export function readState(state: string): SessionState {
  if (state === 'live' || state === 'closed' || state === 'recovered' || state === 'erased') return state;
  throw new SallyportError('USAGE', `There is no state ${state}`, { remedy: 'live, closed, recovered or erased' });
}
