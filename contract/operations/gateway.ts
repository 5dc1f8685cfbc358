import { z } from 'zod';
import { actions } from '../policy.ts';
import { admin, count, everyRole, name, nextPage, nothing, type OperationShape, sha256, time, uuid } from './shape.ts';

export const gatewayOperations = {
  'gateway.status': {
    http: 'GET /api/status',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'How the gateway is: its version, what listens, how many sessions run and approvals wait',
    input: nothing,
    output: z.strictObject({
      name: z.string(),
      version: z.string(),
      origin: z.string(),
      started: time,
      listeners: z.array(z.strictObject({ protocol: z.string(), address: z.string() })),
      sessions: count,
      approvalsWaiting: count,
      policySet: z.string(),
      configuration: sha256,
      ledger: z.strictObject({ size: count, checkpoint: z.string() }),
      ready: z.boolean(),
      unready: z.string().optional(),
    }),
  },
  'config.reload': {
    http: 'POST /api/config/reload',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Reads configuration and policy again; what is in force stays when there is a fault',
    input: nothing,
    output: z.strictObject({ configuration: sha256, policySet: z.string() }),
  },
  'policy.text': {
    http: 'GET /api/policy/{policySet}',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'A policy set that is or was in force, as it is on record',
    input: z.strictObject({ policySet: sha256 }),
    output: z.strictObject({
      policySet: z.string(),
      source: z.enum(['allow-lists', 'cedar']),
      text: z.string(),
      since: time,
      current: z.boolean(),
    }),
  },
  'policy.try': {
    http: 'POST /api/policy/try',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'What the policy in force would say of an action',
    input: z.strictObject({
      principal: name,
      target: name,
      action: z.enum(actions),
      facts: z.record(z.string(), z.unknown()).default({}),
      source: z.string().max(255).default('127.0.0.1:0'),
      authentication: z.string().max(64).default('publickey'),
      time: z.string().max(64).optional(),
      sessionAge: count.default(0),
    }),
    output: z.strictObject({
      verdict: z.enum(['allow', 'deny', 'ask']),
      policies: z.array(z.string()),
      policySet: z.string(),
      reason: z.string(),
      rule: z.string().optional(),
      understood: z.record(z.string(), z.unknown()).optional(),
    }),
  },
  'index.rebuild': {
    http: 'POST /api/index/rebuild',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Makes anew what recordings are replayed and searched by: of one session, or of several at a time, oldest first',
    /** `cursor` of the answer, given back, goes on behind it; without one there are no more. */
    input: z.strictObject({ session: uuid.optional(), cursor: uuid.optional() }),
    /** `bytes` of recordings that were read. */
    output: z.strictObject({ sessions: count, segments: count, bytes: count, ...nextPage }),
  },
} as const satisfies Record<string, OperationShape>;
