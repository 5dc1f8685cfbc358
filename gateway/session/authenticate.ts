import { asSallyportError } from '../base/errors.ts';
import { faultOfSignature } from '../base/ssh-key-signature.ts';
import { identifySshKey } from '../identity/identify.ts';
import { identifyCertificate, isCertificateAlgorithm } from '../identity/identify-certificate.ts';
import { fingerprintOf } from '../identity/ssh-public-key.ts';
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
  | {
      readonly who: Authenticated;
      /** Of a certificate: what is wrong with a signature over these bytes, in words. Of a key it is the caller's to verify. */
      readonly faultOfSignature?: (signature: Buffer, signed: Buffer) => string | undefined;
      readonly refused?: never;
    }
  | { readonly who?: never; readonly refused: string; readonly fingerprint: string };

/** Whose key or certificate this is. The signature has to be verified before the answer is believed. */
export function identifyKey(offer: OfferedKey, parts: SessionParts): Identified {
  const identified = isCertificateAlgorithm(offer.algorithm) ? identifyByCertificate(offer, parts) : identifyByKey(offer, parts);
  if (identified.who === undefined) return identified;
  const { principal, onBehalfOf, authentication } = identified.who.actor;
  const lock = parts.locks.lockOn(principal, onBehalfOf);
  if (lock === undefined) return identified;
  return { refused: `${lock.principal} is locked by ${lock.by}: ${lock.reason}`, fingerprint: authentication?.key ?? '' };
}

/** How records name the two. */
export function methodOf({ algorithm }: Pick<OfferedKey, 'algorithm'>): 'certificate' | 'publickey' {
  return isCertificateAlgorithm(algorithm) ? 'certificate' : 'publickey';
}

function identifyByCertificate({ algorithm, blob, source }: OfferedKey, parts: SessionParts): Identified {
  const { principals, certificates: trust } = parts.inForce();
  if (trust === undefined) return { refused: 'no certificates are taken here', fingerprint: fingerprintOf(blob) };
  const now = Math.floor(parts.clock.wallMicros() / 1e6);
  const found = identifyCertificate({ principals, trust, algorithm, blob, source, now });
  if (found.principal === undefined) return { refused: found.refused, fingerprint: found.fingerprint };
  const { principal, fingerprint, certifiedKey, signatureType, facts, provider, restrictions } = found;
  const { name, kind, groups, ...onBehalfOf } = principal;
  return {
    who: {
      actor: {
        principal: name,
        kind,
        ...onBehalfOf,
        authentication: {
          method: 'certificate',
          key: fingerprint,
          certificate: facts,
          ...(provider === undefined ? {} : { provider }),
        },
        source,
      },
      facts: { name, kind, ...onBehalfOf, groups },
      restrictions,
    },
    faultOfSignature: (signature, signed) => faultOfSignature(certifiedKey, signature, signed, signatureType),
  };
}

function identifyByKey(offer: OfferedKey, parts: SessionParts): Identified {
  const { user, algorithm, blob, source } = offer;
  const found = identifySshKey({ principals: parts.inForce().principals, user, keyAlgorithm: algorithm, keyBlob: blob });
  if (found.principal === undefined) return { refused: found.refused, fingerprint: found.fingerprint };
  const { principal, fingerprint } = found;
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

export async function recordFailedLogin(
  failed: FailedLogin,
  gatewayName: string,
  parts: { readonly records: Pick<SessionParts['records'], 'append'>; readonly log: SessionParts['log'] },
): Promise<void> {
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
