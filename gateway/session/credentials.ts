import type { Actor } from '../../contract/record.ts';
import { type Clock, isoMicros } from '../base/clock.ts';
import { SallyportError } from '../base/errors.ts';
import { addressOf } from '../base/ip-address.ts';
import type { Log } from '../base/log.ts';
import type { AttemptLimiter } from '../identity/attempt-limiter.ts';
import type { CertificateAuthority } from '../identity/certificate-authority.ts';
import type { CertifiedIdentity } from '../identity/certified-identity.ts';
import { reasonAgainst } from '../identity/identify.ts';
import { type CertificateLifetimes, issueCertificate } from '../identity/issue-certificate.ts';
import { exchangeWorkloadToken, type WorkloadTrust } from '../identity/workload-token.ts';
import type { Records } from '../ledger/records.ts';
import { recordFailedLogin } from './authenticate.ts';
import type { Locks } from './locks.ts';

/** What certificates are made with. What a reload may change is asked for at each use. */
export interface CredentialParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly records: Pick<Records, 'append'>;
  readonly limiter: AttemptLimiter;
  readonly locks: Pick<Locks, 'lockOn'>;
  /** How the gateway calls itself in records. */
  readonly gatewayName: string;
  readonly authority: CertificateAuthority;
  readonly inForce: () => CredentialsInForce;
}

export interface CredentialsInForce extends WorkloadTrust {
  readonly lifetimes: CertificateLifetimes;
  /** Whether somebody gets a certificate who has logged in and is not in the configuration. */
  readonly admitUnlisted: boolean;
}

/** Who asks for a certificate: whoever has logged in, or anybody with a token. */
export interface CertificateAsker {
  readonly actor: Actor;
  readonly operator?: {
    readonly name: string;
    readonly groups: readonly string[];
    /** Of a person, or of a program that has a token in the name of one. */
    readonly kind: 'login' | 'program';
    readonly authentication: NonNullable<Actor['authentication']>;
    /** They showed a key that is for the operator API alone. */
    readonly byRegisteredKey?: true;
  };
}

export interface CertificateRequest {
  readonly key: string;
  readonly token?: string | undefined;
  readonly seconds?: number | undefined;
  readonly targets?: readonly string[] | undefined;
}

export interface GivenCertificate {
  readonly certificate: string;
  readonly serial: string;
  readonly principal: string;
  /** ISO 8601 UTC with microseconds. */
  readonly validTo: string;
}

/** Whom a certificate is for, and why. */
interface Grant {
  readonly identity: CertifiedIdentity;
  readonly cameAbout: string;
  readonly actor: Actor;
  readonly proof: Readonly<Record<string, unknown>>;
}

/**
 * Gives a certificate to whoever has logged in, or to the agent that a token speaks of. That it was given is durable before
 * anybody has it. Throws LOGIN_REQUIRED, CREDENTIAL_REFUSED, PROVIDER_FAILED and REQUEST_INVALID; refusals are records.
 */
export async function giveCertificate(
  request: CertificateRequest,
  asker: CertificateAsker,
  parts: CredentialParts,
): Promise<GivenCertificate> {
  const { identity, cameAbout, actor, proof } =
    request.token === undefined ? await grantByLogin(request, asker, parts) : await grantByToken(request, request.token, asker, parts);
  const lock = parts.locks.lockOn(identity.principal, identity.onBehalfOf);
  if (lock !== undefined) {
    await recordRefusal(
      actor,
      identity.proof.method,
      identity.principal,
      `${lock.principal} is locked by ${lock.by}: ${lock.reason}`,
      parts,
    );
    throw refused(`${identity.principal} gets no certificate`);
  }
  const issued = issueCertificate(
    { key: request.key, seconds: request.seconds, identity, cameAbout },
    parts.authority,
    parts.inForce().lifetimes,
    Math.floor(parts.clock.wallMicros() / 1e6),
  );
  const { principal, onBehalfOf, targets } = identity;
  const validTo = isoMicros(issued.validBefore * 1e6);
  await parts.records.append({
    type: 'credential.issued',
    outcome: 'success',
    actor,
    target: { name: parts.gatewayName, kind: 'gateway' },
    body: {
      credential: 'ssh-certificate',
      id: issued.serial,
      principal,
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
      key: issued.key.fingerprint,
      ...(targets === undefined ? {} : { targets }),
      validFrom: isoMicros(issued.validAfter * 1e6),
      validTo,
      proof: { ...proof },
    },
  });
  parts.log.info({ serial: issued.serial, principal, onBehalfOf, validTo }, 'an SSH certificate was issued');
  return { certificate: issued.certificate, serial: issued.serial, principal, validTo };
}

async function grantByToken(
  { targets }: CertificateRequest,
  token: string,
  { actor }: CertificateAsker,
  parts: CredentialParts,
): Promise<Grant> {
  const { limiter } = parts;
  const address = addressOf(actor.source);
  if (!limiter.allows(address, performance.now())) {
    throw new SallyportError('CREDENTIAL_REFUSED', 'too many tokens of this address were refused; it is locked out for a while', {
      remedy: 'try again later',
    });
  }
  const granted = await exchangeWorkloadToken(token, parts.inForce(), parts.clock.wallMicros() / 1e6);
  if (granted.refused !== undefined) {
    if (granted.unreachable !== true && limiter.failed(address, performance.now()))
      parts.log.warn({ source: actor.source }, 'the source is locked out for a while: too many refused tokens');
    await recordRefusal(actor, 'workload-token', granted.subject ?? '', granted.refused, parts);
    if (granted.unreachable === true) {
      throw new SallyportError('PROVIDER_FAILED', "the keys of the token's issuer could not be had, so the token could not be checked", {
        remedy: 'see that the gateway reaches the address under workloads.keys',
      });
    }
    throw refused('the token was not taken');
  }
  limiter.succeeded(address);
  const { agent, onBehalfOf, delegated, workload, proof } = granted;
  const beyond = targets?.find((target) => granted.targets?.includes(target) === false);
  if (beyond !== undefined) {
    await recordRefusal(actor, 'workload-token', agent.name, `its tokens are not good for the target ${beyond}`, parts);
    throw refused(`a certificate for ${agent.name} at ${beyond} is not given for this token`);
  }
  const wanted = targets ?? granted.targets;
  return {
    identity: {
      principal: agent.name,
      kind: 'agent',
      onBehalfOf,
      groups: [],
      listed: true,
      ...(wanted === undefined ? {} : { targets: [...wanted] }),
      proof: { method: 'workload-token', workload, ...(delegated ? { delegated } : {}) },
    },
    cameAbout: `workload ${workload} (${String(proof.subject)})`,
    actor: { principal: agent.name, kind: 'agent', onBehalfOf, authentication: { method: 'workload-token' }, source: actor.source },
    proof,
  };
}

async function grantByLogin(
  { targets }: CertificateRequest,
  { actor, operator }: CertificateAsker,
  parts: CredentialParts,
): Promise<Grant> {
  if (operator === undefined) {
    throw new SallyportError('LOGIN_REQUIRED', 'a certificate is for whoever has logged in, or for the workload of a token', {
      remedy: 'log in: sallyport login --gateway https://HOST:PORT, or show a token with --token',
    });
  }
  const { principals, admitUnlisted } = parts.inForce();
  const { name, groups, authentication } = operator;
  const principal = principals.get(name);
  const against = reasonAgainstLogin(operator, principals, admitUnlisted);
  if (against !== undefined) {
    await recordRefusal(actor, authentication.method, name, against, parts);
    throw refused(operator.kind === 'program' ? against : `${name} gets no certificate`);
  }
  const { method, key, provider } = authentication;
  return {
    identity: {
      principal: name,
      kind: 'human',
      groups: [...groups],
      listed: principal !== undefined,
      ...(targets === undefined ? {} : { targets: [...targets] }),
      proof: { method, ...(provider === undefined ? {} : { provider }) },
    },
    cameAbout: `log-in (${provider === undefined ? method : provider.issuer})`,
    actor,
    proof: { method, ...(key === undefined ? {} : { key }), ...(provider === undefined ? {} : { ...provider }) },
  };
}

/** Why somebody who has logged in gets no certificate, for the record. */
function reasonAgainstLogin(
  { name, kind, byRegisteredKey }: NonNullable<CertificateAsker['operator']>,
  principals: CredentialsInForce['principals'],
  admitUnlisted: boolean,
): string | undefined {
  if (kind === 'program') return 'a token of a program gets no certificate';
  if (byRegisteredKey === true) return 'a key that was registered for signing lets nobody into a target';
  const principal = principals.get(name);
  if (principal === undefined) return admitUnlisted ? undefined : `${name} is not in the configuration`;
  return principal.kind === 'human' ? reasonAgainst(principal, principals) : `${name} is an agent`;
}

function refused(what: string): SallyportError {
  return new SallyportError('CREDENTIAL_REFUSED', what, { remedy: 'the record auth.refused of the gateway says why' });
}

function recordRefusal({ source }: Actor, method: string, user: string, reason: string, parts: CredentialParts): Promise<void> {
  return recordFailedLogin({ protocol: 'https', user, source, method, reason }, parts.gatewayName, parts);
}
