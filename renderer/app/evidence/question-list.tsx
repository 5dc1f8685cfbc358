import type { OperationOutput } from '../../../contract/operator-api.ts';
import classes from './evidence.module.css';

type Question = OperationOutput<'audit.questions'>['questions'][number];

const groups = [
  ['yes', 'Answered from the records', 'Every record of the period is read and proved to be in the ledger.'],
  ['partly', 'Answered in part', 'What the records do not say stands beside the answer.'],
  ['no', 'Not recorded yet', 'An answer would be a guess, so there is none.'],
] as const;

/** All the questions, before one is asked. */
export function QuestionList({
  questions,
  chosen,
  ask,
}: {
  questions: readonly Question[];
  chosen: string | undefined;
  ask: (question: string) => void;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <div className={classes.questions} tabIndex={0} role="region" aria-label="Questions of an audit">
      <p className="muted">
        Each question is answered from the records alone, with a statement of how complete the answer is. Asking is itself on record.
      </p>
      {groups.map(([answered, title, says]) => {
        const own = questions.filter((question) => question.answered === answered);
        return (
          own.length > 0 && (
            <section key={answered} aria-label={title}>
              <h2>
                {title} <span className="faint">{says}</span>
              </h2>
              <ul>
                {own.map((question) => (
                  <li key={question.name}>
                    {answered === 'no' ? (
                      <div className={classes.unasked} title={question.limits.join(' ')}>
                        <b>{question.asks}</b>
                        <span className="faint">{question.limits[0]}</span>
                      </div>
                    ) : (
                      <button
                        type="button"
                        className={classes.asked}
                        title={question.limits.join(' ')}
                        aria-current={question.name === chosen || undefined}
                        onClick={() => ask(question.name)}
                      >
                        <b>{question.asks}</b>
                        {question.limits.length > 0 && <span className="faint">{question.limits[0]}</span>}
                      </button>
                    )}
                  </li>
                ))}
              </ul>
            </section>
          )
        );
      })}
    </div>
  );
}
