import type { Role } from '../../contract/operator-api.ts';

/** A human who may have something to say here, as the configuration in force has it. */
export interface Operator {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly groups: readonly string[];
  readonly keys: readonly OperatorKey[];
  readonly disabled: boolean;
}

export interface OperatorKey {
  /** Wire format of RFC 4253 section 6.6. */
  readonly blob: Uint8Array;
  /** `SHA256:` and unpadded base64. */
  readonly fingerprint: string;
  /** As `authorized_keys` has it, without a comment. */
  readonly line: string;
  /** What it is called: its comment in the configuration, or what its owner says. */
  readonly label?: string;
  /** Missing of a key of the configuration. */
  readonly registered?: { readonly since: string };
}

/** What an identity provider said of somebody who logged in through it. */
export interface Claimed {
  readonly issuer: string;
  readonly groups: readonly string[];
}

/** Asked anew at each request, so that a reload and a lock count from the next request on. */
export interface Operators {
  /**
   * `claimed`: of somebody who logged in through an identity provider. Its groups may have roles, and their
   * holder need not be among the humans of the configuration, as far as it says so.
   */
  find(name: string, claimed?: Claimed): Operator | undefined;
  /** Humans with a role, by name. */
  all(): readonly Operator[];
  isLocked(name: string): boolean;
}

/**
 * Somebody who may ask for anything at the moment. Nobody is told apart from outside: the words are for records. Who came
 * through the identity provider needs no role: an engineer without one has certificates by it, and nothing else.
 */
export function operatorInForce(
  name: string,
  operators: Operators,
  claimed?: Claimed,
): { readonly operator: Operator } | { readonly refused: string } {
  const operator = operators.find(name, claimed);
  if (operator === undefined) return { refused: 'there is no human of this name' };
  if (operator.disabled) return { refused: `${name} is disabled` };
  if (operators.isLocked(name)) return { refused: `${name} is locked` };
  if (operator.roles.length === 0 && claimed === undefined) return { refused: `${name} has no operator role` };
  return { operator };
}
