import { type OperationInput, type OperationName, type OperationOutput, operationSchemas } from '../../contract/operations.ts';
import type { Actor } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';

/** Who asks, and until when: the signal ends what takes long when the gateway stops. */
export interface Asking {
  readonly actor: Actor;
  readonly signal: AbortSignal;
}

/** What does each operation, for a running gateway and a stopped one alike. */
export type Performers = {
  readonly [N in OperationName]: (input: OperationInput<N>, asking: Asking) => Promise<OperationOutput<N>>;
};

/** Throws REQUEST_INVALID for an input that does not fit the table, and whatever the operation throws. */
export async function perform<N extends OperationName>(
  performers: Performers,
  name: N,
  input: unknown,
  asking: Asking,
): Promise<OperationOutput<N>> {
  const checked = operationSchemas[name].input.safeParse(input);
  if (!checked.success) {
    const faults = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'the input'}: ${message}`);
    throw new SallyportError('REQUEST_INVALID', `${name} cannot be done with this: ${faults.slice(0, 10).join('; ')}`);
  }
  return performers[name](checked.data, asking);
}
