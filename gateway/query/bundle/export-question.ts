import { SallyportError } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';
import type { SessionQuestion } from '../find-sessions.ts';
import { readSessionQuestion, type SessionWords } from '../session-question.ts';
import type { ExportQuestion } from './selection.ts';

/** The question as it is put on the command line. */
export interface QuestionOptions extends SessionWords {
  leaveOut?: string[];
}

/** Throws USAGE for a question that contradicts itself. */
export function exportQuestion(sessions: readonly string[], options: QuestionOptions): ExportQuestion {
  const { leaveOut = [] } = options;
  const filter: SessionQuestion = readSessionQuestion(options);
  if (sessions.length > 0 && Object.keys(filter).length > 0) {
    throw new SallyportError('USAGE', 'Sessions are named, and a filter is given as well', { remedy: 'give one of the two' });
  }
  const parameters = {
    ...(sessions.length === 0 ? {} : { sessions: [...sessions] }),
    ...filter,
    ...(leaveOut.length === 0 ? {} : { leaveOut }),
  };
  return { words: wordsOf(sessions, filter), parameters, sessions, filter, leaveOut };
}

function wordsOf(sessions: readonly string[], filter: SessionQuestion): string {
  if (sessions.length > 0) return `${sessions.length === 1 ? 'The session' : 'The sessions'} ${sessions.join(', ')}`;
  const { from, to, principal, onBehalfOf, target, protocol, state, text } = filter;
  const parts = [
    ...(principal === undefined ? [] : [`of ${principal}`]),
    ...(onBehalfOf === undefined ? [] : [`of agents acting for ${onBehalfOf}`]),
    ...(target === undefined ? [] : [`at ${target}`]),
    ...(protocol === undefined ? [] : [`over ${protocol}`]),
    ...(state === undefined ? [] : [`in the state ${state}`]),
    ...(text === undefined ? [] : [`with the text “${text}”`]),
    ...(from === undefined ? [] : [`started at or after ${from}`]),
    ...(to === undefined ? [] : [`started before ${to}`]),
  ];
  return printable(parts.length === 0 ? 'All sessions' : `All sessions ${parts.join(', ')}`);
}
