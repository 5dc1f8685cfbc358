import { type Role, roles } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { askOperator, type OperatorOptions } from './operator-client.ts';
import { jsonLine, print } from './output.ts';

export interface TokenOptions extends OperatorOptions {
  role: string[];
  days: number;
  reason: string;
}

export async function listOperators(options: OperatorOptions): Promise<number> {
  const { operators, tokens } = await askOperator(options, 'operator.list', {});
  if (options.json === true) {
    for (const operator of operators) await print(jsonLine({ operator }));
    for (const token of tokens) await print(jsonLine({ token }));
    return 0;
  }
  const lines = [
    ...(operators.length === 0 ? ['No human of the configuration is an operator.'] : []),
    ...operators.map(
      ({ name, roles: own, groups, disabled }) =>
        `${name}, ${own.join(' and ')}${groups.length === 0 ? '' : `, of ${groups.join(' and ')}`}${disabled ? ', disabled' : ''}`,
    ),
    ...tokens.map(
      ({ id, operator, roles: own, kind, expires }) =>
        `${id}  ${kind === 'login' ? 'log-in' : 'token of a program'} of ${operator}, ${own.join(' and ')}, until ${expires}`,
    ),
  ];
  for (const line of lines) await print(`${printable(line)}\n`);
  return 0;
}

/** The token is all that stands on standard output, for whatever keeps it. */
export async function makeToken(operator: string, options: TokenOptions): Promise<number> {
  const input = { operator, roles: readRoles(options.role), days: options.days, reason: options.reason };
  const { id, token, expires } = await askOperator(options, 'operator.token', input);
  if (options.json === true) await print(jsonLine({ id, token, expires }));
  else {
    process.stderr.write(`Token ${id}, good until ${expires}. It is shown this once:\n`);
    await print(`${token}\n`);
  }
  return 0;
}

export async function revokeOperator(options: OperatorOptions & { token?: string; operator?: string; reason: string }): Promise<number> {
  const { token, operator, reason } = options;
  const { revoked } = await askOperator(options, 'operator.revoke', {
    reason,
    ...(token === undefined ? {} : { token }),
    ...(operator === undefined ? {} : { operator }),
  });
  if (options.json === true) await print(jsonLine({ revoked }));
  else await print(`${revoked} ${revoked === 1 ? 'log-in or token is' : 'log-ins and tokens are'} not good any more.\n`);
  return 0;
}

export function readRoles(given: readonly string[]): Role[] {
  return given.map((text) => {
    const role = roles.find((known) => known === text);
    if (role === undefined) throw new SallyportError('USAGE', `There is no role ${text}`, { remedy: roles.join(', ') });
    return role;
  });
}
