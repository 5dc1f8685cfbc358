/**
 * Every code that a person using Sallyport may see, in a client's terminal, a log line, a record or the command line's
 * output. Each has an entry in docs/errors.md with its cause and its mend; a test holds the two lists equal.
 */
export const errorCodes = [
  // Configuration
  'CONFIG_UNREADABLE',
  'CONFIG_INVALID',
  // Getting in
  'AUTH_REFUSED',
  'TARGET_UNKNOWN',
  'ACCESS_DENIED',
  'TOO_MANY_SESSIONS',
  'GATEWAY_DRAINING',
  'CERTIFICATE_INVALID',
  'CREDENTIAL_REFUSED',
  'PROVIDER_FAILED',
  // Policy
  'POLICY_INVALID',
  // Approvals
  'APPROVAL_DENIED',
  'APPROVAL_EXPIRED',
  'APPROVAL_UNAVAILABLE',
  'APPROVAL_NOT_FOUND',
  'APPROVAL_OVER',
  'APPROVAL_NOT_YOURS',
  // Reviews
  'REVIEW_NOT_YOURS',
  // Reaching the target
  'TARGET_UNREACHABLE',
  'TARGET_TIMEOUT',
  'TARGET_HOST_KEY_CHANGED',
  'TARGET_LOGIN_REFUSED',
  'TARGET_LOST',
  'TARGET_CREDENTIAL_MISSING',
  // While a session runs
  'PROTOCOL_VIOLATION',
  'IDLE_TIMEOUT',
  'SESSION_TERMINATED',
  'PRINCIPAL_LOCKED',
  'ACTION_DENIED',
  // Recording
  'RECORDING_UNAVAILABLE',
  'RECORDING_FAILED',
  'RECORDING_DAMAGED',
  'DISK_LOW',
  'LEDGER_FAILED',
  // Ledger
  'LEDGER_BEHIND',
  'LEDGER_DAMAGED',
  'LEDGER_KEY_CHANGED',
  'LEDGER_KEY_INVALID',
  'LEDGER_NOTE_INVALID',
  'LEDGER_SIGNATURE_INVALID',
  // Bundles
  'BUNDLE_INVALID',
  'EXPORT_FAILED',
  'EXPORT_UNSIGNED',
  // Data directory
  'DATA_DIRECTORY_IN_USE',
  'DATA_DIRECTORY_INVALID',
  'DATA_DIRECTORY_NEWER',
  'SESSION_NOT_FOUND',
  'SESSION_AMBIGUOUS',
  'CHANNEL_NOT_FOUND',
  // The replay index
  'INDEX_INTERRUPTED',
  'QUERY_INVALID',
  // Retention
  'HOLD_NOT_FOUND',
  'SESSION_HELD',
  'ERASE_REFUSED',
  'ERASE_INCOMPLETE',
  'SIGNATURE_INVALID',
  // Asking a gateway
  'GATEWAY_UNREACHABLE',
  'LOGIN_REQUIRED',
  'LOGIN_REFUSED',
  'KEY_REFUSED',
  'ROLE_MISSING',
  'SESSION_NOT_LIVE',
  'CONFLICT',
  'GATEWAY_MISMATCH',
  'NOT_FOUND',
  'REQUEST_INVALID',
  // The desktop app
  'KEY_STORE_UNAVAILABLE',
  'NOT_CONFIRMED',
  'FILE_FAILED',
  // The command line
  'AUDIT_NOT_RECORDED',
  'USAGE',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];
