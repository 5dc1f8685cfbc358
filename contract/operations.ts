import { z } from 'zod';
import { sessionScope } from './record.ts';

/**
 * What can be asked of a gateway, in one table: name → input and output. A running gateway answers on its control
 * socket (`POST /operations/NAME`); for a stopped one the command line does the same with the same code. Both check
 * both sides against this table.
 */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
const count = z.number().int().nonnegative();
/** Why somebody does it, in their words; it stands in a record. */
const reason = z.string().trim().min(1).max(2000);
const nothing = z.strictObject({});

/** A session that a run of the retention is about. */
const retained = z.strictObject({ session: uuid, started: z.string(), target: z.string(), principal: z.string(), bytes: count });

const operations = {
  /** Signs a checkpoint over everything that is recorded by now, and answers with it (C2SP signed note). */
  'ledger.sign': { input: nothing, output: z.strictObject({ checkpoint: z.string() }) },

  /** Records that a bundle was written. Answers with the record's index in the ledger. */
  'export.recorded': {
    input: z.strictObject({
      question: z.record(z.string(), z.unknown()),
      sessions: count,
      records: count,
      leftOut: count,
      /** SHA-256 of the bundle's tag manifest. */
      manifest: sha256,
    }),
    output: z.strictObject({ index: count }),
  },

  /** Records that somebody looked at a session through its files, on this machine. */
  'view.recorded': {
    input: z.strictObject({
      session: uuid,
      how: z.enum(['play', 'transcript', 'details']),
      channel: count.optional(),
      /** Nanoseconds since the channel opened; of what was shown. */
      from: count.optional(),
      to: count.optional(),
    }),
    output: nothing,
  },

  /**
   * Signs the statement that a bundle with this tag manifest answers this question as of this checkpoint. The gateway
   * writes the statement itself, so its key signs nothing that somebody else has worded.
   */
  'attestation.sign': {
    input: z.strictObject({
      tagManifest: sha256,
      question: z.record(z.string(), z.unknown()),
      /** A checkpoint that this gateway's ledger has signed. */
      checkpoint: z.string().max(16_384),
    }),
    /** A DSSE envelope as JSON. */
    output: z.strictObject({ envelope: z.string() }),
  },

  'hold.set': { input: z.strictObject({ scope: sessionScope, reason }), output: z.strictObject({ hold: uuid, sessions: count }) },
  'hold.clear': { input: z.strictObject({ hold: uuid, reason }), output: nothing },

  'retention.run': {
    input: z.strictObject({ dryRun: z.boolean() }),
    output: z.strictObject({
      dryRun: z.boolean(),
      expired: z.array(retained),
      /** Would have expired if no hold stood on them. */
      held: z.array(retained),
      /** Records without a session that were erased. */
      records: count,
      /** Bytes of recordings that were deleted. */
      bytes: count,
    }),
  },

  'erase.run': {
    input: z.strictObject({
      /** The request, exactly as it was signed. */
      document: z.string().min(1).max(32_768),
      signatures: z.array(z.strictObject({ key: z.string().max(16_384), signature: z.string().max(16_384) })).max(16),
    }),
    output: z.strictObject({ sessions: count, files: count, records: count }),
  },
} as const;

export type OperationName = keyof typeof operations;
export type OperationInput<N extends OperationName> = z.infer<(typeof operations)[N]['input']>;
export type OperationOutput<N extends OperationName> = z.infer<(typeof operations)[N]['output']>;

/** The same table, typed so that the schemas of a name go with the types of that name. */
export const operationSchemas: {
  readonly [N in OperationName]: { readonly input: z.ZodType<OperationInput<N>>; readonly output: z.ZodType<OperationOutput<N>> };
} = operations;

export function isOperation(name: string): name is OperationName {
  return Object.hasOwn(operations, name);
}
