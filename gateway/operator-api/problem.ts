import { STATUS_CODES } from 'node:http';
import type { ErrorCode } from '../../contract/error-codes.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** RFC 9457, with our code and mend beside its own members. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly remedy?: string;
}

export function problem(status: number, error: SallyportError): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code: error.code,
    detail: error.message,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  };
}

/**
 * Of whatever a handler or the HTTP machinery threw. What is not one of our errors tells nothing of itself to the client:
 * its words may be about files or other people's requests. The log has them.
 */
export function problemOf(thrown: unknown): Problem {
  const status = statusOf(thrown);
  if (thrown instanceof SallyportError) return problem(status, thrown);
  if (status < 500) return problem(status, new SallyportError('REQUEST_INVALID', asSallyportError(thrown).message));
  return problem(status, new SallyportError('INTERNAL', 'the gateway could not answer this request; its log says why'));
}

/** An error whose status is not the usual one of its code. */
export class Refusal extends SallyportError {
  readonly status: number;

  constructor(status: number, { code, message, remedy }: SallyportError) {
    super(code, message, remedy === undefined ? {} : { remedy });
    this.status = status;
  }
}

const statuses: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  QUERY_INVALID: 400,
  SIGNATURE_INVALID: 400,
  USAGE: 400,
  CONFIG_INVALID: 400,
  CONFIG_UNREADABLE: 400,
  POLICY_INVALID: 400,
  LOGIN_REQUIRED: 401,
  LOGIN_REFUSED: 401,
  ROLE_MISSING: 403,
  ERASE_REFUSED: 403,
  APPROVAL_NOT_YOURS: 403,
  REVIEW_NOT_YOURS: 403,
  CREDENTIAL_REFUSED: 403,
  KEY_REFUSED: 403,
  ACCESS_DENIED: 403,
  NOT_FOUND: 404,
  SESSION_NOT_FOUND: 404,
  CHANNEL_NOT_FOUND: 404,
  HOLD_NOT_FOUND: 404,
  APPROVAL_NOT_FOUND: 404,
  TARGET_UNKNOWN: 404,
  CONFLICT: 409,
  SESSION_HELD: 409,
  SESSION_NOT_LIVE: 409,
  APPROVAL_OVER: 409,
  GATEWAY_MISMATCH: 409,
  PROVIDER_FAILED: 502,
  APPROVAL_UNAVAILABLE: 503,
  GATEWAY_DRAINING: 503,
  GATEWAY_UNREACHABLE: 503,
  LEDGER_FAILED: 503,
  DISK_LOW: 503,
};

function statusOf(thrown: unknown): number {
  if (thrown instanceof Refusal) return thrown.status;
  if (thrown instanceof SallyportError) return statuses[thrown.code] ?? 500;
  const status = typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? thrown.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500;
}
