import { z } from 'zod';
import { approvalStates } from '../approval.ts';
import { approvalRequestSchema } from '../record.ts';
import { everyRole, keyLine, nextPage, type OperationShape, page, sha256, signature, time, uuid } from './shape.ts';

const signedDecision = z.strictObject({
  verdict: z.enum(['approve', 'deny']),
  reviewer: z.string(),
  reason: z.string(),
  time,
  key: z.string(),
  signature: z.string(),
});

const approval = z.strictObject({
  request: approvalRequestSchema,
  state: z.enum(approvalStates),
  /** Of the ledger; part of what is signed. */
  origin: z.string(),
  decisions: z.array(signedDecision),
  /** Whether the operator who asks may decide it, and if not, why. */
  yours: z.strictObject({ may: z.boolean(), why: z.string().optional() }),
});
export type Approval = z.infer<typeof approval>;

const decisionInput = {
  approval: uuid,
  /** Of the request as it was shown: another one is not decided by this. */
  digest: sha256,
  verdict: z.enum(['approve', 'deny']),
  reason: z.string().trim().max(2000),
  key: keyLine,
  signature,
};

export const approvalsOperations = {
  'approval.list': {
    http: 'GET /api/approvals',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Requests for approval; those that wait, the next to expire first, unless all are asked for',
    input: z.strictObject({ ...page, all: z.stringbool().or(z.boolean()).default(false), session: uuid.optional() }),
    output: z.strictObject({ approvals: z.array(approval), ...nextPage }),
  },
  'approval.show': {
    http: 'GET /api/approvals/{approval}',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'One request, whole',
    input: z.strictObject({ approval: uuid }),
    output: approval,
  },
  'approval.decide': {
    http: 'POST /api/approvals/{approval}/decision',
    may: ['reviewer'],
    onSocket: false,
    effect: 'write',
    summary: "A reviewer's signed word on a request that waits, or, for break-glass, the review of what was done",
    input: z.strictObject(decisionInput),
    output: approval,
  },
} as const satisfies Record<string, OperationShape>;
