import type { z } from 'zod';
import { approvalsOperations } from './operations/approvals.ts';
import { auditOperations } from './operations/audit.ts';
import { credentialsOperations } from './operations/credentials.ts';
import { evidenceOperations } from './operations/evidence.ts';
import { gatewayOperations } from './operations/gateway.ts';
import { loginOperations } from './operations/login.ts';
import { operatorsOperations } from './operations/operators.ts';
import { recordingsOperations } from './operations/recordings.ts';
import { retentionOperations } from './operations/retention.ts';
import { reviewsOperations } from './operations/reviews.ts';
import { searchOperations } from './operations/search.ts';
import { sessionsOperations } from './operations/sessions.ts';
import type { OperationShape } from './operations/shape.ts';
import { supervisionOperations } from './operations/supervision.ts';

export type { Approval } from './operations/approvals.ts';
export type { ExportState, Verification } from './operations/audit.ts';
export type { RecordedSegment, RecordingOutline } from './operations/recordings.ts';
export { type MayAsk, type OperationShape, type Role, roles } from './operations/shape.ts';

/**
 * The operator API in one table: operation → how it is asked for over HTTPS, who may, what goes in and what comes out.
 * The gateway, the command line and the desktop are all checked against it, and `/openapi.json` is made from it.
 *
 * Input of a `GET` or `DELETE` comes in the path and the query, that of a `POST` in the path and a JSON body. Lists are
 * pages: `cursor` of the answer, given back, continues behind it; without one there is no more.
 */

export const operations = {
  ...gatewayOperations,
  ...sessionsOperations,
  ...searchOperations,
  ...recordingsOperations,
  ...supervisionOperations,
  ...approvalsOperations,
  ...loginOperations,
  ...operatorsOperations,
  ...credentialsOperations,
  ...evidenceOperations,
  ...auditOperations,
  ...reviewsOperations,
  ...retentionOperations,
} as const satisfies Record<string, OperationShape>;

export type OperationName = keyof typeof operations;
export type OperationInput<N extends OperationName> = z.infer<(typeof operations)[N]['input']>;
export type OperationOutput<N extends OperationName> = z.infer<(typeof operations)[N]['output']>;

interface Schemas<N extends OperationName> {
  readonly input: z.ZodType<OperationInput<N>>;
  readonly output: z.ZodType<OperationOutput<N>>;
}

/** The schemas of an operation, typed so that they go with the types of its name. */
export function schemasOf<N extends OperationName>(name: N): Schemas<N> {
  const schemas: { readonly [M in OperationName]: Schemas<M> } = operations;
  return schemas[name];
}

export function isOperation(candidate: string): candidate is OperationName {
  return Object.hasOwn(operations, candidate);
}
