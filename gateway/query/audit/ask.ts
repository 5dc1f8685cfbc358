import { isoMicros } from '../../base/clock.ts';
import { SallyportError } from '../../base/errors.ts';
import type { Database } from '../../store/database.ts';
import { answerQuestion, type Basis } from './answer.ts';
import type { Asked, Question, Row, UnansweredQuestion } from './question.ts';
import { answeredHow, isAnswered } from './questions.ts';
import type { Statement } from './statement.ts';

export interface AskOptions extends Asked {
  thorough: boolean;
  version: string;
}

/** The rows of an answer, and then its statement. A question that nothing is recorded of has no rows. */
export async function* ask(
  database: Database,
  question: Question | UnansweredQuestion,
  options: AskOptions,
): AsyncGenerator<Row, Statement> {
  if (!isAnswered(question)) return unansweredStatement(question, options);
  for (const name of Object.keys(options.filters)) {
    if (question.filters.some((filter) => filter === name)) continue;
    throw new SallyportError('USAGE', `The question ${question.name} cannot be asked of one ${optionNames[name] ?? name} alone`, {
      remedy:
        question.filters.length === 0
          ? 'ask it without filters'
          : `it takes: ${question.filters.map((filter) => optionNames[filter]).join(', ')}`,
    });
  }
  const rows = answerQuestion(database, question, options, options.thorough);
  let step = await rows.next();
  for (; step.done !== true; step = await rows.next()) yield step.value;
  return statementOf(question, options, step.value);
}

const optionNames: Readonly<Record<string, string>> = {
  principal: '--principal',
  onBehalfOf: '--on-behalf-of',
  target: '--target',
  protocol: '--protocol',
};

function statementOf(question: Question, options: AskOptions, basis: Basis): Statement {
  const { range, faults, checkpoint, uncovered } = basis;
  const empty = range.last < range.first;
  return {
    ...asked(question, options),
    answered: answeredHow(question),
    limits: question.limits,
    rows: basis.rows,
    remarks: basis.remarks,
    order: question.order,
    ledger: {
      first: empty ? null : range.first - 1,
      last: empty ? null : range.last - 1,
      records: basis.records,
      inPeriod: basis.inPeriod,
      outside: basis.outside,
      newest: basis.newest === 0 ? null : basis.newest - 1,
    },
    checkpoint: checkpoint ?? null,
    proved: checkpoint !== undefined && uncovered === 0 && faults.count === 0,
    uncovered,
    carriedIn: basis.carriedIn,
    foundBy: foundBy(question, options.thorough, range.first),
    erased: { records: basis.erased, mayHaveMatched: basis.mayHaveMatched },
    unknownTypes: basis.unknownTypes,
    faults: { count: faults.count, words: faults.named },
  };
}

function foundBy(question: Question, thorough: boolean, first: number): string {
  if (thorough || first === 1) return 'The ledger was read from its first record on';
  if (!question.followsSessions) return 'Records before the range were read only for what was in force when it began';
  return "Sessions that had begun before and left no record in the range were found through the database's list of sessions, which sallyport verify compares with the records; --thorough reads the whole ledger instead";
}

function unansweredStatement(question: UnansweredQuestion, options: AskOptions): Statement {
  return {
    ...asked(question, options),
    answered: 'no',
    limits: [question.because],
    rows: 0,
    remarks: [],
    order: null,
    ledger: { first: null, last: null, records: 0, inPeriod: 0, outside: 0, newest: null },
    checkpoint: null,
    proved: false,
    uncovered: 0,
    carriedIn: 0,
    foundBy: 'No record was read',
    erased: { records: 0, mayHaveMatched: 0 },
    unknownTypes: {},
    faults: { count: 0, words: [] },
  };
}

function asked(question: Question | UnansweredQuestion, { period, filters, thorough, version }: AskOptions) {
  return {
    question: question.name,
    asks: question.asks,
    parameters: { from: period.from ?? null, to: period.to ?? null, filters, thorough },
    generated: isoMicros(Date.now() * 1000),
    version,
  };
}
