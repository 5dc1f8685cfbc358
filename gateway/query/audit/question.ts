import type { RecordType } from '../../../contract/record.ts';
import type { AuditedRecord } from './audited-record.ts';

/** What a cell of an answer holds. A list is joined where a format has no lists. */
export type Cell = string | number | boolean | null | readonly string[];
export type Row = Readonly<Record<string, Cell>>;

export interface Column {
  name: string;
  /** What it says, for the documentation of an answer. */
  says: string;
  /** Left out of the table for people, which has to fit; CSV and NDJSON have every column. */
  wide?: true;
}

export type FilterName = 'principal' | 'onBehalfOf' | 'target' | 'protocol';
export type Filters = Readonly<Partial<Record<FilterName, string>>>;

/** A period, in the form of records' times: from its beginning to before its end. */
export interface Period {
  from: string | undefined;
  to: string | undefined;
}

/** A record on its way to an answer. */
export interface Seen extends AuditedRecord {
  /** Where in the ledger it stands: before the part that the period is in, in it, or behind it; anywhere, of an aside. */
  phase: 'before' | 'in' | 'after' | 'aside';
  /** Whether its time is in the period. */
  inPeriod: boolean;
}

/** Takes records in the order of the ledger (each session's, where sessions are followed) and gives rows. */
export interface Answering {
  take(seen: Seen): Iterable<Row>;
  /** Erased sessions of which nobody can say any more whether the filters meant them. */
  readonly unmatchedErased?: number;
  /** What is to be said of the answer as a whole, in sentences, once it has been given. */
  readonly remarks?: readonly string[];
  /** What is left to say when there are no more records. */
  finish(): Iterable<Row>;
}

export interface Asked {
  period: Period;
  filters: Filters;
  /** What the ledger is called, as its checkpoint says it: reviewers sign it with their decisions. */
  origin?: string | undefined;
}

export interface Question {
  name: string;
  /** The question, as an auditor asks it. */
  asks: string;
  columns: readonly Column[];
  filters: readonly FilterName[];
  /** What of the question today's records do not say, each in words. Empty: they say all of it. */
  limits: readonly string[];
  /** Types of records that would say it and that no version writes yet. A test holds that they do not exist. */
  missing: readonly string[];
  /** The order of the rows, in words. */
  order: string;
  /** Follow sessions that began before the period, and what runs on behind it to its end. */
  followsSessions: boolean;
  /** The newest of each of these before the period is given first: what was so when it began. */
  context: readonly RecordType[];
  /** All of each of these before the period, instead of the newest. They belong to no session, and are not many. */
  contextAll?: readonly RecordType[];
  /**
   * What is said of a session in records of these types, wherever in the ledger they stand: all of it is given right before
   * the record that ends the session, apart from where each comes in its turn.
   */
  asides?: readonly RecordType[];
  answer(asked: Asked): Answering;
}

/** A question that today's records say nothing about. */
export interface UnansweredQuestion {
  name: string;
  asks: string;
  missing: readonly string[];
  /** Why not, and what comes nearest. */
  because: string;
}

export function isInPeriod(time: string, { from, to }: Period): boolean {
  return (from === undefined || time >= from) && (to === undefined || time < to);
}
