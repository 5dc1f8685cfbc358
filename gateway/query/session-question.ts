import type { SessionState } from '../../contract/session.ts';
import { SallyportError } from '../base/errors.ts';
import type { SessionFilter } from '../store/session-filter.ts';
import { periodFrom, periodTo } from './period.ts';

/** Which sessions somebody asks for, in the words of the command line. */
export interface SessionWords {
  from?: string;
  to?: string;
  principal?: string;
  onBehalfOf?: string;
  target?: string;
  protocol?: string;
  state?: string;
  text?: string;
}

const STATES: readonly SessionState[] = ['live', 'closed', 'recovered', 'erased'];

/** Only what was said is a member of it. Throws USAGE for a time or a state that there is not. */
export function readSessionQuestion(words: SessionWords): Pick<SessionFilter, keyof SessionWords> {
  const { from, to, principal, onBehalfOf, target, protocol, state, text } = words;
  return {
    ...(from === undefined ? {} : { from: periodFrom(from) }),
    ...(to === undefined ? {} : { to: periodTo(to) }),
    ...(principal === undefined ? {} : { principal }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(target === undefined ? {} : { target }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(state === undefined ? {} : { state: readState(state) }),
    ...(text === undefined ? {} : { text }),
  };
}

function readState(text: string): SessionState {
  const state = STATES.find((candidate) => candidate === text);
  if (state === undefined) throw new SallyportError('USAGE', `There is no state ${text}`, { remedy: 'live, closed, recovered or erased' });
  return state;
}
