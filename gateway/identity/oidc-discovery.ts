import { z } from 'zod';
import { isSafeAddress, type OidcFetch, providerFailed } from './oidc-fetch.ts';

const address = z.string().max(2048);
const names = z.array(z.string().max(128)).max(100);

/** What is used of OpenID Connect Discovery section 3, RFC 8628 section 4 and RFC 9207 section 3. */
const metadataSchema = z.object({
  issuer: z.string(),
  jwks_uri: address,
  authorization_endpoint: address.optional(),
  token_endpoint: address.optional(),
  device_authorization_endpoint: address.optional(),
  token_endpoint_auth_methods_supported: names.optional(),
  id_token_signing_alg_values_supported: names.optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
});

type Read = z.infer<typeof metadataSchema>;
/** Without members that are there and undefined. */
export type OidcMetadata = { [K in keyof Read as undefined extends Read[K] ? never : K]: Read[K] } & {
  [K in keyof Read as undefined extends Read[K] ? K : never]?: Exclude<Read[K], undefined>;
};

/** What the provider says of itself. Throws PROVIDER_FAILED. */
export async function discoverProvider(issuer: string, fetch: OidcFetch): Promise<OidcMetadata> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    headers: { accept: 'application/json' },
  });
  if (response.status !== 200) throw providerFailed(issuer, `answers the question about itself with status ${response.status}`);
  let said: unknown;
  try {
    said = await response.json();
  } catch (thrown) {
    throw providerFailed(issuer, 'answers the question about itself with something that is no JSON', thrown);
  }
  const read = metadataSchema.safeParse(said);
  if (!read.success) {
    const member = read.error.issues[0]?.path.join('.') ?? '';
    throw providerFailed(issuer, `says of itself what OpenID Connect does not know${member === '' ? '' : `, at ${member}`}`);
  }
  const metadata = read.data;
  // Section 4.3: otherwise one provider could speak in the name of another.
  if (metadata.issuer !== issuer) {
    throw providerFailed(
      issuer,
      `calls itself ${JSON.stringify(metadata.issuer.slice(0, 200))}: the issuer has to be configured exactly so`,
    );
  }
  const { jwks_uri, authorization_endpoint, token_endpoint, device_authorization_endpoint } = metadata;
  for (const [name, value] of Object.entries({ jwks_uri, authorization_endpoint, token_endpoint, device_authorization_endpoint })) {
    if (value !== undefined && !isSafeAddress(value, issuer)) throw providerFailed(issuer, `has no safe address for ${name}`);
  }
  return metadata as OidcMetadata;
}
