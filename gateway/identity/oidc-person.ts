import type { OidcOutcome, OidcPerson, OidcSettings } from './oidc-settings.ts';
import type { IdTokenClaims } from './oidc-token.ts';
import { type OperatorRole, operatorRoles, type Principal } from './principal.ts';

/** As the configuration writes names. Neither white space nor control characters are among it. */
const nameForm = /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,127}$/u;
/** Groups have the provider's own names, for example `/platform` or `Domain Users`. */
const groupForm = /^(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,128}(?<!\s)$/u;
const MOST_GROUPS = 500;
/** Records use these words for who is not a principal. */
const reserved = ['gateway', 'unknown'];

type Settings = Pick<OidcSettings, 'nameClaim' | 'groupsClaim' | 'unlisted' | 'roles'>;

/** Who the claims of a checked token speak of, or why they do not get in. */
export function personOf(claims: IdTokenClaims, settings: Settings, principals: ReadonlyMap<string, Principal>): OidcOutcome {
  const name = nameOf(claims, settings.nameClaim);
  if ('refused' in name) return name;
  const groups = groupsOf(claims, settings.groupsClaim);
  if ('refused' in groups) return groups;
  const methods = methodsOf(claims);
  if ('refused' in methods) return methods;
  const human = principals.get(name.value);
  if (human === undefined) {
    const refused = reasonAgainstUnlisted(name.value, settings, principals);
    if (refused !== undefined) return { refused };
  } else if (human.kind !== 'human') return { refused: `${name.value} is an agent` };
  else if (human.disabled) return { refused: `${name.value} is disabled` };
  const person: OidcPerson = {
    name: name.value,
    groups: [...new Set([...(human?.groups ?? []), ...groups.value])],
    claimedGroups: [...new Set(groups.value)],
    roles: rolesOf(human?.operator ?? [], groups.value, settings),
    listed: human !== undefined,
    issuer: claims.iss,
    subject: claims.sub,
    ...methods.value,
  };
  return { person };
}

type Taken<T> = { readonly value: T } | { readonly refused: string; readonly person?: undefined };

/** Compared with the configuration as it is: what looks alike may be somebody else's. */
function nameOf(claims: IdTokenClaims, claim: string): Taken<string> {
  const value = claimOf(claims, claim);
  if (value === undefined) return { refused: `the ID token has no claim ${claim}, which would be the name` };
  if (typeof value !== 'string' || !nameForm.test(value)) return { refused: `the claim ${claim} is no name of a principal` };
  // Whoever may write any address into their account at the provider would otherwise be anybody.
  if (claim === 'email' && claimOf(claims, 'email_verified') !== true)
    return { refused: 'the provider has not verified the address in the claim email' };
  return { value };
}

function groupsOf(claims: IdTokenClaims, claim: string): Taken<readonly string[]> {
  // Core section 5.6.2: some providers leave long lists out and say where to ask. Not knowing a group is not being outside of it.
  const elsewhere = claimOf(claims, '_claim_names');
  if (typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, claim))
    return { refused: `the ID token does not have all groups: the provider keeps ${claim} elsewhere` };
  const value = claimOf(claims, claim) ?? [];
  const groups: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (groups.length > MOST_GROUPS) return { refused: `the claim ${claim} has more than ${MOST_GROUPS} groups` };
  // All or nothing: a policy may forbid something to just the group that would be left out.
  if (!groups.every((group) => typeof group === 'string' && groupForm.test(group)))
    return { refused: `the claim ${claim} is no list of names of groups` };
  return { value: groups as readonly string[] };
}

function methodsOf(claims: IdTokenClaims): Taken<Pick<OidcPerson, 'amr' | 'acr'>> {
  const amr: unknown = claimOf(claims, 'amr');
  const acr = claimOf(claims, 'acr');
  if (amr !== undefined && !(Array.isArray(amr) && amr.length <= 32 && amr.every(isShortText)))
    return { refused: 'the claim amr is no list of methods' };
  if (acr !== undefined && !isShortText(acr)) return { refused: 'the claim acr is no class of authentication' };
  return { value: { ...(amr === undefined ? {} : { amr }), ...(acr === undefined ? {} : { acr }) } };
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 256 && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(value);
}

/** Not a property that every object has. */
function claimOf(claims: IdTokenClaims, claim: string): unknown {
  return Object.hasOwn(claims, claim) ? claims[claim] : undefined;
}

/**
 * A name that a reader takes for another's would pass for that person in records and on the screen of a reviewer, and one
 * person with two of them could ask and approve.
 */
function reasonAgainstUnlisted(name: string, { unlisted }: Settings, principals: ReadonlyMap<string, Principal>): string | undefined {
  if (!unlisted) return `${name} is not among the humans of the configuration`;
  if (name.normalize('NFKC') !== name) return `${name} is written in a form that only looks like its name`;
  const folded = fold(name);
  if (reserved.includes(folded)) return `${name} has a meaning of its own in records`;
  const listed = foldedNames(principals).get(folded);
  return listed === undefined ? undefined : `${name} differs from the listed ${listed} in case or form only`;
}

// A configuration never changes in place, and may have very many names.
const gathered = new WeakMap<ReadonlyMap<string, Principal>, ReadonlyMap<string, string>>();

function foldedNames(principals: ReadonlyMap<string, Principal>): ReadonlyMap<string, string> {
  const known = gathered.get(principals);
  if (known !== undefined) return known;
  const names = new Map(Array.from(principals.keys(), (name) => [fold(name), name]));
  gathered.set(principals, names);
  return names;
}

function fold(name: string): string {
  // Upper case first: it brings together what has several lower cases, such as ß and ss, ſ and s.
  return name.normalize('NFKC').toUpperCase().toLowerCase();
}

/** By the provider's word only the groups of the provider give roles; those of the configuration have theirs beside them. */
function rolesOf(configured: readonly OperatorRole[], groups: readonly string[], { roles }: Settings): readonly OperatorRole[] {
  return operatorRoles.filter((role) => configured.includes(role) || roles[role].some((group) => groups.includes(group)));
}
