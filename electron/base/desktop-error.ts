import type { BridgeError } from '../../contract/desktop-bridge.ts';
import { type ErrorCode, errorCodes } from '../../contract/error-codes.ts';

/** The one error type that reaches the person at the desktop. `message` says what happened and where, `remedy` what to do. */
export class DesktopError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, message: string, options: { remedy?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DesktopError';
    this.code = code;
    this.remedy = options.remedy;
  }
}

/** Of whatever was thrown. What is not one of ours is a defect: the page learns that there was one, and not what it said. */
export function toBridgeError(thrown: unknown): BridgeError {
  if (!(thrown instanceof DesktopError)) return { code: 'INTERNAL', message: 'the desktop app could not do this; its log says why' };
  const { code, message, remedy } = thrown;
  return remedy === undefined ? { code, message } : { code, message, remedy };
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** What a gateway said went wrong (RFC 9457, with our code and mend beside). */
export function refusalIn(text: string, status: number): DesktopError {
  const { code, detail, remedy } = membersOf(text);
  const known = errorCodes.find((candidate) => candidate === code) ?? 'INTERNAL';
  const message = typeof detail === 'string' ? detail : `the gateway answered with the status ${status}`;
  return new DesktopError(known, message, typeof remedy === 'string' ? { remedy } : {});
}

function membersOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // A proxy's page, or nothing: the status says it.
  }
}
