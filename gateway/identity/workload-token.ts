import { createHash } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { UsedOnce } from '../base/used-once.ts';
import { reasonAgainst } from './identify.ts';
import type { Principal } from './principal.ts';
import { agentOf, type WorkloadIssuer } from './workload.ts';

/** Tokens of CI systems and Kubernetes have 1 to 3 KiB. */
const MAX_TOKEN_CHARACTERS = 16 * 1024;
/** Asymmetric ones alone: with those of a shared secret, whoever can verify a token can make one. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
/** How far the clocks of issuer and gateway may differ. */
const TOLERANCE_SECONDS = 30;
const LONGEST_SECONDS = 3600;
const MAX_CHAIN = 4;

/** What a token is held against. One for each configuration in force, except for `spent`. */
export interface WorkloadTrust {
  readonly principals: ReadonlyMap<string, Principal>;
  readonly issuers: readonly { readonly workload: WorkloadIssuer; readonly keys: JWTVerifyGetKey }[];
  readonly spent: UsedOnce;
}

export interface WorkloadGrant {
  readonly agent: Principal;
  readonly onBehalfOf: string;
  /** Whether that is the token's word and not the configuration's. */
  readonly delegated: boolean;
  readonly workload: string;
  readonly targets?: readonly string[];
  /** For the record. */
  readonly proof: Readonly<Record<string, unknown>>;
  readonly refused?: undefined;
}

/** `refused` is for the record: whoever showed the token is not told. `subject` is what it says of itself, where it says so. */
export interface TokenRefused {
  readonly refused: string;
  readonly subject?: string;
  /** The issuer's keys could not be had: the token may be as good as any. */
  readonly unreachable?: true;
}

/** Says which agent a token speaks of, and for whom it acts (RFC 8693 section 4.1). `now`: wall clock, seconds since 1970. */
export async function exchangeWorkloadToken(token: string, trust: WorkloadTrust, now: number): Promise<WorkloadGrant | TokenRefused> {
  if (token.length > MAX_TOKEN_CHARACTERS) return { refused: `the token has more than ${MAX_TOKEN_CHARACTERS} characters` };
  const claimed = claimsOf(token);
  if (claimed === undefined) return { refused: 'it is not a JWT' };
  const subject = typeof claimed.sub === 'string' ? { subject: short(claimed.sub) } : {};
  const audiences = [claimed.aud].flat();
  const candidate = trust.issuers.find(({ workload }) => workload.issuer === claimed.iss && audiences.includes(workload.audience));
  if (candidate === undefined) {
    const known = trust.issuers.some(({ workload }) => workload.issuer === claimed.iss);
    return { refused: known ? 'the token is for another audience' : 'the issuer of the token is not in the configuration', ...subject };
  }
  const { workload, keys } = candidate;
  const verified = await verify(token, workload, keys, now);
  if (!('payload' in verified)) return { ...verified, ...subject };
  const granted = grantOf(verified.payload, workload, trust.principals, now);
  if ('refused' in granted) return { ...granted, ...subject };
  if (workload.singleUse) {
    const taken = trust.spent.take(idOf(token, verified.payload, workload), granted.until + TOLERANCE_SECONDS, now);
    if (taken !== 'taken')
      return { refused: taken === 'used' ? 'the token was used before' : 'too many tokens are remembered at the moment', ...subject };
  }
  return granted.grant;
}

/** What a token says, before anything of it is believed. */
function claimsOf(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

async function verify(
  token: string,
  { issuer, audience }: WorkloadIssuer,
  keys: JWTVerifyGetKey,
  now: number,
): Promise<{ readonly payload: JWTPayload } | TokenRefused> {
  try {
    return await jwtVerify(token, keys, {
      algorithms,
      issuer,
      audience,
      requiredClaims: ['exp', 'iat'],
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(now * 1000),
    });
  } catch (error) {
    if (!(error instanceof errors.JOSEError) || error.code === 'ERR_JWKS_TIMEOUT' || error.code === 'ERR_JOSE_GENERIC') {
      const why = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
      return { refused: `the keys of the issuer could not be had: ${short(why)}`, unreachable: true };
    }
    return { refused: `the token is not good: ${short(error.message)}` };
  }
}

function grantOf(
  payload: JWTPayload,
  workload: WorkloadIssuer,
  principals: ReadonlyMap<string, Principal>,
  now: number,
): { readonly grant: WorkloadGrant; readonly until: number } | TokenRefused {
  const { exp = 0, iat = 0, jti, act } = payload;
  if (exp > now + LONGEST_SECONDS + TOLERANCE_SECONDS) return { refused: 'the token is good for longer than an hour' };
  if (iat > now + TOLERANCE_SECONDS) return { refused: 'the token is from the future' };
  const human = act === undefined ? undefined : payload.sub;
  const actors = act === undefined ? [] : actorsIn(act);
  if (actors === undefined) return { refused: 'the act claim of the token is not as RFC 8693 has it' };
  if (act !== undefined && (typeof human !== 'string' || human === ''))
    return { refused: 'the token has an actor and says not for whom it acts' };
  const own = payload[workload.subjectClaim];
  const subject = act === undefined ? own : actors[0];
  if (typeof subject !== 'string' || subject === '') return { refused: `the claim ${workload.subjectClaim} of the token is missing` };
  const entry = agentOf(workload, subject);
  if (entry === undefined) return { refused: `no agent is the workload "${short(subject)}" of ${workload.name}` };
  const agent = principals.get(entry.agent);
  if (agent?.kind !== 'agent' || agent.onBehalfOf === undefined) return { refused: `${entry.agent} is no agent of the configuration` };
  const onBehalfOf = human ?? agent.onBehalfOf;
  const delegated = onBehalfOf !== agent.onBehalfOf;
  if (delegated && !entry.delegation) return { refused: `${agent.name} may not act for ${short(onBehalfOf)}` };
  const against = reasonAgainst(agent, principals) ?? reasonAgainst({ ...agent, onBehalfOf }, principals);
  if (against !== undefined) return { refused: against };
  const proof = {
    method: 'workload-token',
    workload: workload.name,
    issuer: workload.issuer,
    subject: short(subject),
    ...(typeof jti === 'string' ? { id: short(jti) } : {}),
    ...(actors.length > 1 ? { actors: actors.map(short) } : {}),
  };
  const { targets } = entry;
  return {
    until: exp,
    grant: { agent, onBehalfOf, delegated, workload: workload.name, ...(targets === undefined ? {} : { targets }), proof },
  };
}

/** Who acts now, and through whom before that: only the first counts, the others are history (RFC 8693 section 4.1). */
function actorsIn(act: unknown): string[] | undefined {
  const actors: string[] = [];
  for (let actor = act; actor !== undefined; actor = (actor as { act?: unknown }).act) {
    if (typeof actor !== 'object' || actor === null || Array.isArray(actor) || actors.length === MAX_CHAIN) return undefined;
    const sub: unknown = 'sub' in actor ? actor.sub : undefined;
    if (typeof sub !== 'string' || sub === '') return undefined;
    actors.push(sub);
  }
  return actors;
}

/** What a stranger wrote, as a record takes it. */
function short(text: string): string {
  return text.slice(0, 500).toWellFormed();
}

/** Of a token without an id, what was signed: the signature itself may have more than one spelling. */
function idOf(token: string, { jti }: JWTPayload, { issuer }: WorkloadIssuer): string {
  const own = typeof jti === 'string' && jti !== '' ? `id ${jti}` : `text ${token.slice(0, token.lastIndexOf('.'))}`;
  return createHash('sha256').update(`${issuer}\0${own}`).digest('base64');
}
