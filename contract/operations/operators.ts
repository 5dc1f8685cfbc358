import { z } from 'zod';
import { admin, count, everyRole, name, nothing, type OperationShape, reason, roles, time } from './shape.ts';

export const operatorsOperations = {
  'operator.list': {
    http: 'GET /api/operators',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Operators and their roles, and the log-ins and tokens in force',
    input: nothing,
    output: z.strictObject({
      operators: z.array(
        z.strictObject({ name: z.string(), roles: z.array(z.enum(roles)), groups: z.array(z.string()), disabled: z.boolean() }),
      ),
      tokens: z.array(
        z.strictObject({
          id: z.string(),
          operator: z.string(),
          roles: z.array(z.enum(roles)),
          kind: z.enum(['login', 'program']),
          expires: time,
        }),
      ),
    }),
  },
  'operator.token': {
    http: 'POST /api/operators/tokens',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Makes a token for a program, in the name of an operator and with no more than their roles. It is shown once',
    input: z.strictObject({ operator: name, roles: z.array(z.enum(roles)).min(1), days: z.number().int().min(1).max(366), reason }),
    output: z.strictObject({ id: z.string(), token: z.string(), expires: time }),
  },
  'operator.revoke': {
    http: 'POST /api/operators/revoke',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Ends a log-in or a token, or all of an operator',
    input: z.strictObject({ token: z.string().max(64).optional(), operator: name.optional(), reason }),
    output: z.strictObject({ revoked: count }),
  },
} as const satisfies Record<string, OperationShape>;
