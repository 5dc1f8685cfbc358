import type { Config } from '../config/types.ts';
import type { OidcSettings } from '../identity/oidc-settings.ts';
import { operatorRoles, type Principal } from '../identity/principal.ts';
import type { Claimed, Operator, OperatorKey, Operators } from '../operator-api/operators.ts';

/** The operators of the configuration in force, with the keys that they registered. */
export function operatorsOf(
  config: () => Pick<Config, 'principals' | 'oidc'>,
  isLocked: (name: string) => boolean,
  registered: (name: string) => readonly OperatorKey[],
): Operators {
  const withRegistered = (operator: Operator): Operator => {
    const more = registered(operator.name);
    return more.length === 0 ? operator : { ...operator, keys: [...operator.keys, ...more] };
  };
  return {
    find: (name, claimed) => {
      const { principals, oidc } = config();
      // Whoever came in through a provider that is not trusted any more.
      if (claimed !== undefined && oidc?.issuer !== claimed.issuer) return undefined;
      const principal = principals.get(name);
      const known =
        principal === undefined ? unlisted(name, oidc, claimed) : principal.kind === 'human' ? operatorOf(principal) : undefined;
      if (known === undefined) return undefined;
      const operator = withRegistered(known);
      return claimed === undefined ? operator : withClaims(operator, oidc, claimed);
    },
    all: () => {
      const humans = [...config().principals.values()].filter(({ kind, operator }) => kind === 'human' && operator.length > 0);
      return humans.map((human) => withRegistered(operatorOf(human))).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    isLocked,
  };
}

/** Somebody whom only the provider knows, where the configuration takes its word for it. */
function unlisted(name: string, oidc: OidcSettings | undefined, claimed: Claimed | undefined): Operator | undefined {
  if (claimed === undefined || oidc?.unlisted !== true) return undefined;
  return { name, roles: [], groups: [], keys: [], disabled: false };
}

/** Roles that the configuration in force gives to groups of the provider count beside a human's own. */
function withClaims(operator: Operator, oidc: OidcSettings | undefined, { groups: claimed }: Claimed): Operator {
  const roles = operatorRoles.filter(
    (role) => operator.roles.includes(role) || oidc?.roles[role].some((group) => claimed.includes(group)) === true,
  );
  return { ...operator, roles, groups: [...new Set([...operator.groups, ...claimed])] };
}

// A configuration never changes in place, so that each is made once.
const made = new WeakMap<Principal, Operator>();

function operatorOf(principal: Principal): Operator {
  const known = made.get(principal) ?? makeOperator(principal);
  made.set(principal, known);
  return known;
}

function makeOperator({ name, operator, groups, sshKeys, disabled }: Principal): Operator {
  const keys = sshKeys.map(({ algorithm, blob, fingerprint, comment }) => ({
    blob,
    fingerprint,
    line: `${algorithm} ${blob.toString('base64')}`,
    label: comment,
  }));
  return { name, roles: operator, groups, keys, disabled };
}
