import { allowInsecureRequests, type ClientAuth, Configuration, customFetch, type ServerMetadata } from 'openid-client';
import type { OidcMetadata } from './oidc-discovery.ts';
import { isPlain, type OidcFetch } from './oidc-fetch.ts';

/** What a flow is carried out with. Every request goes through our own fetch, which bounds it. */
export function oidcClient(metadata: OidcMetadata, clientId: string, authentication: ClientAuth, fetch: OidcFetch): Configuration {
  const server: ServerMetadata = { ...metadata };
  const client = new Configuration(server, clientId, {}, authentication);
  client[customFetch] = (address, { method, headers, body, signal }) =>
    fetch(address, { method, headers, ...(body == null ? {} : { body }), ...(signal === undefined ? {} : { signal }) });
  // oxlint-disable-next-line typescript/no-deprecated -- marked so to stand out; our fetch lets no more through than loopback.
  if (isPlain(metadata.issuer)) allowInsecureRequests(client);
  return client;
}
