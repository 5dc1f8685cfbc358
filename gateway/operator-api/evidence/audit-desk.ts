import type { OperationInput, OperationOutput } from '../../../contract/operator-api.ts';
import { SallyportError } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';
import type { Filters, Period, Question, UnansweredQuestion } from '../../query/audit/question.ts';
import { answeredHow, isAnswered, questionNamed, questions } from '../../query/audit/questions.ts';
import { type Statement, statementLines } from '../../query/audit/statement.ts';
import type { AskInput } from '../../query/jobs/job.ts';
import { periodFrom, periodTo } from '../../query/period.ts';
import type { Asking } from '../operations.ts';
import { Refusal } from '../problem.ts';
import { AtOnce } from './at-once.ts';
import type { EvidenceDeskParts } from './evidence-parts.ts';
import type { SpoolFile, SpoolRoom } from './spool-room.ts';

type Asked = Omit<OperationInput<'audit.ask'>, 'limit'>;

const AT_ONCE = { together: 3, each: 2 };
/** An answer is made into JSON in one go, which others wait for. */
const MOST_BYTES = 512 * 1024;
const MOST_CSV_BYTES = 1024 * 1024 * 1024;

/** The questions of an audit. Each that is asked is on record, with what it was asked of, before its answer is shown. */
export class AuditDesk {
  readonly #parts: EvidenceDeskParts;
  readonly #atOnce = new AtOnce(AT_ONCE, 'questions');

  constructor(parts: EvidenceDeskParts) {
    this.#parts = parts;
  }

  questions(): OperationOutput<'audit.questions'> {
    return {
      questions: questions.map((question) => ({
        name: question.name,
        asks: question.asks,
        answered: shortly(answeredHow(question)),
        columns: columnsOf(question),
        filters: isAnswered(question) ? [...question.filters] : [],
        limits: isAnswered(question) ? [...question.limits] : [question.because],
      })),
    };
  }

  async ask({ limit, ...asked }: OperationInput<'audit.ask'>, { actor, signal }: Asking): Promise<OperationOutput<'audit.ask'>> {
    const question = questionNamed(asked.question);
    const input = this.#inputOf(asked);
    return this.#atOnce.run(actor.principal, async () => {
      await this.#sign();
      const { rows, statement } = await this.#parts.run('ask', { ...input, rows: limit, bytes: MOST_BYTES }, { signal });
      await this.#record(input, statement, actor);
      return {
        columns: columnsOf(question),
        rows: [...rows],
        total: statement.rows,
        words: statementLines(statement).map((line) => printable(line)),
        statement: { ...statement },
      };
    });
  }

  /** The whole answer in a file. Throws AUDIT_NOT_RECORDED for a question without one: a file would look like an empty one. */
  async askForCsv(
    asked: Asked,
    { actor, signal }: Pick<Asking, 'actor' | 'signal'>,
    room: SpoolRoom,
  ): Promise<{ file: SpoolFile; statement: Statement; bytes: number }> {
    const question = questionNamed(asked.question);
    if (!isAnswered(question))
      throw new Refusal(
        409,
        new SallyportError('AUDIT_NOT_RECORDED', `The question ${question.name} can't be answered: it is not recorded yet`, {
          remedy: question.because,
        }),
      );
    const input = this.#inputOf(asked);
    return this.#atOnce.run(actor.principal, async () => {
      await this.#sign();
      const file = await room.take('csv');
      try {
        const { bytes, statement } = await file.guard(signal, (guarded) =>
          this.#parts.run('ask-csv', { ...input, file: file.path, bytes: MOST_CSV_BYTES }, { signal: guarded }),
        );
        await this.#record(input, statement, actor);
        return { file, statement, bytes };
      } catch (thrown) {
        await file.remove();
        throw thrown;
      }
    });
  }

  /** What is recorded by now is proved as well. Where it cannot be signed at the moment, the statement says what is not. */
  async #sign(): Promise<void> {
    const { records, ledger } = this.#parts;
    await records.flush();
    await ledger.signed().catch(() => undefined);
  }

  #inputOf({ question, from, to, principal, onBehalfOf, target, protocol }: Asked): AskInput {
    const period: Period = { from: from === undefined ? undefined : periodFrom(from), to: to === undefined ? undefined : periodTo(to) };
    if (period.from !== undefined && period.to !== undefined && period.from >= period.to)
      throw new SallyportError(
        'REQUEST_INVALID',
        `The period ends before it begins: from is ${period.from}, and to ends before ${period.to}`,
      );
    const filters: Filters = {
      ...(principal === undefined ? {} : { principal }),
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
      ...(target === undefined ? {} : { target }),
      ...(protocol === undefined ? {} : { protocol }),
    };
    const { dataDirectory: directory, version } = this.#parts;
    return { directory, question, period, filters, version };
  }

  async #record({ question, period, filters }: AskInput, { rows }: Statement, actor: Asking['actor']): Promise<void> {
    const { records, gatewayName } = this.#parts;
    const given = { ...(period.from === undefined ? {} : { from: period.from }), ...(period.to === undefined ? {} : { to: period.to }) };
    await records.append({
      type: 'access.audited',
      outcome: 'success',
      actor,
      target: { name: gatewayName, kind: 'gateway' },
      body: { question, parameters: { ...given, ...filters }, rows },
    });
  }
}

function columnsOf(question: Question | UnansweredQuestion): OperationOutput<'audit.ask'>['columns'] {
  return isAnswered(question) ? question.columns.map(({ name, says, wide }) => ({ name, says, wide: wide === true })) : [];
}

function shortly(how: 'fully' | 'partly' | 'no'): 'yes' | 'partly' | 'no' {
  return how === 'fully' ? 'yes' : how;
}
