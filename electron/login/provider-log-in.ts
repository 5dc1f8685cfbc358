import * as oidc from 'openid-client';
import type { OperationOutput } from '../../contract/operator-api.ts';
import { DesktopError, messageOf } from '../base/desktop-error.ts';
import { openLoopbackRedirect } from './loopback-redirect.ts';
import { isPlain, isSafeAddress, providerFailed, providerFailureIn, providerFetch } from './provider-fetch.ts';

const PATIENCE_SECONDS = 300;

type Provider = NonNullable<OperationOutput<'login.provider'>['provider']>;

export interface ProviderAnswer {
  readonly idToken: string;
  readonly nonce: string;
}

export interface ProviderLogInParts {
  /** Shows an address in the browser of the system. */
  readonly openInBrowser: (address: string) => Promise<void>;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly patienceSeconds?: number;
}

/**
 * The authorization code grant with PKCE for native programs (RFC 8252), in the system's browser, where the person's own
 * sessions and passkeys are and this app sees neither. Throws LOGIN_REFUSED and PROVIDER_FAILED.
 */
export async function logInAtProvider(
  { issuer, clientId, scopes }: Provider,
  { openInBrowser, signal, patienceSeconds = PATIENCE_SECONDS }: ProviderLogInParts,
): Promise<ProviderAnswer> {
  if (!isSafeAddress(issuer, issuer)) throw providerFailed('that the gateway names', 'has no address with https:');
  const deadline = AbortSignal.timeout(patienceSeconds * 1000);
  const ended = AbortSignal.any([signal, deadline]);
  try {
    return await flow(issuer, clientId, scopes, openInBrowser, ended);
  } catch (thrown) {
    if (signal.aborted) throw new DesktopError('LOGIN_REFUSED', 'the log-in was broken off', { cause: thrown });
    if (!deadline.aborted) throw thrown;
    throw new DesktopError('LOGIN_REFUSED', `nobody logged in within ${patienceSeconds} seconds`, { remedy: 'begin the log-in once more' });
  }
}

async function flow(
  issuer: string,
  clientId: string,
  scopes: readonly string[],
  openInBrowser: ProviderLogInParts['openInBrowser'],
  signal: AbortSignal,
): Promise<ProviderAnswer> {
  const client = await discovered(issuer, clientId, signal);
  const metadata = client.serverMetadata();
  if (metadata.authorization_endpoint === undefined || metadata.token_endpoint === undefined)
    throw providerFailed(issuer, 'has no authorization code flow');
  if (!isSafeAddress(metadata.authorization_endpoint, issuer)) throw providerFailed(issuer, 'would have the log-in at an insecure address');
  const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()];
  const redirect = await openLoopbackRedirect();
  try {
    const address = oidc.buildAuthorizationUrl(client, {
      redirect_uri: redirect.address,
      scope: scopes.join(' '),
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const answer = redirect.answer(state, signal);
    answer.catch(() => undefined); // It is awaited below; the browser may not even open.
    await openInBrowser(address.href);
    const { query, reply } = await answer;
    try {
      const idToken = await exchanged(query);
      reply(true);
      return { idToken, nonce };
    } catch (thrown) {
      reply(false);
      throw thrown;
    }
  } finally {
    redirect.close();
  }

  async function exchanged(query: URLSearchParams): Promise<string> {
    const iss = query.get('iss');
    if (iss !== null && iss !== issuer) throw new DesktopError('LOGIN_REFUSED', 'the answer comes from another identity provider'); // RFC 9207
    const error = query.get('error');
    if (error !== null) throw refusedBy(error, query.get('error_description'));
    try {
      const tokens = await oidc.authorizationCodeGrant(client, new URL(`${redirect.address}?${query.toString()}`), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      if (tokens.id_token !== undefined) return tokens.id_token;
    } catch (thrown) {
      signal.throwIfAborted();
      throw failureOf(issuer, thrown);
    }
    throw providerFailed(issuer, 'gives no ID token');
  }
}

async function discovered(issuer: string, clientId: string, signal: AbortSignal): Promise<oidc.Configuration> {
  const fetch = providerFetch(issuer, signal);
  try {
    // oxlint-disable-next-line typescript/no-deprecated -- marked so to stand out; our fetch lets no more through than loopback.
    const execute = isPlain(issuer) ? [oidc.allowInsecureRequests] : [];
    const client = await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), { [oidc.customFetch]: fetch, execute });
    client[oidc.customFetch] = fetch;
    return client;
  } catch (thrown) {
    signal.throwIfAborted();
    throw failureOf(issuer, thrown);
  }
}

/** What the provider's own words say is somebody else's text: shortened, and of one line. */
function refusedBy(error: string, description: string | null): DesktopError {
  const words = `${error}${description === null ? '' : `: ${description}`}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
  return new DesktopError('LOGIN_REFUSED', `the identity provider did not let you in (${words})`);
}

function failureOf(issuer: string, thrown: unknown): DesktopError {
  const ours = providerFailureIn(thrown);
  if (ours !== undefined) return ours;
  if (thrown instanceof oidc.ResponseBodyError) return refusedBy(thrown.error, thrown.error_description ?? null);
  return providerFailed(issuer, `gave an answer that cannot be used: ${messageOf(thrown)}`, thrown);
}
