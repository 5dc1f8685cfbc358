import type { OperationOutput } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { discoverProvider } from '../identity/oidc-discovery.ts';
import { isSafeAddress, oidcFetch } from '../identity/oidc-fetch.ts';
import { logInByBrowser } from './oidc-browser-flow.ts';
import { logInByDevice } from './oidc-device-flow.ts';

/*
 * Logging in at the identity provider from a terminal. What comes of it is an ID token, which is sent to the gateway as
 * `login.oidc`; it is the gateway that checks it.
 */

/** As the gateway says it (`login.provider`). */
export type LogInProvider = NonNullable<OperationOutput<'login.provider'>['provider']>;

export interface ProviderLogInOptions {
  /** `device`: the person opens the address wherever they like and enters a code; `browser`: on this machine. */
  readonly how: 'device' | 'browser';
  /** Says something to the person, a line at a time. */
  readonly say: (line: string) => void;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

export interface ProviderAnswer {
  readonly idToken: string;
  /** That the token has to have; the device flow has none. */
  readonly nonce?: string;
}

/** Throws LOGIN_REFUSED when the person, the provider or the time says no, and PROVIDER_FAILED. Ctrl-C ends it. */
export async function providerLogIn(provider: LogInProvider, { how, say, signal }: ProviderLogInOptions): Promise<ProviderAnswer> {
  const { issuer } = provider;
  if (!isSafeAddress(issuer, issuer)) {
    throw new SallyportError('PROVIDER_FAILED', 'the identity provider that the gateway names has no address with https:', {
      remedy: 'have the section oidc of its configuration corrected',
    });
  }
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt);
  const ended = signal === undefined ? interrupted.signal : AbortSignal.any([interrupted.signal, signal]);
  try {
    const fetch = oidcFetch(issuer);
    const metadata = await discoverProvider(issuer, (address, request) => fetch(address, { ...request, signal: ended }));
    const flow = how === 'device' ? logInByDevice : logInByBrowser;
    return await flow({ provider, metadata, fetch, say, signal: ended });
  } catch (thrown) {
    if (ended.aborted) throw new SallyportError('LOGIN_REFUSED', 'the log-in was broken off', { cause: thrown });
    throw thrown;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}
