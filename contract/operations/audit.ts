import { z } from 'zod';
import { sessionChoice } from './sessions.ts';
import { count, everyRole, name, nothing, type OperationShape, time, uuid } from './shape.ts';

/** Evidence as operators see it: the ledger's state, verification, the questions of an audit, bundles. */

/** Whoever hands evidence out of the house. */
const exporters = ['auditor', 'admin'] as const;

const verdictStep = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  /** What was found, in a sentence. */
  words: z.string(),
  millis: z.number().nonnegative(),
});
export type VerdictStep = z.infer<typeof verdictStep>;

const verification = z.strictObject({
  began: time,
  by: z.string(),
  ended: time.nullable(),
  /** Null while it runs. */
  ok: z.boolean().nullable(),
  /** Of records and segments: how far it has come. */
  done: count,
  total: count,
  sessions: count,
  /** The size of the ledger that it was about. */
  size: count,
  steps: z.array(verdictStep),
  /** What is wrong, the first of them in words; and how many there are. */
  faults: z.array(z.string()),
  faultCount: count,
});
export type Verification = z.infer<typeof verification>;

const auditColumn = z.strictObject({ name: z.string(), says: z.string(), wide: z.boolean() });
type AuditCell = string | number | boolean | null | readonly string[];
/** By the names of columns. Not looked at cell by cell: there are very many, and everybody else waits meanwhile. */
const auditRow = z.unknown() as z.ZodType<Readonly<Record<string, AuditCell>>>;

const exportState = z.strictObject({
  export: uuid,
  by: z.string(),
  began: time,
  state: z.enum(['running', 'ready', 'failed', 'cancelled']),
  sessions: count,
  done: count,
  /** Of the file so far, and in the end. */
  bytes: count,
  /** SHA-256 of the file, once it is there. */
  sha256: z.string().optional(),
  name: z.string(),
  /** Until when it can be fetched. */
  expires: time.nullable(),
  fault: z.string().optional(),
});
export type ExportState = z.infer<typeof exportState>;

const auditQuestion = {
  question: z.string().max(64),
  from: z.string().max(64).optional(),
  to: z.string().max(64).optional(),
  principal: name.optional(),
  onBehalfOf: name.optional(),
  target: name.optional(),
  protocol: name.optional(),
};

export const auditOperations = {
  'evidence.status': {
    http: 'GET /api/evidence',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'The ledger: its head and growth, and the last verification',
    input: nothing,
    output: z.strictObject({
      origin: z.string(),
      /** Verifier key of the ledger (C2SP signed-note). */
      key: z.string(),
      size: count,
      /** The last checkpoint (C2SP signed note), and when it was signed. */
      checkpoint: z.string(),
      signed: time.nullable(),
      /** When the first record was written. */
      first: time.nullable(),
      /** How many records each of the last 30 days has, the oldest first. */
      growth: z.array(z.strictObject({ day: z.string(), records: count })),
      sessions: count,
      /** Sessions that a crash cut short, that were erased, and that are held. */
      recovered: count,
      erased: count,
      held: count,
      verification: verification.nullable(),
    }),
  },
  'evidence.verify': {
    http: 'POST /api/evidence/verification',
    may: everyRole,
    onSocket: false,
    effect: 'write',
    summary: 'Verifies everything that is recorded, or says how far a verification that runs has come',
    input: nothing,
    output: verification,
  },
  'session.verify': {
    http: 'POST /api/sessions/{session}/verification',
    may: everyRole,
    onSocket: false,
    effect: 'write',
    summary: 'Verifies one session against the ledger',
    input: z.strictObject({ session: uuid }),
    output: z.strictObject({
      ok: z.boolean(),
      verified: time,
      records: count,
      segments: count,
      /** Size of the ledger at the checkpoint that everything was proved under. */
      size: count,
      steps: z.array(verdictStep),
      faults: z.array(z.string()),
    }),
  },
  'audit.questions': {
    http: 'GET /api/audit',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'The questions of an audit that can be asked',
    input: nothing,
    output: z.strictObject({
      questions: z.array(
        z.strictObject({
          name: z.string(),
          asks: z.string(),
          answered: z.enum(['yes', 'partly', 'no']),
          columns: z.array(auditColumn),
          filters: z.array(z.enum(['principal', 'onBehalfOf', 'target', 'protocol'])),
          /** What today's records do not say of it. */
          limits: z.array(z.string()),
        }),
      ),
    }),
  },
  /** A question is a record. `/api/audit/{question}/csv` has the whole answer as CSV, with the same parameters. */
  'audit.ask': {
    http: 'GET /api/audit/{question}',
    may: everyRole,
    onSocket: false,
    effect: 'read',
    summary: 'The answer to a question, with the statement of how complete it is',
    input: z.strictObject({ ...auditQuestion, limit: z.coerce.number().int().min(1).max(10_000).default(1000) }),
    output: z.strictObject({
      columns: z.array(auditColumn),
      rows: z.array(auditRow),
      /** Rows that the answer has in all. */
      total: count,
      /** The statement of completeness, as a sentence or several; and as gateway/query/audit/statement.ts has it. */
      words: z.array(z.string()),
      statement: z.record(z.string(), z.unknown()),
    }),
  },
  'export.start': {
    http: 'POST /api/exports',
    may: exporters,
    onSocket: false,
    effect: 'write',
    summary: 'Begins to write a bundle of the sessions that are chosen. `/api/exports/{export}/bundle.zip` has it when it is ready',
    input: z.strictObject({ sessions: z.array(uuid).min(1).max(10_000).optional(), ...sessionChoice }),
    output: exportState,
  },
  'export.show': {
    http: 'GET /api/exports/{export}',
    may: exporters,
    onSocket: false,
    effect: 'read',
    summary: 'How far a bundle has come',
    input: z.strictObject({ export: uuid }),
    output: exportState,
  },
  'export.cancel': {
    http: 'POST /api/exports/{export}/cancel',
    may: exporters,
    onSocket: false,
    effect: 'write',
    summary: 'Ends the writing of a bundle, and deletes it',
    input: z.strictObject({ export: uuid }),
    output: exportState,
  },
} as const satisfies Record<string, OperationShape>;
