import { type OperationInput, type OperationName, type OperationOutput, schemasOf } from '../../contract/operator-api.ts';
import type { Actor } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import { type Asker, authorise, type LoggedIn } from './authorise.ts';

/** Who asks, and until when: the signal ends what takes long when the gateway stops. */
export interface Asking {
  readonly actor: Actor;
  readonly signal: AbortSignal;
  /** Who has logged in; missing on the control socket, and of whoever needs no log-in. */
  readonly operator?: LoggedIn;
  /** For browsers: where a log-in's token is put instead of into the answer. Missing on the control socket. */
  readonly cookie?: LoginCookie;
}

export interface LoginCookie {
  give(token: string, expires: Date): void;
  take(): void;
}

/** What does each operation of a running gateway. */
export type Performers = {
  readonly [N in OperationName]: (input: OperationInput<N>, asking: Asking) => Promise<OperationOutput<N>>;
};

/**
 * Throws what `authorise` throws, REQUEST_INVALID for an input that does not fit the table, and whatever the operation
 * throws. A gateway that does not run has fewer performers than one that does.
 */
export async function perform<N extends OperationName>(
  performers: Partial<Performers>,
  name: N,
  input: unknown,
  asker: Asker,
  asking: Asking,
): Promise<OperationOutput<N>> {
  authorise(name, asker);
  const schemas = schemasOf(name);
  const checked = schemas.input.safeParse(input);
  if (!checked.success) {
    const faults = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'the input'}: ${message}`);
    throw new SallyportError('REQUEST_INVALID', `${name} cannot be done with this: ${faults.slice(0, 10).join('; ')}`);
  }
  const performer = performers[name];
  if (performer === undefined) {
    throw new SallyportError('GATEWAY_UNREACHABLE', `${name} is done by a running gateway, and none runs here`, {
      remedy: 'start it: sallyport serve --config FILE',
    });
  }
  const output = schemas.output.safeParse(await performer(checked.data, asking));
  if (output.success) return output.data;
  // A defect: what would be answered is not what the table promises.
  throw new TypeError(`the answer of ${name} does not fit the table: ${output.error.message}`);
}
