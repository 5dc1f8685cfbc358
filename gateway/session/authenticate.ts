import { asSallyportError } from '../base/errors.ts';
import { identifySshKey } from '../identity/identify.ts';
import type { Authenticated } from './session.ts';
import type { SessionParts } from './session-parts.ts';

/** A public key that a client offers, or has proved with a signature that the caller verified. */
export interface OfferedKey {
  readonly protocol: string;
  /** The user name that the client gave; untrusted. */
  readonly user: string;
  /** `address:port` of the client. */
  readonly source: string;
  readonly algorithm: string;
  readonly blob: Buffer;
}

export type Identified =
  | { readonly who: Authenticated; readonly refused?: never }
  | { readonly who?: never; readonly refused: string; readonly fingerprint: string };

/** Whose key this is. The caller has to verify the signature before it believes the answer. */
export function identifyKey(offer: OfferedKey, parts: SessionParts): Identified {
  const { user, algorithm, blob, source } = offer;
  const found = identifySshKey({ principals: parts.inForce().principals, user, keyAlgorithm: algorithm, keyBlob: blob });
  if (found.principal === undefined) return { refused: found.refused, fingerprint: found.fingerprint };
  const { principal, fingerprint } = found;
  const lock = parts.locks.lockOn(principal.name, principal.onBehalfOf);
  if (lock !== undefined) return { refused: `${lock.principal} is locked by ${lock.by}: ${lock.reason}`, fingerprint };
  const onBehalfOf = principal.onBehalfOf === undefined ? {} : { onBehalfOf: principal.onBehalfOf };
  return {
    who: {
      actor: {
        principal: principal.name,
        kind: principal.kind,
        ...onBehalfOf,
        authentication: { method: 'publickey', key: fingerprint },
        source,
      },
      facts: { name: principal.name, kind: principal.kind, ...onBehalfOf, groups: principal.groups },
    },
  };
}

/** A connection that ended without a log-in after trying. One record a connection, however many keys it offered. */
export interface FailedLogin {
  readonly protocol: string;
  readonly user: string;
  readonly source: string;
  readonly method: string;
  readonly key?: string;
  readonly reason: string;
}

export async function recordFailedLogin(failed: FailedLogin, gatewayName: string, parts: SessionParts): Promise<void> {
  const { protocol, user, source, method, key, reason } = failed;
  try {
    await parts.records.append({
      type: 'auth.refused',
      outcome: 'denied',
      actor: { principal: 'unknown', kind: 'unknown', source },
      target: { name: gatewayName, kind: 'gateway' },
      body: { protocol, method, user, ...(key === undefined ? {} : { key }), reason },
    });
  } catch (error) {
    const { code, message } = asSallyportError(error);
    parts.log.error({ code, source }, `a refused log-in could not be recorded: ${message}`);
  }
}
