import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import type { SallyportError } from '../base/errors.ts';
import { discoverProvider, type OidcMetadata } from './oidc-discovery.ts';
import { type OidcFetch, type OidcFetchLimits, oidcFetch, providerFailed, providerFailureIn } from './oidc-fetch.ts';
import { personOf } from './oidc-person.ts';
import type { OidcOutcome, OidcSettings } from './oidc-settings.ts';
import { checkIdToken } from './oidc-token.ts';
import type { UsedTokens } from './oidc-used-tokens.ts';
import type { Principal } from './principal.ts';

export interface OidcTimes {
  /** How long the provider's word about itself counts, and its keys: a withdrawn key counts for so long. */
  readonly metadataMillis: number;
  readonly keysMillis: number;
  /** After keys were fetched, so long nothing makes us fetch them again; and after a failure, so long nothing is tried. */
  readonly restMillis: number;
  readonly retryMillis: number;
}

const usualTimes: OidcTimes = { metadataMillis: 3_600_000, keysMillis: 300_000, restMillis: 10_000, retryMillis: 2000 };

export interface OidcProviderParts {
  readonly used: UsedTokens;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly limits?: Partial<OidcFetchLimits>;
  readonly times?: Partial<OidcTimes>;
}

/** What the flow that brought a token knows of it. */
export interface TokenOrigin {
  /** Whether the gateway ran the flow itself, in a browser, or a program did. */
  readonly client: 'browser' | 'native';
  readonly nonce?: string | undefined;
}

interface Discovered {
  readonly metadata: OidcMetadata;
  readonly keys: JWTVerifyGetKey;
}

/**
 * One identity provider. Nothing is asked of it before the first log-in, so that it may be down when the gateway starts,
 * and a change of the configuration makes another one of these.
 */
export class OidcProvider {
  readonly settings: OidcSettings;
  readonly fetch: OidcFetch;
  readonly #used: UsedTokens;
  readonly #now: () => number;
  readonly #times: OidcTimes;
  #discovering: Promise<Discovered> | undefined;
  #asksAgain = 0;

  constructor(settings: OidcSettings, { used, now, limits, times }: OidcProviderParts) {
    this.settings = settings;
    this.fetch = oidcFetch(settings.issuer, limits);
    this.#used = used;
    this.#now = now ?? Date.now;
    this.#times = { ...usualTimes, ...times };
  }

  /** Throws PROVIDER_FAILED. */
  async metadata(): Promise<OidcMetadata> {
    return (await this.#discovered()).metadata;
  }

  /** Who an ID token speaks of. It is used up by that. Throws PROVIDER_FAILED. */
  async verify(idToken: string, { client, nonce }: TokenOrigin, principals: () => ReadonlyMap<string, Principal>): Promise<OidcOutcome> {
    const { issuer, clientId, nativeClientId } = this.settings;
    const { keys } = await this.#discovered();
    const clients = [client === 'native' ? (nativeClientId ?? clientId) : clientId];
    const checked = await checkIdToken(idToken, keys, { issuer, clients, nonce, now: this.#now() });
    if (checked.claims === undefined) return checked;
    // From here on nothing is waited for: between looking and using, nobody else comes in with the same token.
    const outcome = personOf(checked.claims, this.settings, principals());
    if (outcome.person === undefined) return outcome;
    const refused = this.#used.use(checked.fingerprint, checked.claims.iat, this.#now());
    return refused === undefined ? outcome : { refused };
  }

  /** All who come at the same time wait for the same answer, and share its failure for a moment. */
  #discovered(): Promise<Discovered> {
    const now = performance.now();
    if (this.#discovering === undefined || now >= this.#asksAgain) {
      this.#asksAgain = Number.POSITIVE_INFINITY;
      const { metadataMillis, retryMillis } = this.#times;
      this.#discovering = this.#discover().then(
        (discovered) => {
          this.#asksAgain = performance.now() + metadataMillis;
          return discovered;
        },
        (thrown: unknown) => {
          this.#asksAgain = performance.now() + retryMillis;
          throw thrown;
        },
      );
    }
    return this.#discovering;
  }

  async #discover(): Promise<Discovered> {
    const metadata = await discoverProvider(this.settings.issuer, this.fetch);
    const { keysMillis, restMillis } = this.#times;
    const remote = createRemoteJWKSet(new URL(metadata.jwks_uri), {
      [customFetch]: this.fetch,
      cacheMaxAge: keysMillis,
      cooldownDuration: restMillis,
    });
    const keys: JWTVerifyGetKey = async (header, token) => {
      try {
        return await remote(header, token);
      } catch (thrown) {
        // These are about the token. Everything else is about what the provider has for keys.
        const ofToken = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];
        if (ofToken.some((kind) => thrown instanceof kind)) throw thrown;
        throw this.failure('has no keys that can be used', thrown);
      }
    };
    return { metadata, keys };
  }

  /** Of whatever a library threw while it dealt with the provider. */
  failure(what: string, thrown: unknown): SallyportError {
    return providerFailureIn(thrown) ?? providerFailed(this.settings.issuer, what, thrown);
  }
}
