import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { SallyportError } from '../../base/errors.ts';
import { Database } from '../../store/database.ts';
import { ask } from '../audit/ask.ts';
import { csvHeader, csvLine } from '../audit/csv.ts';
import type { Row } from '../audit/question.ts';
import { isAnswered, questionNamed } from '../audit/questions.ts';
import type { Statement } from '../audit/statement.ts';
import type { Answer, AskInput, CsvAnswer } from './job.ts';

/** Enough to make few writes of many short lines. */
const WRITE_AT = 256 * 1024;

/** All of the question is answered, and the first rows are given. */
export async function answer({ rows: most, bytes, ...asked }: AskInput & { rows: number; bytes: number }): Promise<Answer> {
  const rows: Row[] = [];
  let size = 0;
  let full = false;
  const statement = await each(asked, (row) => {
    if (full) return;
    size += JSON.stringify(row).length;
    full = rows.length >= most || (size > bytes && rows.length > 0);
    if (!full) rows.push(row);
  });
  return { rows, statement };
}

/** Throws REQUEST_INVALID for an answer that is longer than it may be. */
export async function answerAsCsv({ file, bytes: most, ...asked }: AskInput & { file: string; bytes: number }): Promise<CsvAnswer> {
  const question = questionNamed(asked.question);
  const columns = isAnswered(question) ? question.columns : [];
  // An answer names people and what they did: it is for its owner alone.
  const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    let bytes = 0;
    let text = csvHeader(columns);
    const flush = async (): Promise<void> => {
      const written = Buffer.from(text, 'utf8');
      text = '';
      bytes += written.length;
      if (bytes > most)
        throw new SallyportError('REQUEST_INVALID', `the answer has more than ${Math.floor(most / 1e6)} MB`, {
          remedy: 'ask for a shorter period, or on the machine of the gateway: sallyport audit … --format csv --output FILE',
        });
      await handle.writeFile(written);
    };
    const statement = await each(asked, (row) => {
      text += csvLine(columns, row);
      return text.length < WRITE_AT ? undefined : flush();
    });
    await flush();
    return { bytes, statement };
  } finally {
    await handle.close();
  }
}

async function each(
  { directory, question, period, filters, version }: AskInput,
  take: (row: Row) => Promise<void> | undefined | void,
): Promise<Statement> {
  const database = await Database.openForReading(directory);
  try {
    const rows = ask(database, questionNamed(question), { period, filters, thorough: false, version });
    let step = await rows.next();
    for (; step.done !== true; step = await rows.next()) await take(step.value);
    return step.value;
  } finally {
    await database.close();
  }
}
