import { ClientError, ResponseBodyError } from 'openid-client';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { OidcMetadata } from '../identity/oidc-discovery.ts';
import { type OidcFetch, providerFailed, providerFailureIn } from '../identity/oidc-fetch.ts';
import type { LogInProvider } from './oidc-flows.ts';

/** What a flow on the command line works with. */
export interface FlowParts {
  readonly provider: LogInProvider;
  readonly metadata: OidcMetadata;
  readonly fetch: OidcFetch;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export function refusedByProvider(error: string, description: string | null | undefined): SallyportError {
  const said = description ? `${error}: ${description}` : error;
  return new SallyportError('LOGIN_REFUSED', `the identity provider said no: ${printable(said).slice(0, 300)}`, {
    remedy: 'begin the log-in once more',
  });
}

/** Of what went wrong between this program and the provider. */
export function failureOf(issuer: string, thrown: unknown): SallyportError {
  const known = providerFailureIn(thrown);
  if (known !== undefined) return known;
  if (thrown instanceof ResponseBodyError) {
    // The client is unknown there, or may not do this: nothing that the person could do better.
    const configured = ['invalid_client', 'unauthorized_client', 'invalid_scope', 'unsupported_grant_type'].includes(thrown.error);
    if (!configured) return refusedByProvider(thrown.error, thrown.error_description);
    return providerFailed(issuer, `does not serve this client (${printable(thrown.error)})`, thrown);
  }
  if (thrown instanceof ClientError && thrown.code?.startsWith('OAUTH_JWT') === true)
    return providerFailed(issuer, 'gives an ID token that does not belong to this log-in', thrown);
  return providerFailed(
    issuer,
    `does not answer as it should: ${thrown instanceof Error ? printable(thrown.message).slice(0, 300) : ''}`,
    thrown,
  );
}
