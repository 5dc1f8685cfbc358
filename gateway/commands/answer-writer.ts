import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, unlink, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { csvHeader, csvLine } from '../query/audit/csv.ts';
import type { Column, Row } from '../query/audit/question.ts';
import { type Statement, statementLines } from '../query/audit/statement.ts';
import { TextTable } from '../query/audit/text-table.ts';
import { jsonLine, print } from './output.ts';

export type AnswerFormat = 'table' | 'csv' | 'ndjson';

/** Where the rows of an answer go, and its statement after them. */
export interface AnswerWriter {
  row(row: Row): Promise<void>;
  finish(statement: Statement): Promise<void>;
  /** Nothing that looks like an answer is left behind. */
  abandon(): Promise<void>;
}

/** Enough to make few writes of many short lines. */
const WRITE_AT = 64 * 1024;

/**
 * On standard output the statement comes after the table; as the last line of NDJSON, an object with the one member
 * `statement`; of CSV, which has no place for it, on standard error. A file has it beside it, `NAME.statement.json`,
 * with the file's SHA-256; the file gets its name when it is complete.
 */
export function answerWriter(columns: readonly Column[], format: AnswerFormat, file: string | undefined): AnswerWriter {
  const lines = linesOf(columns, format);
  return file === undefined ? new OutputWriter(lines, format) : new FileWriter(lines, file);
}

interface Lines {
  row(row: Row): Iterable<string>;
  end(): Iterable<string>;
}

function linesOf(columns: readonly Column[], format: AnswerFormat): Lines {
  if (format === 'ndjson') return { row: (row) => [jsonLine(row)], end: () => [] };
  if (format === 'csv') {
    let begun = false;
    const header = () => {
      const text = begun || columns.length === 0 ? [] : [csvHeader(columns)];
      begun = true;
      return text;
    };
    return { row: (row) => [...header(), csvLine(columns, row)], end: header };
  }
  const table = new TextTable(columns);
  return { row: (row) => table.push(row), end: () => table.end() };
}

class OutputWriter implements AnswerWriter {
  readonly #lines: Lines;
  readonly #format: AnswerFormat;
  #text = '';

  constructor(lines: Lines, format: AnswerFormat) {
    this.#lines = lines;
    this.#format = format;
  }

  async row(row: Row): Promise<void> {
    for (const line of this.#lines.row(row)) this.#text += line;
    if (this.#text.length >= WRITE_AT) await this.#flush();
  }

  async finish(statement: Statement): Promise<void> {
    for (const line of this.#lines.end()) this.#text += line;
    if (this.#format === 'ndjson') this.#text += jsonLine({ statement });
    if (this.#format === 'table') this.#text += `${this.#text === '' && statement.rows === 0 ? '' : '\n'}${words(statement)}`;
    await this.#flush();
    if (this.#format === 'csv') process.stderr.write(words(statement));
  }

  abandon(): Promise<void> {
    return this.#flush();
  }

  async #flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    if (text !== '') await print(text);
  }
}

class FileWriter implements AnswerWriter {
  readonly #lines: Lines;
  readonly #path: string;
  readonly #hash = createHash('sha256');
  #file: FileHandle | undefined;
  #text = '';
  #bytes = 0;

  constructor(lines: Lines, path: string) {
    this.#lines = lines;
    this.#path = path;
  }

  async row(row: Row): Promise<void> {
    for (const line of this.#lines.row(row)) this.#text += line;
    if (this.#text.length >= WRITE_AT) await this.#flush();
  }

  async finish(statement: Statement): Promise<void> {
    const beside = statementPath(this.#path);
    // What is not recorded has no answer, and so no file that could be taken for an empty one.
    const answered = statement.answered !== 'no';
    if (answered) {
      for (const line of this.#lines.end()) this.#text += line;
      await this.#flush();
      await this.#file?.sync();
      await this.#file?.close();
      this.#file = undefined;
      await this.#named(() => rename(this.#partPath, this.#path));
    }
    const file = answered ? { name: basename(this.#path), bytes: this.#bytes, sha256: this.#hash.digest('hex') } : null;
    await this.#named(() => writeFile(beside, `${JSON.stringify({ ...statement, file }, null, 2)}\n`, { mode: 0o600 }));
    process.stderr.write(words(statement));
    process.stderr.write(`Written: ${printable(answered ? `${this.#path} and ${beside}` : beside)}\n`);
  }

  async abandon(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    await file.close();
    await unlink(this.#partPath);
  }

  get #partPath(): string {
    return `${this.#path}.part`;
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#text, 'utf8');
    this.#text = '';
    await this.#named(async () => {
      // An answer names people and what they did: it is for its owner alone.
      this.#file ??= await open(this.#partPath, 'w', 0o600);
      await this.#file.writeFile(bytes);
    });
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }

  async #named(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (thrown) {
      throw new SallyportError('USAGE', `Cannot write ${this.#path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
        cause: thrown,
      });
    }
  }
}

/** `march.csv` has `march.statement.json` beside it. */
function statementPath(path: string): string {
  return `${path.replace(/\.(csv|ndjson|txt|json)$/i, '')}.statement.json`;
}

function words(statement: Statement): string {
  return `${statementLines(statement)
    .map((line) => printable(line))
    .join('\n')}\n`;
}
