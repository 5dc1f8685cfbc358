import { createHash, timingSafeEqual } from 'node:crypto';
import * as oidc from 'openid-client';
import { SallyportError } from '../base/errors.ts';
import { oidcClient } from './oidc-client.ts';
import type { OidcMetadata } from './oidc-discovery.ts';
import { providerFailed } from './oidc-fetch.ts';
import type { OidcProvider } from './oidc-provider.ts';
import type { OidcPerson, OidcSettings } from './oidc-settings.ts';
import type { TicketSeal } from './oidc-ticket.ts';
import type { Principal } from './principal.ts';
import { readSecret } from './read-secret.ts';

/*
 * The authorization code flow with PKCE, carried out by the gateway for a browser (OpenID Connect Core section 3.1,
 * RFC 7636, RFC 9207, RFC 9700 section 2.1.1). The code never meets the verifier anywhere but here.
 */

/** For which somebody may take to log in at the provider. */
export const TICKET_SECONDS = 600;
/** Requests to the provider that strangers can bring about at one time. */
const MOST_EXCHANGES = 16;

export interface BrowserFlowParts {
  readonly seal: TicketSeal;
  readonly principals: () => ReadonlyMap<string, Principal>;
  readonly now?: () => number;
}

export type BrowserOutcome =
  | { readonly person: OidcPerson /** Where the browser wanted to go. */; readonly to: string }
  | { readonly refused: string; readonly person?: undefined }
  /** In this browser no log-in waits for an answer. */
  | { readonly notBegun: true; readonly person?: undefined };

export class BrowserFlow {
  readonly #provider: OidcProvider;
  readonly #parts: Required<BrowserFlowParts>;
  #exchanges = 0;

  constructor(provider: OidcProvider, parts: BrowserFlowParts) {
    this.#provider = provider;
    this.#parts = { now: Date.now, ...parts };
  }

  /**
   * The provider's address to send the browser to, and what it is to bring back. `cameTo` is where the provider can send
   * it back to, unless the configuration says; only what was registered there counts. Throws PROVIDER_FAILED.
   */
  async begin(cameTo: string, to: string): Promise<{ address: string; ticket: string }> {
    const { settings } = this.#provider;
    // It has to be the same text when the code is exchanged (RFC 6749 section 4.1.3), so in the form that a URL keeps.
    const redirect = new URL(settings.redirect ?? cameTo).href;
    const metadata = await this.#provider.metadata();
    if (metadata.authorization_endpoint === undefined) throw providerFailed(settings.issuer, 'has no authorization endpoint');
    // Nothing is asked of the provider here, so the client needs no secret yet.
    const client = oidcClient(metadata, settings.clientId, oidc.None(), this.#provider.fetch);
    const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()];
    const address = oidc.buildAuthorizationUrl(client, {
      redirect_uri: redirect,
      scope: settings.scopes.join(' '),
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const until = this.#parts.now() + TICKET_SECONDS * 1000;
    return { address: address.href, ticket: this.#parts.seal.seal({ state, nonce, verifier, redirect, to, until }) };
  }

  /** What came of it. `query` is what the browser brought from the provider. Throws PROVIDER_FAILED. */
  async finish(query: URLSearchParams, sealed: string): Promise<BrowserOutcome> {
    const ticket = this.#parts.seal.open(sealed, this.#parts.now());
    if (ticket === undefined) return { notBegun: true };
    for (const name of ['state', 'code', 'iss', 'error'])
      if (query.getAll(name).length > 1) return { refused: `the answer of the provider has ${name} more than once` };
    // Otherwise anybody could have a browser finish a log-in that they began themselves (RFC 9700 section 4.7).
    if (!isSame(query.get('state') ?? '', ticket.state)) return { refused: 'the answer of the provider belongs to another log-in' };
    const { issuer } = this.#provider.settings;
    const iss = query.get('iss');
    if (iss !== null && iss !== issuer) return { refused: 'the answer comes from another provider' };
    const error = query.get('error');
    if (error !== null) return { refused: `the provider said no: ${shown(error)}` };
    if (this.#exchanges >= MOST_EXCHANGES) throw providerFailed(issuer, 'has too many log-ins to answer at the moment');
    this.#exchanges += 1;
    try {
      const answer = await this.#exchange(new URL(`${ticket.redirect}?${query.toString()}`), ticket);
      if (answer.idToken === undefined) return answer;
      const outcome = await this.#provider.verify(answer.idToken, { client: 'browser', nonce: ticket.nonce }, this.#parts.principals);
      return outcome.person === undefined ? outcome : { person: outcome.person, to: ticket.to };
    } finally {
      this.#exchanges -= 1;
    }
  }

  async #exchange(
    answered: URL,
    { state, nonce, verifier }: { state: string; nonce: string; verifier: string },
  ): Promise<{ idToken: string } | { refused: string; idToken?: undefined }> {
    const { settings } = this.#provider;
    const metadata = await this.#provider.metadata();
    const client = oidcClient(metadata, settings.clientId, authenticationOf(settings, metadata), this.#provider.fetch);
    try {
      const tokens = await oidc.authorizationCodeGrant(client, answered, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      if (tokens.id_token !== undefined) return { idToken: tokens.id_token };
    } catch (thrown) {
      if (thrown instanceof oidc.ResponseBodyError && thrown.error === 'invalid_grant')
        return { refused: 'the provider does not know this code (any more)' };
      if (thrown instanceof oidc.ResponseBodyError)
        throw providerFailed(
          settings.issuer,
          `does not exchange the code: ${shown(`${thrown.error} ${thrown.error_description ?? ''}`)}`,
          thrown,
        );
      throw this.#provider.failure(`does not exchange the code: ${wordsOf(thrown)}`, thrown);
    }
    throw providerFailed(settings.issuer, 'gives no ID token');
  }
}

/** RFC 6749 section 2.3.1 has the header as what every provider understands; a public client is known by PKCE alone. */
function authenticationOf({ clientSecret, issuer }: OidcSettings, metadata: OidcMetadata): oidc.ClientAuth {
  if (clientSecret === undefined) return oidc.None();
  const read = readSecret(clientSecret);
  if ('problem' in read) {
    throw new SallyportError('PROVIDER_FAILED', `the client secret for the identity provider ${issuer} cannot be used: ${read.problem}`, {
      remedy: read.mend,
    });
  }
  const secret = read.value.replace(/\r?\n$/, '');
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return methods.includes('client_secret_basic') ? oidc.ClientSecretBasic(secret) : oidc.ClientSecretPost(secret);
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}

/** A stranger's words, short and without anything that a terminal or a page would obey. */
function shown(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, '?')
    .trim()
    .slice(0, 200);
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? shown(thrown.message) : 'for no reason that it gives';
}
