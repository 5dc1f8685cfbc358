import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oidc from 'openid-client';
import { SallyportError } from '../base/errors.ts';
import { oidcClient } from '../identity/oidc-client.ts';
import { providerFailed } from '../identity/oidc-fetch.ts';
import { type FlowParts, failureOf, refusedByProvider } from './oidc-flow-parts.ts';
import type { ProviderAnswer } from './oidc-flows.ts';

const PATIENCE_SECONDS = 300;
/** Requests that are not the one that is waited for, until something is clearly wrong. */
const MOST_STRAY = 50;

/** The authorization code grant with PKCE for native programs: RFC 8252 with a redirect to the loopback interface. */
export async function logInByBrowser(
  { provider, metadata, fetch, say, signal }: FlowParts,
  patienceSeconds: number = PATIENCE_SECONDS,
): Promise<ProviderAnswer> {
  const { issuer, clientId, scopes } = provider;
  if (metadata.authorization_endpoint === undefined || metadata.token_endpoint === undefined)
    throw providerFailed(issuer, 'has no authorization code flow');
  const client = oidcClient(metadata, clientId, oidc.None(), (address, request) => fetch(address, { ...request, signal }));
  const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()];

  const server = createServer({ maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 10_000 });
  server.maxConnections = 16;
  // The address and not a name: nothing but this machine can be meant (section 8.3).
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const redirect = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  try {
    const address = oidc.buildAuthorizationUrl(client, {
      redirect_uri: redirect,
      scope: scopes.join(' '),
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const deadline = AbortSignal.timeout(patienceSeconds * 1000);
    const answer = answerTo(server, new URL(redirect), state, AbortSignal.any([signal, deadline]));
    say(`Open this address in a browser on this machine:\n${address.href}`);
    const { query, response } = await answer.catch((thrown: unknown) => {
      signal.throwIfAborted();
      if (!deadline.aborted) throw thrown;
      throw new SallyportError('LOGIN_REFUSED', `nobody logged in within ${patienceSeconds} seconds`, {
        remedy: 'begin the log-in once more',
      });
    });
    try {
      const outcome = await exchange(query);
      reply(response, 200, 'Done. You can close this window and go back to the terminal.');
      return outcome;
    } catch (thrown) {
      reply(response, 400, 'This did not work. The terminal says why.');
      throw thrown;
    }
  } finally {
    server.close();
    server.closeIdleConnections();
    // The page may still be on its way.
    setTimeout(() => server.closeAllConnections(), 1000).unref();
  }

  async function exchange(query: URLSearchParams): Promise<ProviderAnswer> {
    const iss = query.get('iss');
    if (iss !== null && iss !== issuer) throw new SallyportError('LOGIN_REFUSED', 'the answer comes from another identity provider'); // RFC 9207
    const error = query.get('error');
    if (error !== null) throw refusedByProvider(error, query.get('error_description'));
    try {
      const tokens = await oidc.authorizationCodeGrant(client, new URL(`${redirect}?${query.toString()}`), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      if (tokens.id_token !== undefined) return { idToken: tokens.id_token, nonce };
    } catch (thrown) {
      signal.throwIfAborted();
      throw failureOf(issuer, thrown);
    }
    throw providerFailed(issuer, 'gives no ID token');
  }
}

interface Answer {
  readonly query: URLSearchParams;
  readonly response: ServerResponse;
}

/**
 * The one request that brings what the provider says. Any page in any browser on this machine can send others here; they
 * do not have the state, and so neither end the log-in nor get anything out of it.
 */
function answerTo(server: Server, redirect: URL, state: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let stray = 0;
    let found = false;
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    if (signal.aborted) reject(signal.reason as Error);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      request.resume();
      const asked = URL.parse(request.url ?? '', redirect.href);
      // Another host is a name that somebody has pointed here (DNS rebinding).
      const isIt =
        !found &&
        request.method === 'GET' &&
        request.headers.host === redirect.host &&
        asked?.pathname === redirect.pathname &&
        asked.searchParams.getAll('state').length === 1 &&
        asked.searchParams.get('state') === state;
      if (isIt && asked !== null) {
        found = true;
        resolve({ query: asked.searchParams, response });
        return;
      }
      reply(response, 404, 'There is nothing here.');
      if (++stray >= MOST_STRAY)
        reject(
          new SallyportError('LOGIN_REFUSED', 'something on this machine keeps sending other requests to where the log-in is waited for'),
        );
    });
  });
}

function reply(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sallyport</title></head><body><p>${text}</p></body></html>\n`,
  );
}
