import type { AuditedCheckpoint } from './audited-checkpoint.ts';
import type { Filters } from './question.ts';

/** What an answer is worth: what was asked, what it rests on, and how complete it is. Goes with every answer. */
export interface Statement {
  question: string;
  asks: string;
  parameters: { from: string | null; to: string | null; filters: Filters; thorough: boolean };
  /** `no`: the question is not recorded yet, and there is no answer, which is not the same as an empty one. */
  answered: 'fully' | 'partly' | 'no';
  /** What of the question the records do not say. */
  limits: readonly string[];
  rows: number;
  /** What the answer says as a whole, in sentences. */
  remarks: readonly string[];
  order: string | null;
  ledger: {
    /** Indexes of the records that the period is in, both ends included, each of which was read. Null: there are none. */
    first: number | null;
    last: number | null;
    /** How many records that is, and how many of them have a time in the period. */
    records: number;
    inPeriod: number;
    /** Records outside that range that were read for what began before it and what ended behind it. */
    outside: number;
    /** Index of the newest record there was. */
    newest: number | null;
  };
  checkpoint: AuditedCheckpoint | null;
  /** Whether every record of the range is proved to be in the ledger of the checkpoint, and nothing else is wrong. */
  proved: boolean;
  /** Records of the range that the checkpoint does not cover yet. */
  uncovered: number;
  /** Sessions that had begun before the range, and how they were found. */
  carriedIn: number;
  foundBy: string;
  erased: {
    /** Records of the range whose facts are gone. */
    records: number;
    /** Erased sessions that may have answered the question: what the filters ask of them is gone. */
    mayHaveMatched: number;
  };
  /** Records of types that this version does not know, and so does not answer from. */
  unknownTypes: Readonly<Record<string, number>>;
  faults: { count: number; words: readonly string[] };
  generated: string;
  version: string;
}

/** The statement for people, line by line. */
export function statementLines(statement: Statement): string[] {
  const { parameters, ledger, checkpoint, erased, faults } = statement;
  const filters = Object.entries(parameters.filters).map(([name, value]) => `${name} ${value}`);
  const lines = [
    `Question: ${statement.question}. ${statement.asks}`,
    `Period: from ${parameters.from ?? 'the beginning'} to before ${parameters.to ?? 'now'}${filters.length === 0 ? '' : `; only ${filters.join(', ')}`}`,
  ];
  if (statement.answered === 'no')
    return [...lines, `Not recorded yet: ${statement.limits.join('. ')}`, 'This is no answer, and not an empty one.'];
  lines.push(
    `Answer: ${statement.rows} ${statement.rows === 1 ? 'row' : 'rows'}, ${statement.answered === 'fully' ? 'all that was asked' : 'a part of what was asked'}`,
  );
  for (const remark of statement.remarks) lines.push(`  ${remark}`);
  for (const limit of statement.limits) lines.push(`  Not in it: ${limit}`);
  lines.push(
    ledger.first === null
      ? 'Records: none is in the period'
      : `Records: indexes ${ledger.first} to ${ledger.last}, each read and hashed (${ledger.inPeriod} of the period); ${ledger.outside} more outside of them`,
  );
  if (statement.carriedIn > 0) lines.push(`  ${statement.carriedIn} sessions had begun before`);
  lines.push(`  ${statement.foundBy}`);
  if (erased.records > 0) lines.push(`Erased: ${erased.records} of these records; their facts are gone`);
  if (erased.mayHaveMatched > 0) lines.push(`  ${erased.mayHaveMatched} erased sessions may have answered the question`);
  for (const [type, count] of Object.entries(statement.unknownTypes))
    lines.push(`Not understood: ${count} records of type ${type}, of a later version`);
  lines.push(
    checkpoint === null
      ? 'Checkpoint: none, so nothing proves these records'
      : `Checkpoint: ${checkpoint.origin}, ${checkpoint.size} records, root ${checkpoint.root}`,
  );
  if (statement.uncovered > 0 && checkpoint !== null) lines.push(`  ${statement.uncovered} records are newer than it`);
  lines.push(statement.proved ? 'Proved: every one of these records is in the ledger of this checkpoint' : 'Proved: no');
  for (const fault of faults.words) lines.push(`  WRONG: ${fault}`);
  if (faults.count > faults.words.length) lines.push(`  WRONG: ${faults.count - faults.words.length} more`);
  lines.push(`Generated: ${statement.generated} by sallyport ${statement.version}`);
  return lines;
}
