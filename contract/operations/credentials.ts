import { z } from 'zod';
import { admin, keyLine, name, nothing, type OperationShape, reason, time } from './shape.ts';

export const credentialsOperations = {
  'credential.issue': {
    http: 'POST /api/credentials',
    may: 'anyone',
    onSocket: false,
    effect: 'write',
    summary:
      'A short-lived SSH certificate for a public key: for whoever has logged in, or for the workload that a token of a configured issuer speaks of',
    input: z.strictObject({
      key: keyLine,
      /** A JWT of a configured issuer; without it, the log-in of the request says who it is for. */
      token: z.string().max(65_536).optional(),
      /** Seconds; at most what the configuration allows. */
      seconds: z.number().int().min(30).max(86_400).optional(),
      targets: z.array(name).max(100).optional(),
    }),
    output: z.strictObject({ certificate: z.string(), serial: z.string(), principal: z.string(), validTo: time }),
  },
  'credential.revoke': {
    http: 'POST /api/credentials/revoke',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Revokes a certificate of the gateway by its serial number',
    input: z.strictObject({ serial: z.string().regex(/^\d{1,20}$/), reason }),
    output: nothing,
  },
  'credential.authority': {
    http: 'GET /api/credentials/authority',
    may: 'anyone',
    onSocket: true,
    effect: 'read',
    summary: "The public key of the gateway's certificate authority, and its host key",
    input: nothing,
    output: z.strictObject({ authority: z.string(), hostKey: z.string() }),
  },
} as const satisfies Record<string, OperationShape>;
