import type { ErrorCode } from '../../contract/error-codes.ts';

/**
 * The one error type that reaches people. `message` says what happened and where; `remedy` says what to do about it.
 * Anything else that is thrown is a defect and is reported as INTERNAL.
 */
export class SallyportError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SallyportError';
    this.code = code;
    this.remedy = options.remedy;
  }
}

/** Wraps whatever was thrown, so that every catch site handles one type. */
export function asSallyportError(thrown: unknown, code: ErrorCode = 'INTERNAL'): SallyportError {
  if (thrown instanceof SallyportError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new SallyportError(code, message, { cause: thrown });
}

/** One line for a terminal: what happened, then what to do. */
export function describeError(error: SallyportError): string {
  return error.remedy === undefined ? error.message : `${error.message} (${error.remedy})`;
}
