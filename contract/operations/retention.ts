import { z } from 'zod';
import { sessionScope } from '../record.ts';
import { admin, count, keyLine, nothing, type OperationShape, reason, signature, uuid } from './shape.ts';

/** A session that a run of the retention is about. */
const retained = z.strictObject({ session: uuid, started: z.string(), target: z.string(), principal: z.string(), bytes: count });

export const retentionOperations = {
  'hold.set': {
    http: 'POST /api/holds',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Holds sessions: they neither expire nor are they erased',
    input: z.strictObject({ scope: sessionScope, reason }),
    output: z.strictObject({ hold: uuid, sessions: count }),
  },
  'hold.clear': {
    http: 'POST /api/holds/{hold}/clear',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Ends a hold',
    input: z.strictObject({ hold: uuid, reason }),
    output: nothing,
  },
  'retention.run': {
    http: 'POST /api/retention/run',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Deletes what is kept longer than the configuration says, or only says what it would delete',
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
    http: 'POST /api/erasures',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Carries out a request for erasure that two admins have signed',
    input: z.strictObject({
      /** The request, exactly as it was signed. */
      document: z.string().min(1).max(32_768),
      signatures: z.array(z.strictObject({ key: keyLine, signature })).max(16),
    }),
    output: z.strictObject({ sessions: count, files: count, records: count }),
  },
} as const satisfies Record<string, OperationShape>;
