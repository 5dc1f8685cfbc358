import { z } from 'zod';
import { count, nothing, type OperationShape, sha256 } from './shape.ts';

export const evidenceOperations = {
  /** Signs a checkpoint over everything that is recorded by now, and answers with it (C2SP signed note). */
  'ledger.sign': {
    http: undefined,
    may: 'local',
    onSocket: true,
    effect: 'write',
    summary: 'Signs a checkpoint over everything that is recorded by now',
    input: nothing,
    output: z.strictObject({ checkpoint: z.string() }),
  },
  /** Records that a bundle was written. Answers with the record's index in the ledger. */
  'export.recorded': {
    http: undefined,
    may: 'local',
    onSocket: true,
    effect: 'write',
    summary: 'Records that a bundle was written',
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
  /**
   * Signs the statement that a bundle with this tag manifest answers this question as of this checkpoint. The gateway
   * writes the statement itself, so its key signs nothing that somebody else has worded.
   */
  'attestation.sign': {
    http: undefined,
    may: 'local',
    onSocket: true,
    effect: 'write',
    summary: 'Signs the statement of a bundle',
    input: z.strictObject({
      tagManifest: sha256,
      question: z.record(z.string(), z.unknown()),
      /** A checkpoint that this gateway's ledger has signed. */
      checkpoint: z.string().max(16_384),
    }),
    /** A DSSE envelope as JSON. */
    output: z.strictObject({ envelope: z.string() }),
  },
} as const satisfies Record<string, OperationShape>;
