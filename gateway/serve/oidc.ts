import type { Config } from '../config/types.ts';
import type { BrowserFlow } from '../identity/oidc-browser-flow.ts';
import type { OidcProvider } from '../identity/oidc-provider.ts';
import type { OidcOutcome, OidcPerson, OidcSettings } from '../identity/oidc-settings.ts';
import type { BrowserLogIn } from '../operator-api/browser-log-in.ts';

/** What the operator API needs to let people in through an identity provider. */
export interface ProviderLogIns {
  /** For clients that run a flow themselves; null while the configuration names no provider. */
  provider(): { issuer: string; clientId: string; scopes: string[] } | null;
  /** Who the ID token of such a client speaks of. It is used up by that. Throws PROVIDER_FAILED. */
  verifyProviderToken(idToken: string, nonce?: string): Promise<OidcOutcome>;
  /** For the browser; undefined while the configuration names no provider. */
  browser(): BrowserLogIn<OidcPerson> | undefined;
}

interface InUse {
  /** Of the configuration that it was made for. */
  readonly settings: string;
  readonly provider: OidcProvider;
  readonly flow: BrowserFlow;
}

/**
 * Follows the configuration: another provider counts after a reload, and what is known of the same one stays. Which tokens
 * were used is remembered for as long as the gateway runs.
 *
 * What verifies is loaded by the first who logs in, so that a gateway without a provider does not have it in memory.
 */
export function providerLogIns(config: () => Config): ProviderLogIns {
  const started = Date.now();
  let machinery: Promise<(settings: OidcSettings) => InUse> | undefined;
  let inUse: InUse | undefined;

  const inForce = async (settings: OidcSettings): Promise<InUse> => {
    machinery ??= load(started, config);
    const make = await machinery;
    if (inUse?.settings !== JSON.stringify(settings)) inUse = make(settings);
    return inUse;
  };

  return {
    provider: () => {
      const { oidc } = config();
      if (oidc === undefined) return null;
      return { issuer: oidc.issuer, clientId: oidc.nativeClientId ?? oidc.clientId, scopes: [...oidc.scopes] };
    },
    verifyProviderToken: async (idToken, nonce) => {
      const { oidc } = config();
      if (oidc === undefined) return { refused: 'the configuration names no identity provider' };
      const { provider } = await inForce(oidc);
      return provider.verify(idToken, { client: 'native', nonce }, () => config().principals);
    },
    browser: () => {
      const { oidc } = config();
      if (oidc === undefined) return undefined;
      return {
        begin: async (cameTo, to) => (await inForce(oidc)).flow.begin(cameTo, to),
        finish: async (query, ticket) => (await inForce(oidc)).flow.finish(query, ticket),
      };
    },
  };
}

async function load(started: number, config: () => Config): Promise<(settings: OidcSettings) => InUse> {
  const [{ OidcProvider }, { BrowserFlow }, { TicketSeal }, { UsedTokens }] = await Promise.all([
    import('../identity/oidc-provider.ts'),
    import('../identity/oidc-browser-flow.ts'),
    import('../identity/oidc-ticket.ts'),
    import('../identity/oidc-used-tokens.ts'),
  ]);
  const used = new UsedTokens(started);
  const seal = new TicketSeal();
  return (settings) => {
    const provider = new OidcProvider(settings, { used });
    const flow = new BrowserFlow(provider, { seal, principals: () => config().principals });
    return { settings: JSON.stringify(settings), provider, flow };
  };
}
