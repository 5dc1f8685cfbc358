import { SallyportError } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';
import { approvalsQuestion, breakGlassQuestion, justificationQuestion } from './approvals-question.ts';
import { changesQuestion } from './changes-question.ts';
import { agentActionsQuestion, commandsQuestion } from './commands-question.ts';
import { entryPointsQuestion } from './entry-points-question.ts';
import { viewedExportedQuestion } from './export-question.ts';
import { mfaQuestion, whoQuestion } from './identity-questions.ts';
import { leaversQuestion } from './leavers-question.ts';
import { logHealthQuestion } from './log-health-question.ts';
import { unanswered } from './not-recorded.ts';
import { policyInForceQuestion } from './policy-question.ts';
import type { Question, UnansweredQuestion } from './question.ts';
import { refusedQuestion } from './refused-question.ts';
import { selfApprovalsQuestion } from './self-approvals-question.ts';
import { sessionsQuestion } from './sessions-question.ts';
import { timeBoundQuestion } from './time-bound-question.ts';
import { unreviewedQuestion } from './unreviewed-question.ts';

const answered: readonly Question[] = [
  sessionsQuestion,
  whoQuestion,
  mfaQuestion,
  policyInForceQuestion,
  entryPointsQuestion,
  commandsQuestion,
  agentActionsQuestion,
  refusedQuestion,
  viewedExportedQuestion,
  logHealthQuestion,
  changesQuestion,
  approvalsQuestion,
  selfApprovalsQuestion,
  justificationQuestion,
  timeBoundQuestion,
  leaversQuestion,
  breakGlassQuestion,
  unreviewedQuestion,
];

/** Every question, in the order in which they are listed. */
export const questions: readonly (Question | UnansweredQuestion)[] = [...answered, ...unanswered];

/** Throws USAGE for a name that is none. */
export function questionNamed(name: string): Question | UnansweredQuestion {
  const found = questions.find((question) => question.name === name);
  if (found === undefined) {
    throw new SallyportError('USAGE', `There is no question ${printable(name)}`, { remedy: 'sallyport audit --list names them all' });
  }
  return found;
}

export function isAnswered(question: Question | UnansweredQuestion): question is Question {
  return 'answer' in question;
}

/** `fully`, `partly` (its limits say what is not), or not at all. */
export function answeredHow(question: Question | UnansweredQuestion): 'fully' | 'partly' | 'no' {
  if (!isAnswered(question)) return 'no';
  return question.limits.length === 0 && question.missing.length === 0 ? 'fully' : 'partly';
}
