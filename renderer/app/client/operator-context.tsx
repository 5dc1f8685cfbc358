import { createContext, useContext } from 'react';
import type { OperationOutput, Role } from '../../../contract/operator-api.ts';

export type Operator = OperationOutput<'whoami'>;

/** Who is logged in. Screens are only shown to somebody who is. */
export const OperatorContext = createContext<Operator | undefined>(undefined);

export function useOperator(): Operator {
  const operator = useContext(OperatorContext);
  if (operator === undefined) throw new TypeError('nobody is logged in');
  return operator;
}

/** Whoever has no role has certificates by their log-in, and may look at nothing: what is asked for them is only refused. */
export function useHasAnyRole(): boolean {
  return useOperator().roles.length > 0;
}

/** Whether the operator has one of these roles. */
export function useHasRole(...roles: readonly Role[]): boolean {
  const operator = useOperator();
  return roles.some((role) => operator.roles.includes(role));
}
