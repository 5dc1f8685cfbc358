import type { Config } from '../config/types.ts';
import type { Principal } from '../identity/principal.ts';
import type { Operator, Operators } from '../operator-api/operators.ts';

/** The operators of the configuration in force. */
export function operatorsOf(config: () => Pick<Config, 'principals'>, isLocked: (name: string) => boolean): Operators {
  return {
    find: (name) => {
      const principal = config().principals.get(name);
      return principal?.kind === 'human' ? operatorOf(principal) : undefined;
    },
    all: () => {
      const humans = [...config().principals.values()].filter(({ kind, operator }) => kind === 'human' && operator.length > 0);
      return humans.map(operatorOf).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    isLocked,
  };
}

function operatorOf({ name, operator, groups, sshKeys, disabled }: Principal): Operator {
  const keys = sshKeys.map(({ algorithm, blob, fingerprint }) => ({ blob, fingerprint, line: `${algorithm} ${blob.toString('base64')}` }));
  return { name, roles: operator, groups, keys, disabled };
}
