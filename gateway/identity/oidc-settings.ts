import type { OperatorRole } from './principal.ts';
import type { SecretReference } from './secret-reference.ts';

/** The identity provider that people log in through, as the configuration has it. */
export interface OidcSettings {
  /** Exactly as the provider calls itself: it is compared as text (OpenID Connect Core section 3.1.3.7). */
  readonly issuer: string;
  /** Of the log-in in a browser, which the gateway carries out. */
  readonly clientId: string;
  /** Of that client, when the provider has given it one. */
  readonly clientSecret?: SecretReference;
  /** Of programs that run a flow themselves and can keep no secret; the same client unless given (RFC 8252 section 8.4). */
  readonly nativeClientId?: string;
  readonly scopes: readonly string[];
  /** The claim that is the name of the principal. */
  readonly nameClaim: string;
  readonly groupsClaim: string;
  /** Whether people whom the configuration does not list may log in. */
  readonly unlisted: boolean;
  /** Where the provider sends browsers back to, when it is not the address that they came to. */
  readonly redirect?: string;
  /** Groups of the provider whose members have a role. */
  readonly roles: Readonly<Record<OperatorRole, readonly string[]>>;
}

/** Somebody who has logged in through the provider. */
export interface OidcPerson {
  readonly name: string;
  /** Of the configuration, and of the provider's claim. */
  readonly groups: readonly string[];
  /** Of the provider's claim alone. */
  readonly claimedGroups: readonly string[];
  /** Of the configuration, and by the groups of the provider. */
  readonly roles: readonly OperatorRole[];
  /** Whether the configuration lists them among its humans. */
  readonly listed: boolean;
  readonly issuer: string;
  readonly subject: string;
  /** How the provider says that it authenticated them (OpenID Connect Core section 2); for the record. */
  readonly amr?: readonly string[];
  readonly acr?: string;
}

export type OidcOutcome = { readonly person: OidcPerson } | { readonly refused: string; readonly person?: undefined };
