import type { CertificateFacts } from '../../contract/record.ts';
import { addressOf } from '../base/ip-address.ts';
import { faultOfSignature } from '../base/ssh-key-signature.ts';
import { isInNetworks, readCertificateOptions } from './certificate-options.ts';
import { type CertifiedIdentity, readIdentity } from './certified-identity.ts';
import { reasonAgainst } from './identify.ts';
import type { Principal } from './principal.ts';
import type { RevocationList } from './revocation-list.ts';
import { parseSshCertificate, type SshCertificate } from './ssh-certificate.ts';
import { fingerprintOf } from './ssh-public-key.ts';

/** Whose certificates are believed, and which of them no longer. One for each configuration that was in force. */
export interface CertificateTrust {
  /** The gateway's own authority, in wire format. */
  readonly own: Buffer;
  /** Authorities of others, by the fingerprint of their key. */
  readonly authorities: ReadonlyMap<string, { readonly name: string; readonly blob: Buffer }>;
  /** `unreadable`: there should be a list, and what it says is not known. Then no certificate is good. */
  readonly revocations?: RevocationList | 'unreadable';
  /** Of the gateway's own certificates, by their serial number. */
  readonly isRevoked: (serial: string) => boolean;
  /** Whether somebody enters whom only a certificate of the gateway's own knows, for example from an identity provider. */
  readonly admitUnlisted: boolean;
  /** Whether an entry of `workloads` may say for whom the agent acts. */
  readonly delegates: (workload: string, agent: string) => boolean;
}

export interface OfferedCertificate {
  readonly principals: ReadonlyMap<string, Principal>;
  readonly trust: CertificateTrust;
  /** As the client names it: `ssh-ed25519-cert-v01@openssh.com`, `rsa-sha2-256-cert-v01@openssh.com`. */
  readonly algorithm: string;
  readonly blob: Buffer;
  /** `address:port` of the client. */
  readonly source: string;
  /** Wall clock, seconds since 1970. */
  readonly now: number;
}

export interface CertifiedPrincipal {
  readonly name: string;
  readonly kind: 'human' | 'agent';
  readonly onBehalfOf?: string;
  readonly groups: readonly string[];
}

/** `refused` is for the record and the log, as it is of keys: the client is not told. */
export type CertificateIdentification =
  | {
      readonly principal: CertifiedPrincipal;
      /** Of the certified key. */
      readonly fingerprint: string;
      /** What has to have made the client's signature, in wire format. */
      readonly certifiedKey: Buffer;
      /** The kind of that signature. */
      readonly signatureType: string;
      readonly facts: CertificateFacts;
      readonly provider?: NonNullable<CertifiedIdentity['proof']['provider']>;
      readonly restrictions: CertificateRestrictions;
      readonly refused?: undefined;
    }
  | { readonly refused: string; readonly fingerprint: string; readonly principal?: undefined };

/** What session/session.ts takes as the restrictions of a session. */
export interface CertificateRestrictions {
  readonly forcedCommand?: string;
  readonly targets?: readonly string[];
  readonly terminal: boolean;
  readonly portForwarding: boolean;
  readonly agentForwarding: boolean;
}

/** How a client names a certificate when it offers it. */
export function isCertificateAlgorithm(algorithm: string): boolean {
  return algorithm.includes('-cert-v01@');
}

/**
 * Whom a certificate lets in. That the client holds the private half of the certified key is the listener's to verify. All of
 * it is decided on the certificate: that its key may also stand in the configuration by itself changes nothing.
 */
export function identifyCertificate(offer: OfferedCertificate): CertificateIdentification {
  const parsed = parseSshCertificate(offer.blob);
  if ('fault' in parsed) return { refused: parsed.fault, fingerprint: fingerprintOf(offer.blob) };
  const { certificate } = parsed;
  const fingerprint = fingerprintOf(certificate.key);
  const judged = judge(certificate, offer);
  if (typeof judged === 'string') return { refused: judged, fingerprint };
  const { id, serial, ca, validTo } = factsOf(certificate);
  return { ...judged, fingerprint, certifiedKey: certificate.key, facts: { id, serial, ca, validTo } };
}

type Judged = Pick<CertificateIdentification & { refused?: undefined }, 'principal' | 'signatureType' | 'provider' | 'restrictions'>;

function judge(certificate: SshCertificate, { principals, trust, algorithm, source, now }: OfferedCertificate): Judged | string {
  const signatureType = signatureTypeOf(algorithm, certificate);
  if (signatureType === undefined) return 'the name of the algorithm does not fit the certificate';
  if (certificate.type !== 'user') return 'it is a certificate for hosts, not for users';

  const own = certificate.ca.equals(trust.own);
  const authority = trust.authorities.get(fingerprintOf(certificate.ca));
  if (!own && authority?.blob.equals(certificate.ca) !== true)
    return `the authority ${fingerprintOf(certificate.ca)} that signed the certificate is not trusted`;
  const badSignature = faultOfSignature(certificate.ca, certificate.signature, certificate.signed);
  if (badSignature !== undefined) return `the authority's signature is not good: ${badSignature}`;

  // No leeway: whoever makes certificates can let them begin earlier, and one that has ended is over.
  if (BigInt(now) < certificate.validAfter) return 'the certificate is not valid yet';
  if (BigInt(now) >= certificate.validBefore) return 'the certificate has expired';

  if (trust.revocations === 'unreadable') return 'the revocation list cannot be read, so no certificate is taken';
  const revoked = trust.revocations?.reasonAgainst(certificate);
  if (revoked !== undefined) return `the certificate is revoked: ${revoked}`;
  if (own && trust.isRevoked(String(certificate.serial))) return 'the certificate is revoked: its serial number is revoked';

  const options = readCertificateOptions(certificate, own);
  if ('fault' in options) return options.fault;
  if (options.sourceAddresses !== undefined && isInNetworks(addressOf(source), options.sourceAddresses) !== true)
    return 'the certificate is not for this source address';

  const { forcedCommand, terminal, portForwarding, agentForwarding } = options;
  const restrictions = { ...(forcedCommand === undefined ? {} : { forcedCommand }), terminal, portForwarding, agentForwarding };
  if (!own) {
    const principal = principalIn(certificate.principals, principals);
    return typeof principal === 'string' ? principal : { principal, signatureType, restrictions };
  }
  const identity = options.identity === undefined ? undefined : readIdentity(options.identity);
  // The gateway's own authority may certify other things, too; those are no log-ins.
  if (identity === undefined) return 'the certificate does not say whom the gateway made it for';
  if (certificate.principals.length !== 1 || certificate.principals[0] !== identity.principal)
    return 'the principal of the certificate is not the one that it says it is for';
  const principal = certifiedPrincipal(identity, principals, trust);
  if (typeof principal === 'string') return principal;
  return {
    principal,
    signatureType,
    restrictions: { ...restrictions, ...(identity.targets === undefined ? {} : { targets: identity.targets }) },
    ...(identity.proof.provider === undefined ? {} : { provider: identity.proof.provider }),
  };
}

/** RFC 8332 section 3, for certificates: of RSA the client names the hash; SHA-1 is not taken. */
function signatureTypeOf(algorithm: string, { kind, keyType }: SshCertificate): string | undefined {
  if (keyType !== 'ssh-rsa') return algorithm === kind ? keyType : undefined;
  const named = /^(rsa-sha2-(?:256|512))-cert-v01@openssh\.com$/.exec(algorithm)?.[1];
  return named;
}

/** A certificate of somebody else's authority says names, and among them exactly one that is known here. */
function principalIn(names: readonly string[], principals: ReadonlyMap<string, Principal>): CertifiedPrincipal | string {
  const known = [...new Set(names)].map((name) => principals.get(name)).filter((principal) => principal !== undefined);
  const [principal, ...others] = known;
  if (names.length === 0) return 'the certificate names no principal';
  if (principal === undefined) return 'the certificate names no principal that is known';
  if (others.length > 0) return 'the certificate names more than one principal that is known';
  return reasonAgainst(principal, principals) ?? factsOfPrincipal(principal, principal.onBehalfOf, []);
}

function certifiedPrincipal(
  identity: CertifiedIdentity,
  principals: ReadonlyMap<string, Principal>,
  trust: CertificateTrust,
): CertifiedPrincipal | string {
  const { principal: name, kind, onBehalfOf, groups, listed, proof } = identity;
  const principal = principals.get(name);
  if (principal === undefined) {
    // Records use these words for who is not a principal.
    if (name === 'gateway' || name === 'unknown') return `nobody may be called ${name}`;
    if (listed || kind !== 'human' || onBehalfOf !== undefined) return `${name} is not known any more`;
    return trust.admitUnlisted ? { name, kind, groups } : `${name} is not in the configuration`;
  }
  if (principal.kind !== kind) return `${name} is another kind of principal by now`;
  const against = reasonAgainst(principal, principals);
  if (against !== undefined) return against;
  if (onBehalfOf === principal.onBehalfOf) return factsOfPrincipal(principal, onBehalfOf, groups);
  // Somebody else than the configuration says: then the workload's issuer has to be one that may say so, still now.
  if (onBehalfOf === undefined || kind !== 'agent') return `${name} acts for somebody else by now`;
  const mayDelegate = proof.delegated === true && proof.workload !== undefined && trust.delegates(proof.workload, name);
  if (!mayDelegate) return `${name} may not act for ${onBehalfOf}`;
  return reasonAgainst({ ...principal, onBehalfOf }, principals) ?? factsOfPrincipal(principal, onBehalfOf, groups);
}

function factsOfPrincipal(
  { name, kind, groups }: Principal,
  onBehalfOf: string | undefined,
  certified: readonly string[],
): CertifiedPrincipal {
  return { name, kind, ...(onBehalfOf === undefined ? {} : { onBehalfOf }), groups: [...new Set([...groups, ...certified])] };
}

/** The last second that JavaScript has a date for; certificates that are good for longer are good for ever. */
const LAST_SECOND = 253_402_300_799n;

function factsOf({ keyId, serial, ca, validBefore }: SshCertificate): CertificateFacts {
  const validTo = validBefore > LAST_SECOND ? 'forever' : new Date(Number(validBefore) * 1000).toISOString();
  return { id: keyId, serial: String(serial), ca: fingerprintOf(ca), validTo };
}
