import { SallyportError } from '../base/errors.ts';
import { ask } from '../query/audit/ask.ts';
import type { Filters, Question, Row, UnansweredQuestion } from '../query/audit/question.ts';
import { answeredHow, isAnswered, questionNamed, questions } from '../query/audit/questions.ts';
import type { Statement } from '../query/audit/statement.ts';
import { periodFrom, periodTo } from '../query/period.ts';
import { version } from '../version.ts';
import { type AnswerFormat, answerWriter } from './answer-writer.ts';
import { type DataOptions, withData } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { reportError } from './report.ts';

export interface AuditOptions extends DataOptions {
  list?: boolean;
  from?: string;
  to?: string;
  principal?: string;
  onBehalfOf?: string;
  target?: string;
  protocol?: string;
  thorough?: boolean;
  format?: string;
  json?: boolean;
  output?: string;
}

/**
 * Exit code 0: answered, be it with no rows. 1: the question is not recorded yet (AUDIT_NOT_RECORDED), or something is
 * wrong with the records that the answer rests on (LEDGER_DAMAGED); the statement says which.
 */
export async function audit(name: string | undefined, options: AuditOptions): Promise<number> {
  const json = options.json === true;
  if (options.list === true) return list(json);
  if (name === undefined) throw new SallyportError('USAGE', 'No question was asked', { remedy: 'sallyport audit --list names them all' });
  const question = questionNamed(name);
  const format = readFormat(options);
  const asked = { period: readPeriod(options), filters: readFilters(options), thorough: options.thorough === true, version };
  // Of a question that is not recorded nothing is read, but a mistake in where the data is does not hide behind that.
  const statement = await withData(options, (database) => write(question, ask(database, question, asked), format, options.output));
  return verdict(statement, json || format === 'ndjson');
}

async function write(
  question: Question | UnansweredQuestion,
  rows: AsyncGenerator<Row, Statement>,
  format: AnswerFormat,
  file: string | undefined,
): Promise<Statement> {
  const writer = answerWriter(isAnswered(question) ? question.columns : [], format, file);
  try {
    let step = await rows.next();
    for (; step.done !== true; step = await rows.next()) await writer.row(step.value);
    await writer.finish(step.value);
    return step.value;
  } catch (thrown) {
    await writer.abandon();
    throw thrown;
  }
}

function verdict({ question, answered, limits, faults }: Statement, json: boolean): number {
  if (answered === 'no') {
    const error = new SallyportError('AUDIT_NOT_RECORDED', `The question ${question} can't be answered: it is not recorded yet`, {
      remedy: limits.join('; '),
    });
    return reportError(error, json);
  }
  if (faults.count === 0) return 0;
  const error = new SallyportError('LEDGER_DAMAGED', `The answer rests on records that are not in order: ${faults.words[0] ?? ''}`, {
    remedy: `${faults.count === 1 ? 'this is all that was found' : `${faults.count} things were found`}; sallyport verify says what is wrong and where`,
  });
  return reportError(error, json);
}

async function list(json: boolean): Promise<number> {
  for (const question of questions) {
    const answered = answeredHow(question);
    if (json) {
      const columns = isAnswered(question) ? question.columns.map(({ name, says }) => ({ name, says })) : [];
      const limits = isAnswered(question) ? question.limits : [question.because];
      const filters = isAnswered(question) ? question.filters : [];
      await print(jsonLine({ name: question.name, asks: question.asks, answered, limits, filters, columns }));
    } else {
      const how = answered === 'no' ? 'not recorded yet' : answered;
      await print(`${question.name.padEnd(24)}  ${how.padEnd(16)}  ${question.asks}\n`);
    }
  }
  return 0;
}

function readFormat({ format, json }: AuditOptions): AnswerFormat {
  if (json === true && format !== undefined && format !== 'ndjson')
    throw new SallyportError('USAGE', `--json and --format ${format} contradict each other`, { remedy: 'give one of the two' });
  const wanted = json === true ? 'ndjson' : (format ?? 'table');
  if (wanted === 'table' || wanted === 'csv' || wanted === 'ndjson') return wanted;
  throw new SallyportError('USAGE', `There is no format ${wanted}`, { remedy: 'table, csv or ndjson' });
}

function readPeriod({ from, to }: AuditOptions): { from: string | undefined; to: string | undefined } {
  const period = { from: from === undefined ? undefined : periodFrom(from), to: to === undefined ? undefined : periodTo(to) };
  if (period.from !== undefined && period.to !== undefined && period.from >= period.to) {
    throw new SallyportError('USAGE', 'The period ends before it begins', {
      remedy: `--from is ${period.from} and --to ends before ${period.to}`,
    });
  }
  return period;
}

function readFilters({ principal, onBehalfOf, target, protocol }: AuditOptions): Filters {
  return {
    ...(principal === undefined ? {} : { principal }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(target === undefined ? {} : { target }),
    ...(protocol === undefined ? {} : { protocol }),
  };
}
