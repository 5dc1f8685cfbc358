import { createHash } from 'node:crypto';
import { errors, type JWTHeaderParameters, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';

/** What an ID token has to be for somebody to be let in with it. */
export interface ExpectedToken {
  readonly issuer: string;
  /** Client ids; it has to be meant for one of them and nobody else. */
  readonly clients: readonly string[];
  /** Of the flow that brought it; a token without one is expected when there is none. */
  readonly nonce?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type IdTokenClaims = JWTPayload & { readonly iss: string; readonly sub: string; readonly iat: number };

export type CheckedToken =
  | { readonly claims: IdTokenClaims /** The same for every form in which this token can be written. */; readonly fingerprint: string }
  | { readonly refused: string; readonly claims?: undefined };

/**
 * Signatures by a private key that the provider alone has. `none` proves nothing, and the key of HS256 would be a text
 * that we have as well, or, for a verifier that can be confused, the provider's public key (RFC 8725 sections 2.1, 3.1).
 */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];

/** Seconds after its issue for which an ID token logs somebody in: it is what passes through other hands on its way. */
export const FRESH_SECONDS = 300;
/** Seconds by which the provider's clock may differ from ours. */
export const SKEW_SECONDS = 30;
const MAX_TOKEN_CHARACTERS = 65_536;

/** OpenID Connect Core section 3.1.3.7, read strictly. `keys` throws PROVIDER_FAILED when the provider's are not to be had. */
export async function checkIdToken(token: string, keys: JWTVerifyGetKey, expected: ExpectedToken): Promise<CheckedToken> {
  if (token.length > MAX_TOKEN_CHARACTERS) return { refused: 'the ID token is too long' };
  let payload: JWTPayload;
  let header: JWTHeaderParameters;
  try {
    const verified = await jwtVerify(token, keys, {
      algorithms,
      issuer: expected.issuer,
      audience: [...expected.clients],
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
      clockTolerance: SKEW_SECONDS,
      currentDate: new Date(expected.now),
    });
    payload = verified.payload;
    header = verified.protectedHeader;
  } catch (thrown) {
    const refused = reasonOf(thrown);
    if (refused === undefined) throw thrown;
    return { refused };
  }
  const { iss, sub, iat } = payload;
  const refused = reasonAgainst(payload, header, expected);
  if (refused !== undefined) return { refused };
  if (iss === undefined || typeof sub !== 'string' || typeof iat !== 'number') return { refused: 'the ID token is not complete' };
  return { claims: { ...payload, iss, sub, iat }, fingerprint: fingerprintOf(token) };
}

function reasonAgainst(claims: JWTPayload, { typ }: JWTHeaderParameters, { nonce, now }: ExpectedToken): string | undefined {
  const { aud, azp, iat, sub, events } = claims;
  // Access tokens (RFC 9068) and log-out tokens have the same issuer, and may have the same audience.
  if (typ !== undefined && typ.toUpperCase() !== 'JWT') return `it is a token of type ${quoted(typ)}, not an ID token`;
  if (events !== undefined) return 'it is a token about an event, not an ID token';
  if (typeof sub !== 'string' || sub === '' || sub.length > 255 || /\p{Cc}/u.test(sub))
    return 'the ID token has no subject that can be written down';
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'the ID token does not say when it was issued';
  const audience = Array.isArray(aud) ? aud : [aud];
  // Whoever else it is meant for has it too, and could log in with it here.
  if (audience.length !== 1) return 'the ID token is meant for others as well';
  if (azp !== undefined && azp !== audience[0]) return 'the ID token was issued to another client';
  if (claims.nonce !== nonce) return 'the ID token does not belong to this log-in: its nonce is another one';
  const age = Math.floor(now / 1000) - iat;
  if (age > FRESH_SECONDS + SKEW_SECONDS) return `the ID token was issued ${age} seconds ago, and is good for ${FRESH_SECONDS}`;
  if (age < -SKEW_SECONDS) return 'the ID token was issued in the future: compare the clocks of gateway and provider';
  return undefined;
}

/** Why a token is refused; undefined for what is not the token's fault. */
function reasonOf(thrown: unknown): string | undefined {
  if (thrown instanceof errors.JWTExpired) return 'the ID token has expired';
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    if (thrown.reason === 'missing') return `the ID token has no ${quoted(thrown.claim)}`;
    if (thrown.claim === 'aud') return 'the ID token is meant for another client';
    if (thrown.claim === 'iss') return 'the ID token is of another issuer';
    return `the ID token has a wrong ${quoted(thrown.claim)}`;
  }
  if (thrown instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the ID token is wrong';
  if (thrown instanceof errors.JOSEAlgNotAllowed) return 'the ID token is signed with an algorithm that is not accepted';
  if (thrown instanceof errors.JWKSNoMatchingKey) return 'the ID token is signed with a key that the provider does not have';
  if (thrown instanceof errors.JWKSMultipleMatchingKeys) return "the ID token does not say which of the provider's keys it is signed with";
  if (thrown instanceof errors.JOSENotSupported || thrown instanceof errors.JWSInvalid || thrown instanceof errors.JWTInvalid)
    return 'it is no ID token that can be read';
  return undefined;
}

/**
 * Of what is signed. The signature is left out, because it can be written in several ways: base64url has bits that no
 * decoder looks at, and an ECDSA signature (r, s) is as good as (r, n − s).
 */
function fingerprintOf(token: string): string {
  return createHash('sha256')
    .update(token.slice(0, token.lastIndexOf('.')))
    .digest('base64');
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
