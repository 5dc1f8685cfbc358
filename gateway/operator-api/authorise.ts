import { type MayAsk, type OperationName, type OperationShape, operations, type Role } from '../../contract/operator-api.ts';
import type { Actor } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import type { OperatorKey } from './operators.ts';

/** An operator whose log-in or token is good at this moment, with the roles that the configuration in force leaves to it. */
export interface LoggedIn {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly groups: readonly string[];
  /** Whose signatures count as theirs. */
  readonly keys: readonly OperatorKey[];
  /** Id of the log-in or token; the token itself is known to its holder alone. */
  readonly token: string;
  readonly kind: 'login' | 'program';
  /** How the operator logged in: `publickey`, `oidc`, `link`, and `operator-token` of a program. */
  readonly method: string;
  readonly authentication: NonNullable<Actor['authentication']>;
  /** ISO 8601 UTC with microseconds. */
  readonly expires: string;
  /** It goes back to a key that was registered, and not to one of the configuration. */
  readonly byRegisteredKey?: true;
  /** Until when this log-in may register a key; missing where it may not. */
  readonly mayAddKey?: string;
}

/** Who is at the other end, by what the way in tells of it. */
export type Asker = { readonly via: 'socket' } | { readonly via: 'https'; readonly operator?: LoggedIn };

/**
 * The one place where it is decided who may ask for what, over HTTPS and on the control socket alike. Throws NOT_FOUND,
 * LOGIN_REQUIRED or ROLE_MISSING; whoever comes back from here may.
 */
export function authorise(name: OperationName, asker: Asker): void {
  const { may, http, onSocket }: OperationShape = operations[name];
  if (asker.via === 'socket') {
    if (onSocket) return;
    throw new SallyportError('ROLE_MISSING', `${name} is not done on the control socket: a person has to log in for it`, {
      remedy: 'sallyport login --gateway https://HOST:PORT, and ask again over HTTPS',
    });
  }
  if (http === undefined) throw new SallyportError('NOT_FOUND', `${name} is not done over HTTPS`);
  authoriseRoles(name, may, asker.operator);
}

/** The same for what is no operation of the table, such as a WebSocket. */
export function authoriseRoles(what: string, may: MayAsk, operator: LoggedIn | undefined): void {
  if (may === 'anyone') return;
  if (operator === undefined) throw loginRequired();
  if (may === 'operator') return;
  if (may !== 'local' && operator.roles.some((role) => may.includes(role))) return;
  const needed = may === 'local' ? 'the user of the gateway on its own machine' : `the role ${may.join(' or ')}`;
  throw new SallyportError(
    'ROLE_MISSING',
    `${what} takes ${needed}, and ${operator.name} asks ${operator.roles.length === 0 ? 'without a role' : `as ${operator.roles.join(' and ')}`}`,
    {
      remedy: 'roles are given by operator: [...] of a human in the configuration; a token may have fewer',
    },
  );
}

export function loginRequired(): SallyportError {
  return new SallyportError('LOGIN_REQUIRED', 'this takes a log-in, and there is none that is good', {
    remedy: 'log in: sallyport login --gateway https://HOST:PORT',
  });
}
