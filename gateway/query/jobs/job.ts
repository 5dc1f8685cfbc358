import type { ErrorCode } from '../../../contract/error-codes.ts';
import type { Filters, Period, Row } from '../audit/question.ts';
import type { Statement } from '../audit/statement.ts';
import type { ExportedBundle } from '../bundle/export-bundle.ts';
import type { ExportQuestion } from '../bundle/selection.ts';
import type { SessionVerification } from '../verify/verify-session.ts';
import type { WholeVerification } from '../verify/whole-verification.ts';

/** Long work on a data directory that a thread of its own does, beside the gateway that writes it. Plain data. */
export interface Jobs {
  /** `key`: of the ledger, as a verifier key. */
  'verify-all': { readonly input: { readonly directory: string; readonly key: string }; readonly result: WholeVerification };
  'verify-session': {
    readonly input: { readonly directory: string; readonly session: string; readonly key: string };
    readonly result: SessionVerification;
  };
  ask: { readonly input: AskInput & { readonly rows: number; readonly bytes: number }; readonly result: Answer };
  /** Writes the whole answer into a new file. */
  'ask-csv': { readonly input: AskInput & { readonly file: string; readonly bytes: number }; readonly result: CsvAnswer };
  /** Writes a bundle into a new file. */
  export: { readonly input: ExportInput; readonly result: ExportedBundle & { readonly bytes: number; readonly sha256: string } };
}

export interface AskInput {
  readonly directory: string;
  readonly question: string;
  readonly period: Period;
  readonly filters: Filters;
  readonly version: string;
}

/** The first rows of an answer: so many and so many bytes at most, whichever is less. */
export interface Answer {
  readonly rows: readonly Row[];
  readonly statement: Statement;
}

export interface CsvAnswer {
  readonly bytes: number;
  readonly statement: Statement;
}

export interface ExportInput {
  readonly directory: string;
  readonly file: string;
  readonly question: ExportQuestion;
  readonly gateway: { readonly name: string; readonly version: string };
  readonly created: string;
  readonly checkpoint: string;
}

export type JobKind = keyof Jobs;

/** How far a job is. Of an export, `bytes` are those of the file so far. */
export interface JobProgress {
  readonly done: number;
  readonly total: number;
  readonly bytes?: number;
}

export type JobMessage =
  | { readonly kind: 'progress'; readonly progress: JobProgress }
  /** The thread has no key: the ledger signs for it. */
  | { readonly kind: 'attest'; readonly tagManifest: string; readonly question: Record<string, unknown> }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly remedy: string | undefined };

export type JobAnswer = { readonly kind: 'attested'; readonly envelope: string } | { readonly kind: 'refused'; readonly why: string };
