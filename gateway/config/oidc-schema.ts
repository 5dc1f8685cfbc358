import type { z } from 'zod';
import { isSafeAddress } from '../identity/oidc-fetch.ts';
import type { OidcSettings } from '../identity/oidc-settings.ts';
import { type Environment, readSecret } from '../identity/read-secret.ts';
import { quoted } from './fault.ts';
import type { Findings } from './findings.ts';
import { flag, list, section, text, textLike } from './leaves.ts';
import { referenceSchema } from './target-schema.ts';
import type { Read } from './units.ts';
import { isSection, partOf, type Section } from './values.ts';

const clientId = () => textLike(/^[\x21-\x7e]{1,255}$/, 'It is what the provider calls this client: up to 255 characters without spaces.');
// RFC 6749 section 3.3.
const scope = textLike(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'A scope is one word, for example email.');
const claim = () =>
  textLike(/^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/, 'It is the name of a claim in the ID token, for example email or preferred_username.');
const group = textLike(
  /^(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,128}(?<!\s)$/u,
  'Write the group as it stands in the claim: up to 128 characters, without spaces around it.',
);
const groups = () => list(group, 'Write a list of groups of the provider, for example reviewer: [platform].').default([]);

export const oidcSchema = section(
  {
    issuer: text(
      "Write the provider's issuer exactly as its /.well-known/openid-configuration has it, for example issuer: https://id.example.com.",
      readIssuer,
    ),
    'client-id': clientId(),
    'client-secret': referenceSchema.optional(),
    'native-client-id': clientId().optional(),
    scopes: list(scope, 'Write a list of scopes, for example scopes: [openid, email, groups].').default(['openid', 'email']),
    'name-claim': claim().default('email'),
    'groups-claim': claim().default('groups'),
    unlisted: flag().default(false),
    redirect: text('Write the whole address, for example redirect: https://bastion.example.com/login/callback.', readRedirect).optional(),
    roles: section(
      { reviewer: groups(), auditor: groups(), admin: groups() },
      'Write a section, for example roles: { reviewer: [platform] }.',
    ).prefault({}),
  },
  'Write a section, for example oidc: { issuer: https://id.example.com, client-id: sallyport }.',
);

function readIssuer(value: string): Read<string> {
  const url = value.length <= 255 ? URL.parse(value) : null;
  if (url === null || !/^https?:\/\//.test(value)) return { problem: `${quoted(value)} is no address` };
  // OpenID Connect Core section 2. A provider on this machine may do without TLS: nobody is in between.
  if (!isSafeAddress(value, value)) return { problem: `${quoted(value)} has no https:, or has a password in it` };
  if (/[?#]/.test(value)) return { problem: `${quoted(value)} has a query or a fragment` };
  return { value };
}

function readRedirect(value: string): Read<string> {
  const url = value.length <= 512 ? URL.parse(value) : null;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '')
    return { problem: `${quoted(value)} is no address with https:` };
  if (url.pathname !== '/login/callback' || /[?#]/.test(value)) return { problem: `${quoted(value)} does not end in /login/callback` };
  return { value };
}

/** What the section says about the rest of the file, and about files and variables outside of it. */
export function checkOidc(
  root: Section,
  absolute: (reference: z.infer<typeof referenceSchema>) => typeof reference,
  findings: Findings,
  environment: Environment,
): void {
  const written = root.oidc;
  if (!isSection(written)) return;
  const scopes = written.scopes;
  if (Array.isArray(scopes) && !scopes.includes('openid'))
    findings.add(['oidc', 'scopes'], 'value', 'without the scope openid there is no ID token', 'Add openid.');
  const listen = partOf(root.gateway, 'listen');
  if (isSection(listen) && !('https' in listen))
    findings.add(
      ['oidc'],
      'key',
      'people log in over HTTPS, and nothing listens for it',
      'Add https to `listen`, for example https: "127.0.0.1:7443", or remove this section.',
    );
  const reference = referenceSchema.safeParse(written['client-secret']);
  if (!reference.success) return;
  const secret = readSecret(absolute(reference.data), environment);
  if ('problem' in secret) findings.add(['oidc', 'client-secret'], 'value', secret.problem, secret.mend);
}

export function oidcOf(
  read: z.infer<typeof oidcSchema>,
  absolute: (reference: z.infer<typeof referenceSchema>) => typeof reference,
): OidcSettings {
  const { 'client-secret': secret, 'native-client-id': native, redirect } = read;
  return {
    issuer: read.issuer,
    clientId: read['client-id'],
    ...(secret === undefined ? {} : { clientSecret: absolute(secret) }),
    ...(native === undefined ? {} : { nativeClientId: native }),
    scopes: read.scopes,
    nameClaim: read['name-claim'],
    groupsClaim: read['groups-claim'],
    unlisted: read.unlisted,
    ...(redirect === undefined ? {} : { redirect }),
    roles: read.roles,
  };
}
