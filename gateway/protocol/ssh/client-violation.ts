import { SallyportError } from '../../base/errors.ts';

/** The client said what no client may say; the session ends on it. */
export function clientViolation(what: string): SallyportError {
  return new SallyportError('PROTOCOL_VIOLATION', `the client broke the SSH connection protocol: ${what}`);
}
