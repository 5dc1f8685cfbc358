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
}

/** Asked anew at each request, so that a reload and a lock count from the next request on. */
export interface Operators {
  /**
   * `claimed`: the groups that an identity provider gave somebody who logged in through it. They may have roles, and their
   * holder need not be among the humans of the configuration, as far as it says so.
   */
  find(name: string, claimed?: readonly string[]): Operator | undefined;
  /** Humans with a role, by name. */
  all(): readonly Operator[];
  isLocked(name: string): boolean;
}

/** Somebody who may ask for anything at the moment. Nobody is told apart from outside: the words are for records. */
export function operatorInForce(
  name: string,
  operators: Operators,
  claimed?: readonly string[],
): { readonly operator: Operator } | { readonly refused: string } {
  const operator = operators.find(name, claimed);
  if (operator === undefined) return { refused: 'there is no human of this name' };
  if (operator.disabled) return { refused: `${name} is disabled` };
  if (operators.isLocked(name)) return { refused: `${name} is locked` };
  if (operator.roles.length === 0) return { refused: `${name} has no operator role` };
  return { operator };
}
